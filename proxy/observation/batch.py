"""Collects finished exchanges for a moment, so that they are recorded together.

Recorded one by one, each where it ends, they find neither code nor data in the processor's caches,
and the same work costs half as much again.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")
Later = Callable[[float, Callable[[], None]], object]
"""Calls a function once, so many seconds from now."""

MOST_WAITING: Final = 256
"""How many may wait."""

DELAY: Final = 0.01
"""Seconds for which one may wait."""

MOST: Final = 32
"""The weight of what is recorded at once: it holds up the loop for some 0.4 ms.

More make it no cheaper. The weight of one is 1, or more where a client made it long.
"""


def call_later(delay: float, call: Callable[[], None]) -> object:
    """By the running loop; a batch is of one thread."""
    return asyncio.get_running_loop().call_later(delay, call)


def _one(_: object) -> int:
    return 1


class Batch(Generic[T]):
    """Hands what was added, in order, to `record`, which must not raise.

    Between what weighs `MOST` and the next of it the loop has its turn.
    """

    def __init__(
        self,
        record: Callable[[list[T]], None],
        later: Later = call_later,
        weight: Callable[[T], int] = _one,
    ) -> None:
        self._record, self._later, self._weight = record, later, weight
        self._waiting: list[T] = []
        self._is_due = False

    def add(self, one: T) -> None:
        """Have `one` recorded within `DELAY`. From now on nobody may change it."""
        waiting = self._waiting
        waiting.append(one)
        if not self._is_due:
            self._is_due = True
            self._later(DELAY, self._fall_due)
        elif len(waiting) >= MOST:
            if len(waiting) % MOST == 0:
                self._later(0.0, self._record_some)
            if len(waiting) > MOST_WAITING:
                self._record_some()  # whoever adds beyond it pays for one at least

    def flush(self) -> None:
        """Record all that wait, now."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._record(waiting)

    def _fall_due(self) -> None:
        self._record_some()
        self._is_due = bool(self._waiting)
        if self._is_due:
            self._later(0.0, self._fall_due)

    def _record_some(self) -> None:
        """The first that wait, at least one of them, up to a weight of `MOST`."""
        taken = weight = 0
        weight_of = self._weight
        for one in self._waiting:
            if weight >= MOST:
                break
            weight += weight_of(one)
            taken += 1
        if taken:
            some, self._waiting = self._waiting[:taken], self._waiting[taken:]
            self._record(some)
