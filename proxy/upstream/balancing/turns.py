"""Weighted round robin: earliest deadline first.

Each has a deadline, and whoever has the earliest is next and gets its next deadline one over its
weight later. So turns are spread evenly rather than given in a row, in O(log n).
"""

from collections.abc import Sequence
from heapq import heapify, heapreplace


class Turns:
    """Turns of as many as there are `weights`, all above 0."""

    __slots__ = ("_deadlines", "_steps")

    def __init__(self, weights: Sequence[float]) -> None:
        self._steps = [1.0 / weight for weight in weights]
        self._deadlines = [(step / 2, number) for number, step in enumerate(self._steps)]
        heapify(self._deadlines)

    def next(self) -> int:
        """Whose turn it is."""
        deadline, number = self._deadlines[0]
        heapreplace(self._deadlines, (deadline + self._steps[number], number))
        return number
