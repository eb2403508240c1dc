"""What goes to a client: queued bytes, and how long it may leave them unread.

Refuses to know what the bytes are.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from math import inf
from typing import Final

from proxy.clock import now
from proxy.timing.progress import Progress

HIGH_WATER: Final = 32 * 1024
"""Bytes that may wait for a client that does not read, before reading upstream stops."""

_RESET: Final = struct.pack("ii", 1, 0)


class Output:
    """The writing side of a client's connection."""

    __slots__ = ("_drained", "_loop", "_progress", "_transport", "is_full")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._transport: asyncio.Transport | None = None
        """None before there is a connection, and once it is lost."""
        self._loop = loop
        self._drained: asyncio.Future[None] | None = None
        self._progress: Progress | None = None
        self.is_full = False
        """Whether more than `HIGH_WATER` bytes wait for the client: no more is to be written."""

    def begin(self, transport: asyncio.Transport) -> None:
        """The connection is there."""
        self._transport = transport
        transport.set_write_buffer_limits(high=HIGH_WATER)

    def write(self, data: bytes) -> None:
        """Queue bytes for the client; nothing happens once it is gone."""
        if self._transport is not None:
            self._transport.write(data)

    @property
    def queued(self) -> int:
        """Bytes that wait for the client."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def lost(self) -> None:
        """The connection is gone."""
        self._transport = None
        if self._progress is not None:
            self._progress.close()
            self._progress = None
        self.resumed()

    def resumed(self) -> None:
        self.is_full = False
        self._let_go()

    async def drained(self, silence: float, limit: float = inf) -> bool:
        """Wait until the client has read, or is gone.

        False if it took nothing for `silence` seconds, or not enough in `limit` seconds.
        """
        until = now() + limit
        while self.is_full and self._transport is not None:
            progress = self._progress_of(self._transport)
            self._drained = self._loop.create_future()
            progress.watch(silence, max(0.0, until - now()))
            try:
                await self._drained
            finally:
                progress.stop()
                self._drained = None
            is_over = progress.limit_passed or not progress.is_made()
            if self.is_full and self._transport is not None and is_over:
                return False
        return True

    def progress(self, then: Callable[[], None]) -> Progress | None:
        """What it still has to take, for a clock that calls `then`; None where it is gone."""
        return None if self._transport is None else Progress(self._transport, self._loop, then)

    def _progress_of(self, transport: asyncio.Transport) -> Progress:
        if self._progress is None:
            self._progress = Progress(transport, self._loop, self._let_go)
        return self._progress

    def _let_go(self) -> None:
        if self._drained is not None:
            _wake(self._drained)

    def abort(self, *, reset: bool = False) -> None:
        """Break the connection; with `reset` the client sees that it was broken."""
        if self._transport is None:
            return
        sock = self._transport.get_extra_info("socket")
        if reset and sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()


def _wake(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
