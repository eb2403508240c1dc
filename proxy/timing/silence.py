"""Clocks of silence: how long somebody may say nothing, or take nothing, before we judge.

Loops run timers before they read. So a clock that has run out first lets the loop read what lies
in the kernel, and time in which the loop did not run is not counted: nobody was listening.
A `limit` beside it is real time, for what was promised to others; it looks at the kernel as well.
"""

import asyncio
from collections.abc import Callable
from math import inf
from types import TracebackType
from typing import Final

from proxy.clock import now
from proxy.timing.loop_lag import stalled

TURNS: Final = 4
"""Turns of the loop between running out and the verdict. In two of them each loop has looked at
its sockets; in the others those who were woken by that have run."""

_LEAST: Final = 0.001
"""Loops round their clocks to milliseconds."""


class SilenceClock:
    """Calls `then` when it has run out; may be started again and again.

    Its timer stays armed when it is stopped: a timer for each wait would cost more than the wait.
    """

    __slots__ = (
        "_fires_at", "_limit_at", "_loop", "_running", "_silence", "_since", "_then", "_timer",
        "_turns", "limit_passed",
    )  # fmt: skip

    def __init__(self, loop: asyncio.AbstractEventLoop, then: Callable[[], None]) -> None:
        self._loop = loop
        self._then = then
        self._timer: asyncio.Handle | None = None
        self._fires_at = 0.0
        self._running = False
        self._since = 0.0
        self._silence = inf
        self._limit_at = inf
        self._turns = 0
        self.limit_passed = False
        """Whether it was the `limit` that ran out."""

    def start(self, silence: float, limit: float = inf) -> None:
        """From now on: `silence` seconds of silence, `limit` seconds whatever happens."""
        at = self._since = now()
        self._silence = silence
        self._limit_at = at + limit
        self._running = True
        self._turns = 0
        self.limit_passed = False
        due = at + (silence if silence < limit else limit)
        if (self._timer is None or self._fires_at > due) and due != inf:
            self._arm(due, at)

    def stop(self) -> None:
        self._running = False

    def close(self) -> None:
        """Stop, and let go of the timer."""
        self._running = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, due: float, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._fires_at = due
        self._timer = self._loop.call_later(max(due - at, _LEAST), self._look)

    def _look(self) -> None:
        self._timer = None
        if not self._running:
            return
        at = now()
        due = min(self._since + self._silence + stalled(self._since, at), self._limit_at)
        if due > at:
            self._turns = 0
            if due != inf:
                self._arm(due, at)
        elif self._turns < TURNS:
            self._turns += 1
            self._fires_at = at
            self._timer = self._loop.call_soon(self._look)
        else:
            self._running = False
            self.limit_passed = at >= self._limit_at
            self._then()


class SilenceTimeout:
    """As `asyncio.timeout`, by a clock of silence: leaving it raises TimeoutError."""

    __slots__ = ("_bound", "_clock", "_limit", "_loop", "_silence")

    def __init__(self, silence: float, limit: float = inf) -> None:
        self._silence, self._limit = silence, limit
        self._loop = asyncio.get_running_loop()
        self._bound = asyncio.timeout(None)
        self._clock = SilenceClock(self._loop, self._expire)

    async def __aenter__(self) -> None:
        await self._bound.__aenter__()
        self._clock.start(self._silence, self._limit)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._clock.close()
        await self._bound.__aexit__(kind, error, trace)

    def _expire(self) -> None:
        self._bound.reschedule(self._loop.time())
