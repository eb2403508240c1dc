"""How much of one connection is read in one turn of the loop, whatever arrives on it.

A read that fills its room is the last of its turn, and a connection that sends crumbs is given
less room: what it costs us at once is bounded. Knows nothing of what is read.
"""

import asyncio
from typing import Final

CRUMBS: Final = 256
"""Pieces of body in one read from which on they cost by their number, and not by their size."""

_ROOM: Final = memoryview(bytearray(48 * 1024))
"""Where the loop puts what it reads, for all connections: without it loops read 256 KiB at once,
and a client that does not read costs as much."""

_NARROW: Final = _ROOM[: 8 * 1024]
"""For a connection whose last read was crumbs."""


class PacedProtocol(asyncio.BufferedProtocol):
    """A connection that is read by turns, and not at all while reading is paused."""

    __slots__ = ("_room", "loop", "reading_paused", "transport")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport
        self.reading_paused = False
        self._room = _ROOM

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the loop's interface
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        room = self._room
        if nbytes < len(room):
            self.data_received(bytes(room[:nbytes]))
            return
        self._room = _ROOM
        self.data_received(bytes(room))
        if not self.reading_paused and self.is_ours:
            # there may be more: uvloop would read up to 32 times before it looks at anybody else
            self.transport.pause_reading()
            self.loop.call_soon(self._read_on)

    def data_received(self, data: bytes) -> None:
        """Bytes from the other side."""
        raise NotImplementedError

    @property
    def is_ours(self) -> bool:
        """Whether the connection is open, and reading from it is for us to pause."""
        raise NotImplementedError

    def read_less(self) -> None:
        """The last read was crumbs: reads are small until one fills its room with others."""
        self._room = _NARROW

    def pause_reading(self) -> None:
        if not self.reading_paused:
            self.reading_paused = True
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        self.reading_paused = False
        self.transport.resume_reading()

    def _read_on(self) -> None:
        """All others had their turn."""
        if not self.reading_paused and self.is_ours:
            self.transport.resume_reading()
