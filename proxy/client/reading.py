"""Whether a client's connection is read, and whether the client is still there while it is not."""

import asyncio
from collections.abc import Callable

from proxy.client.absence import AbsenceWatch


class Reading:
    """Pauses and resumes a connection."""

    __slots__ = ("_absence", "_loop", "_transport", "is_paused")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        """None before there is a connection, and once it is lost."""
        self._absence: AbsenceWatch | None = None
        self.is_paused = False

    def begin(self, transport: asyncio.Transport) -> None:
        """The connection is there, and read."""
        self._transport = transport

    def pause(self, on_left: Callable[[], None]) -> None:
        """Read no more for now; `on_left` is called where the client leaves meanwhile."""
        if not self.is_paused and self._transport is not None:
            self.is_paused = True
            self._transport.pause_reading()
            self._watch_absence(self._transport, on_left)

    def resume(self) -> None:
        if self.is_paused and self._transport is not None:
            self.is_paused = False
            if self._absence is not None:
                self._absence.stop()
            self._transport.resume_reading()

    def close(self) -> None:
        """The connection is lost; the watch holds it."""
        self._transport = None
        if self._absence is not None:
            self._absence.close()
            self._absence = None

    def _watch_absence(self, transport: asyncio.Transport, on_left: Callable[[], None]) -> None:
        if self._absence is None:
            sock = transport.get_extra_info("socket")
            if sock is None or sock.fileno() < 0:
                return
            self._absence = AbsenceWatch(self._loop, sock.fileno(), on_left)
        self._absence.start()
