"""How late the event loop is, measured by a timer of its own.

Time in which the loop did not run (a callback that blocks, no CPU, a stopped process) was observed
by nobody: no clock of silence may count it. Each of them asks `stalled`, and whoever measures
a wait subtracts it by `waited`.
"""

from collections import deque
from collections.abc import Callable
from math import inf
from typing import Final, Protocol

from proxy.clock import now

EVERY: Final = 0.1
"""Seconds between two ticks: a stall is measured short by as much at most."""

LEAST: Final = 0.01
"""Seconds that a tick may be late without it being a stall."""

_KEPT: Final = 1000
"""Stalls that are remembered: more than a clock of a minute can see."""

Tell = Callable[[float], None]
"""Takes the lateness of each tick, in seconds."""


class Timer(Protocol):
    """A callback that is due."""

    def cancel(self) -> None: ...


class Loop(Protocol):
    """What is measured: an event loop."""

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer: ...


class LoopLag:
    """Stalls of one loop, and who wants to be told of them."""

    __slots__ = ("_due", "_loop", "_stalls", "_timer", "_told", "late_from", "stalled_until")

    def __init__(self) -> None:
        self._stalls: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        """When each began and ended, oldest first."""
        self._told: list[Tell] = []
        self._loop: Loop | None = None
        self._timer: Timer | None = None
        self._due = self.late_from = inf
        """When the next tick should come, and from when on it is late."""
        self.stalled_until = -inf
        """When the last stall ended."""

    def watch(self, loop: Loop, tell: Tell) -> None:
        """Measure `loop`, which runs, and tell of it until `unwatch`."""
        self._told.append(tell)
        if self._loop is not loop:
            self._loop = loop
            self._arm()

    def unwatch(self, tell: Tell) -> None:
        self._told.remove(tell)
        if not self._told and self._timer is not None:
            self._timer.cancel()
            self._loop = self._timer = None
            self._due = self.late_from = inf

    def record(self, began: float, ended: float) -> None:
        """The loop did not run meanwhile."""
        self._stalls.append((began, ended))
        self.stalled_until = ended

    def stalled(self, since: float, until: float) -> float:
        """Seconds between the two in which the loop did not run; one that goes on counts."""
        total = 0.0
        if until > self.late_from:
            total = max(0.0, until - max(self._due, since))
        for began, ended in reversed(self._stalls):
            if ended <= since:
                break
            total += max(0.0, min(ended, until) - max(began, since))
        return total

    def _arm(self) -> None:
        if self._loop is not None:
            self._due = now() + EVERY
            self.late_from = self._due + LEAST
            self._timer = self._loop.call_later(EVERY, self._tick)

    def _tick(self) -> None:
        at, due = now(), self._due
        late = max(0.0, at - due)
        if late > LEAST:
            self.record(due, at)
        self._arm()
        for tell in tuple(self._told):
            tell(late)


LAG: Final = LoopLag()
"""Of the loop that serves traffic: a process has one."""


def stalled(since: float, until: float) -> float:
    """Seconds between the two in which the loop did not run."""
    return LAG.stalled(since, until)


def waited(since: float, until: float) -> float:
    """Seconds between the two, less those in which the loop did not run: these are our own."""
    took, lag = until - since, LAG
    if took <= LEAST or (until <= lag.late_from and since >= lag.stalled_until):
        return took
    return max(0.0, took - lag.stalled(since, until))
