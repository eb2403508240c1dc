"""Where numbers are kept: plain counts and histograms, written by one thread, copied to be read.

Not prometheus_client's own children, because they lock at every step: a request's set costs them
about 11 µs and this one a quarter of it. Exposition remains prometheus_client's work.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

from proxy.observation.families import FAMILIES

Labels = tuple[str, ...]
Reading = tuple[str, Labels, float]
"""A metric's name, its label values in the order of its family, and its value."""

Snapshot = dict[str, dict[Labels, float | list[float]]]
"""All series of each family at one moment; a histogram is its counts per bucket, then its sum."""


class Spread:
    """A histogram: how many values fell into each bucket, and their sum."""

    __slots__ = ("_bounds", "cells")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds: Final = bounds
        self.cells: list[float] = [0] * (len(bounds) + 2)

    def observe(self, value: float) -> None:
        cells = self.cells
        cells[bisect_left(self._bounds, value)] += 1
        cells[-1] += value


class Series:
    """All numbers of one process. Not for threads: use and snapshot belong to the loop."""

    def __init__(self) -> None:
        self._numbers: dict[str, defaultdict[Labels, float]] = {
            name: defaultdict(float)
            for name, family in FAMILIES.items()
            if family.kind != "histogram"
        }
        self._spreads: dict[str, dict[Labels, Spread]] = {
            name: {} for name, family in FAMILIES.items() if family.kind == "histogram"
        }
        self._sources: list[Callable[[], Iterable[Reading]]] = []

    def numbers(self, name: str) -> defaultdict[Labels, float]:
        """The counter or gauge `name`: its values by their labels."""
        return self._numbers[name]

    def spread(self, name: str, *labels: str) -> Spread:
        """The histogram `name` with these labels; made when first used."""
        spreads = self._spreads[name]
        if labels not in spreads:
            spreads[labels] = Spread(FAMILIES[name].buckets)
        return spreads[labels]

    def read_from(self, source: Callable[[], Iterable[Reading]]) -> None:
        """Ask `source` at every snapshot, for what somebody else knows already.

        It is asked before the numbers are copied, so it may first count what it still held back.
        """
        self._sources.append(source)

    def snapshot(self) -> Snapshot:
        """A copy of everything, so that it can be rendered while counting goes on."""
        readings = [reading for source in self._sources for reading in source()]
        copy: Snapshot = {name: {**values} for name, values in self._numbers.items()}
        for name, spreads in self._spreads.items():
            copy[name] = {labels: spread.cells[:] for labels, spread in spreads.items()}
        for name, labels, value in readings:
            copy[name][labels] = value
        return copy
