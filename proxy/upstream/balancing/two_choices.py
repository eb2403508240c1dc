"""The power of two choices: of two candidates the less loaded is taken.

One is the next in turn, so that traffic is spread evenly while nobody is loaded; the other is drawn
by weight.
Nearly as even as looking at all of them, at the price of two; and unlike the least loaded of all it
sends no herd to one that has just come back (Mitzenmacher, 2001).
"""

import random
from bisect import bisect
from collections.abc import Callable, Sequence
from itertools import accumulate

from proxy.upstream.balancing.turns import Turns


class TwoChoices:
    """Draws from as many as there are `weights`, all above 0 and at least two of them."""

    __slots__ = ("_bounds", "_count", "_rng", "_total", "_turns")

    def __init__(self, weights: Sequence[float], rng: Callable[[], float] = random.random) -> None:
        self._count = len(weights)
        self._bounds: list[float] = []
        """Where each one's part of the whole ends; empty where all weigh the same."""
        if min(weights) != max(weights):
            self._bounds = list(accumulate(weights))
        self._total = self._bounds[-1] if self._bounds else 0.0
        self._rng = rng
        self._turns = Turns(weights)

    def first(self) -> int:
        """The next in turn."""
        return self._turns.next()

    def second(self, first: int) -> int:
        """Another one: drawn by weight, or the next where that gives the same."""
        drawn = self._rng()
        if not self._bounds:
            return (first + 1 + int(drawn * (self._count - 1))) % self._count
        second = min(bisect(self._bounds, drawn * self._total), self._count - 1)
        return second if second != first else (first + 1) % self._count
