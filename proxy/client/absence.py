"""Notices that a client has left while nobody reads from it: then its end lies unread.

Asks the kernel once a second, and only while reading is paused.
"""

import asyncio
import select
from collections.abc import Callable
from typing import Final

EVERY: Final = 1.0
"""Seconds between two looks."""

_ENDS: Final = select.POLLRDHUP | select.POLLHUP | select.POLLERR


class AbsenceWatch:
    """Calls `left` where the client has closed its side, or the connection is broken."""

    __slots__ = ("_left", "_loop", "_poll", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, fd: int, left: Callable[[], None]) -> None:
        self._loop = loop
        self._left = left
        self._poll = select.poll()
        self._poll.register(fd, _ENDS)
        self._timer = loop.call_later(EVERY, self._look)

    def stop(self) -> None:
        """Before the descriptor is closed: another one may get its number."""
        self._timer.cancel()

    def _look(self) -> None:
        if self._poll.poll(0):
            self._left()
        else:
            self._timer = self._loop.call_later(EVERY, self._look)
