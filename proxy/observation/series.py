"""Storage of metrics: plain counts and histograms, written by one thread, copied to be read.

Not prometheus_client's own children, because they lock at every step: a request's set costs them
about 11 µs and this one a quarter of it. Exposition remains prometheus_client's work.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final

from proxy.observation.families import FAMILIES

Labels = tuple[str, ...]
Sample = tuple[str, Labels, float]
"""A metric's name, its label values in the order of its family, and its value."""

Snapshot = dict[str, dict[Labels, float | list[float]]]
"""All series of each family at one moment; a histogram is its counts per bucket, then its sum."""


Exemplar = tuple[str, bytes, float, float | None]
"""Request ID (not redacted), span context, the value, and when, in wall time; None: not known."""

Exemplars = dict[str, dict[Labels, dict[int, Exemplar]]]
"""The latest exchange counted by each series; a histogram has one for each bucket."""


class Histogram:
    """A histogram: how many values fell into each bucket, and their sum."""

    __slots__ = ("_bounds", "cells", "exemplars")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds: Final = bounds
        self.cells: list[float] = [0] * (len(bounds) + 2)
        self.exemplars: dict[int, Exemplar] = {}

    def observe(self, value: float) -> None:
        cells = self.cells
        cells[bisect_left(self._bounds, value)] += 1
        cells[-1] += value

    def observe_of(self, value: float, request_id: str, span: bytes, at: float | None) -> None:
        """The same, and whose value it was."""
        cells, bucket = self.cells, bisect_left(self._bounds, value)
        cells[bucket] += 1
        cells[-1] += value
        self.exemplars[bucket] = (request_id, span, value, at)

    def observer(self, request_id: str, span: bytes) -> Callable[[float], None]:
        """Observes values of one exchange that goes on; it is the latest of a bucket where a value
        falls into another bucket than the one before."""
        cells, bounds, exemplars = self.cells, self._bounds, self.exemplars
        before = -1

        def observe(value: float) -> None:
            nonlocal before
            bucket = bisect_left(bounds, value)
            cells[bucket] += 1
            cells[-1] += value
            if bucket != before:
                before = bucket
                exemplars[bucket] = (request_id, span, value, None)

        return observe


class Series:
    """All numbers of one process. Not for threads: use and snapshot belong to the loop."""

    def __init__(self) -> None:
        self._numbers: dict[str, defaultdict[Labels, float]] = {
            name: defaultdict(float)
            for name, family in FAMILIES.items()
            if family.kind != "histogram"
        }
        self._spreads: dict[str, dict[Labels, Histogram]] = {
            name: {} for name, family in FAMILIES.items() if family.kind == "histogram"
        }
        self._exemplars: dict[str, dict[Labels, Exemplar]] = {}
        self._sources: list[Callable[[], Iterable[Sample]]] = []

    def numbers(self, name: str) -> defaultdict[Labels, float]:
        """The counter or gauge `name`: its values by their labels."""
        return self._numbers[name]

    def spread(self, name: str, *labels: str) -> Histogram:
        """The histogram `name` with these labels; made when first used."""
        spreads = self._spreads[name]
        if labels not in spreads:
            spreads[labels] = Histogram(FAMILIES[name].buckets)
        return spreads[labels]

    def count_of(self, name: str, labels: Labels, exemplar: Exemplar) -> None:
        """Add one to a counter, and say for whom."""
        self._numbers[name][labels] += 1
        self._exemplars.setdefault(name, {})[labels] = exemplar

    def keep(self, label: str, values: Collection[str]) -> None:
        """Drop every series that has another value of `label`."""
        for name, family in FAMILIES.items():
            if label in family.labels:
                self._drop(name, family.labels.index(label), lambda value: value not in values)

    def drop_endpoints(self, upstreams: Collection[str]) -> None:
        """Drop what is said of the endpoints of these upstreams."""
        for name, family in FAMILIES.items():
            if "endpoint" in family.labels:
                at = family.labels.index("upstream")
                self._drop(name, at, lambda value: value in upstreams)

    def _drop(self, name: str, at: int, is_gone: Callable[[str], bool]) -> None:
        for series in (self._numbers, self._spreads, self._exemplars):
            of_family: dict[Labels, Any] = series.get(name, {})
            for labels in [one for one in of_family if is_gone(one[at])]:
                del of_family[labels]

    def read_from(self, source: Callable[[], Iterable[Sample]]) -> None:
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

    def exemplars(self) -> Exemplars:
        """A copy; of the same moment as the snapshot that was taken just before."""
        copy: Exemplars = {
            name: {labels: {0: exemplar} for labels, exemplar in series.items()}
            for name, series in self._exemplars.items()
        }
        for name, spreads in self._spreads.items():
            copy[name] = {
                labels: {**spread.exemplars}
                for labels, spread in spreads.items()
                if spread.exemplars
            }
        return copy
