"""Notices that a client has left while nobody reads from it: then its end lies unread.

Asks the kernel once a second, and only while reading is paused.
"""

import asyncio
import select
from collections.abc import Callable
from typing import Final

from proxy.clock import now

EVERY: Final = 1.0
"""Seconds between two looks, and before the first."""

_TICK: Final = 0.002
"""Loops round their clocks to milliseconds."""

_ENDS: Final = select.POLLRDHUP | select.POLLHUP | select.POLLERR


class AbsenceWatch:
    """Calls `left` where the client has closed its side, or the connection is broken.

    Reading is paused at every read, mostly for a moment: the timer stays armed when it goes on.
    """

    __slots__ = ("_is_on", "_left", "_loop", "_poll", "_since", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, fd: int, left: Callable[[], None]) -> None:
        self._loop = loop
        self._left = left
        self._poll = select.poll()
        self._poll.register(fd, _ENDS)
        self._is_on = False
        self._since = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """From now on it is not read."""
        self._is_on = True
        self._since = now()
        if self._timer is None:
            self._arm(EVERY)

    def stop(self) -> None:
        """It is read again."""
        self._is_on = False

    def close(self) -> None:
        """Before the descriptor is closed: another one may get its number."""
        self._is_on = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, seconds: float) -> None:
        self._timer = self._loop.call_later(seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        if not self._is_on:
            return
        early = self._since + EVERY - now()
        if early > _TICK:
            self._arm(early)
        elif self._poll.poll(0):
            self._left()
        else:
            self._arm(EVERY)
