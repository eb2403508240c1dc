"""Waiting for the other side with one timer per connection.

A timer per wait costs more than the wait: this one is left armed when a wait is over, looks at
the clock when it fires, and is set again only for a wait that ends before it.
"""

import asyncio
from math import inf

from proxy.timing.silence import SilenceClock


class Waiter:
    """One wait at a time, ended by `wake` or by a clock of silence.

    The clock of a wait that was cancelled runs on, and finds nobody.
    """

    __slots__ = ("_clock", "_loop", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: asyncio.Future[None] | None = None
        self._clock = SilenceClock(loop, self.wake)

    def wait(self, silence: float, limit: float = inf) -> "asyncio.Future[None]":
        """To be awaited: until `wake`, at most `silence` seconds that were observed, or `limit`
        real ones. The caller looks which it was. An infinite wait waits for `shorten`.
        """
        waiting = self._waiting = self._loop.create_future()
        self._clock.start(silence, limit)
        return waiting

    @property
    def limit_passed(self) -> bool:
        """Whether it was its `limit` that ended the last wait."""
        return self._clock.limit_passed

    def shorten(self, silence: float, limit: float = inf) -> None:
        """The wait that is under way ends by these clocks, which begin now."""
        if self._waiting is not None and not self._waiting.done():
            self._clock.start(silence, limit)

    def wake(self) -> None:
        """End the wait, if there is one."""
        waiting = self._waiting
        if waiting is not None and not waiting.done():
            self._clock.stop()
            waiting.set_result(None)

    def close(self) -> None:
        """Wake, and let go of the timer."""
        self.wake()
        self._clock.close()
