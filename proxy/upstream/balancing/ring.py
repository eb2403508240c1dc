"""Consistent hashing: a ring of points, and a key belongs to the point that follows it.

Whoever leaves gives its keys to those that follow its points, and nobody else's keys move
(Karger et al., 1997). The points come from names alone, so that every process has the same ring.
"""

from bisect import bisect_left
from collections.abc import Sequence
from hashlib import blake2b

POINTS = 160
"""Points of an endpoint of weight 1: the shares differ by about a tenth."""

MOST_POINTS = 65_536
"""Points of a ring; above it each endpoint has fewer in proportion."""


class HashRing:
    """The ring of `names`, each with its weight above 0; a name stands once."""

    __slots__ = ("_owners", "_points")

    def __init__(self, names: Sequence[str], weights: Sequence[int]) -> None:
        scale = POINTS * min(1.0, MOST_POINTS / (POINTS * sum(weights)))
        pairs = [
            (point, number)
            for number, (name, weight) in enumerate(zip(names, weights, strict=True))
            for point in points(name, max(1, int(scale * weight)))
        ]
        pairs.sort(key=lambda pair: (pair[0], names[pair[1]]))  # no matter in which order they came
        self._points = [point for point, _ in pairs]
        self._owners = [number for _, number in pairs]

    def __len__(self) -> int:
        return len(self._points)

    def start(self, key: int) -> int:
        """The position of the first point at `key` (64 bits) or behind it."""
        return bisect_left(self._points, key)

    def owner(self, position: int) -> int:
        """Whose point stands at a position, which may go on past the end."""
        return self._owners[position % len(self._owners)]


def points(name: str, count: int) -> list[int]:
    """The first `count` points of a name: more of them change none."""
    found: list[int] = []
    number = 0
    while len(found) < count:
        digest = blake2b(f"{name}#{number}".encode()).digest()
        found += [int.from_bytes(digest[at : at + 8], "big") for at in range(0, 64, 8)]
        number += 1
    return found[:count]
