"""The power of two choices: two are drawn by their weights, the less loaded of them is taken.

Nearly as even as looking at all of them, at the price of two; and unlike the least loaded of all it
sends no herd to one that has just come back (Mitzenmacher, 2001).
"""

import random
from bisect import bisect
from collections.abc import Callable, Sequence
from itertools import accumulate


class TwoChoices:
    """Draws from as many as there are `weights`, all above 0 and at least two of them."""

    __slots__ = ("_bounds", "_count", "_rng", "_total")

    def __init__(self, weights: Sequence[float], rng: Callable[[], float] = random.random) -> None:
        self._count = len(weights)
        self._bounds: list[float] = []
        """Where each one's part of the whole ends; empty where all weigh the same."""
        if min(weights) != max(weights):
            self._bounds = list(accumulate(weights))
        self._total = self._bounds[-1] if self._bounds else 0.0
        self._rng = rng

    def first(self) -> int:
        """One, drawn by weight."""
        drawn = self._rng()
        if not self._bounds:
            return int(drawn * self._count)
        return min(bisect(self._bounds, drawn * self._total), self._count - 1)

    def second(self, first: int) -> int:
        """Another one: drawn by weight, or the next where that gives the same."""
        if not self._bounds:
            return (first + 1 + int(self._rng() * (self._count - 1))) % self._count
        second = self.first()
        return second if second != first else (first + 1) % self._count
