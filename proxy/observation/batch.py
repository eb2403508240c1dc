"""Exchanges that have ended and wait, for a moment, to be recorded together.

Recorded one by one, each where it ends, they find neither code nor data in the processor's caches,
and the same work costs half as much again.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")
Later = Callable[[float, Callable[[], None]], object]
"""Calls a function once, so many seconds from now."""

DELAY: Final = 0.01
"""Seconds for which one may wait."""

MOST: Final = 32
"""How many may wait: a flush holds up the loop for some 0.4 ms. More make it no cheaper."""


def call_later(delay: float, call: Callable[[], None]) -> object:
    """By the running loop; a batch is of one thread."""
    return asyncio.get_running_loop().call_later(delay, call)


class Batch(Generic[T]):
    """Hands what was added, in order, to `record`, which must not raise."""

    def __init__(self, record: Callable[[list[T]], None], later: Later = call_later) -> None:
        self._record, self._later = record, later
        self._waiting: list[T] = []
        self._is_due = False

    def add(self, one: T) -> None:
        """Have `one` recorded within `DELAY`. From now on nobody may change it."""
        self._waiting.append(one)
        if not self._is_due:
            self._is_due = True
            self._later(DELAY, self._fall_due)
        elif len(self._waiting) >= MOST:
            self.flush()

    def flush(self) -> None:
        """Record all that wait, now."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._record(waiting)

    def _fall_due(self) -> None:
        self._is_due = False
        self.flush()
