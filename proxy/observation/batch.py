"""Exchanges that ended and wait, for a moment, to be recorded together.

What is recorded right where it happens finds neither code nor data in the processor's caches and
costs twice as much as the same work done many times over.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")
Later = Callable[[float, Callable[[], None]], object]
"""Calls a function once, so many seconds from now."""

DELAY: Final = 0.01
"""Seconds for which one may wait."""

MOST: Final = 128
"""How many may wait. It bounds what a flush holds up: about a millisecond."""


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
