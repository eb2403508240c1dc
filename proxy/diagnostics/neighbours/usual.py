"""What is usual on a route: quantiles of the last hour, by a sketch of fixed size.

Values fall into buckets that grow by a tenth each, so a quantile is at most 5 % off; six slots of
ten minutes make the hour. Only what was completed counts as usual.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from math import log
from typing import Final

SLOT: Final = 600.0
SLOTS: Final = 6
LEAST: Final = 20
"""Fewer values say nothing of what is usual."""

MEASURES: Final = ("head", "first_event", "gap", "duration", "stream", "size")
"""Lengths of time in seconds (`duration` of plain answers, `stream` of streams) and bytes."""

_FRESH: Final = 2.0
"""Seconds for which quantiles that were worked out stand."""
_STEP: Final = 1.1
_SMALLEST: Final = 1e-6
_BUCKETS: Final = 420
"""Enough for 10^11."""
_SCALE: Final = 1 / log(_STEP)

Slots = dict[int, dict[int, int]]
Saved = dict[str, dict[str, dict[str, int]]]
"""By measure, slot and bucket: how many."""


def bucket(value: float) -> int:
    """The bucket of a value above or equal to 0."""
    if value <= _SMALLEST:
        return 0
    return min(_BUCKETS, 1 + int(log(value / _SMALLEST) * _SCALE))


def middle(number: int) -> float:
    """The value that stands for a bucket."""
    return _SMALLEST * _STEP ** (number - 0.5) if number else 0.0


class Usual:
    """The sketches of one route. Times are wall time, so that they outlive a restart."""

    def __init__(self) -> None:
        self._slots: dict[str, Slots] = {measure: {} for measure in MEASURES}
        self._known: dict[tuple[str, tuple[float, ...]], tuple[float, list[float]]] = {}
        """Quantiles, and when they were worked out."""

    def add(self, measure: str, value: float, wall: float) -> None:
        """Count a value."""
        number = int(wall / SLOT)
        slots = self._slots[measure]
        counts = slots.get(number)
        if counts is None:
            counts = slots[number] = {}
            for old in [each for each in slots if each <= number - SLOTS]:
                del slots[old]
        place = bucket(value)
        counts[place] = counts.get(place, 0) + 1

    def quantiles(self, measure: str, wall: float, *shares: float) -> list[float] | None:
        """The values below which these shares of the last hour lie; None: too few are known."""
        asked = (measure, shares)
        known = self._known.get(asked)
        if known is not None and 0 <= wall - known[0] < _FRESH:
            return known[1]
        latest = int(wall / SLOT)
        total: Counter[int] = Counter()
        for number, counts in self._slots[measure].items():
            if latest - SLOTS < number <= latest:
                total.update(counts)
        n = sum(total.values())
        if n < LEAST:
            return None
        found = [_quantile(total, share * n) for share in shares]
        self._known[asked] = (wall, found)
        return found

    def saved(self) -> Saved:
        """As plain values."""
        return {
            measure: {str(n): {str(b): c for b, c in counts.items()} for n, counts in slots.items()}
            for measure, slots in self._slots.items()
        }

    def restore(self, saved: Mapping[str, object]) -> None:
        """Add what was saved before; whatever is not of that form is passed over."""
        for measure, number, place, n in _entries(saved):
            counts = self._slots[measure].setdefault(number, {})
            counts[place] = counts.get(place, 0) + n


def _quantile(counts: Counter[int], wanted: float) -> float:
    so_far = 0
    for number in sorted(counts):
        so_far += counts[number]
        if so_far >= wanted:
            return middle(number)
    return middle(max(counts))


def _entries(saved: Mapping[str, object]) -> Iterator[tuple[str, int, int, int]]:
    for measure in MEASURES:
        slots = saved.get(measure)
        for number, counts in slots.items() if isinstance(slots, Mapping) else ():
            for place, n in counts.items() if isinstance(counts, Mapping) else ():
                if f"{number}{place}{n}".isdigit() and int(place) <= _BUCKETS:
                    yield measure, int(number), int(place), int(n)
