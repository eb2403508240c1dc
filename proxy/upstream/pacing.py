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
        is_filled = nbytes == len(self._room)
        self.data_received(bytes(self._room[:nbytes]))
        if is_filled and not self.reading_paused and self.is_ours:
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

    def packed(self, pieces: list[bytes]) -> list[bytes]:
        """What a read has brought as it is to be kept; crumbs make the next read a small one."""
        is_crumbs = len(pieces) > CRUMBS
        self._room = _NARROW if is_crumbs else _ROOM
        # each costs more memory than it has bytes
        return [b"".join(pieces)] if is_crumbs else pieces

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
