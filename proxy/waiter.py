"""Waiting for the other side with one timer per connection.

A timer per wait costs more than the wait: this one is left armed when a wait is over, looks at
the clock when it fires, and is set again only for a wait that ends before it.
"""

import asyncio
from math import inf

_TICK = 0.001
"""Loops round their clocks to milliseconds."""


class Waiter:
    """One wait at a time, ended by `wake` or by time."""

    __slots__ = ("_due", "_fires_at", "_loop", "_timer", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._fires_at = 0.0

    async def wait(self, timeout: float) -> None:
        """Until `wake`, at most `timeout` seconds; the caller looks which it was.

        An infinite `timeout` waits for `shorten`.
        """
        waiting = self._waiting = self._loop.create_future()
        due = self._due = self._loop.time() + timeout
        if due != inf and (self._timer is None or self._fires_at > due):
            self._arm(due)
        try:
            await waiting
        finally:
            if self._waiting is waiting:  # else another wait began while this one was cancelled
                self._waiting = None

    def shorten(self, timeout: float) -> None:
        """The wait that is under way ends in `timeout` seconds at most."""
        self._due = self._loop.time() + timeout
        if self._waiting is not None:
            self._arm(self._due)

    def wake(self) -> None:
        """End the wait, if there is one."""
        if self._waiting is not None:
            _wake(self._waiting)

    def close(self) -> None:
        """Wake, and let go of the timer."""
        self.wake()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._fires_at = at
        self._timer = self._loop.call_at(at, self._look)

    def _look(self) -> None:
        self._timer = None
        waiting = self._waiting
        if waiting is None:
            return
        if self._due - self._loop.time() > _TICK:
            self._arm(self._due)
        else:
            # not at once: after a stall loops run timers first, and read what came in time later
            self._loop.call_soon(_wake, waiting)


def _wake(waiting: "asyncio.Future[None]") -> None:
    if not waiting.done():
        waiting.set_result(None)
