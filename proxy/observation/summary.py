"""The figures of `/metrics.json`, over the last five minutes and since the start.

Memory is bounded: a ring of slots of ten seconds, each with counts in buckets that grow by a
tenth, so that a percentile is right within 5 %. A slot that has gone by is used again.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from proxy.exchange import Exchange
from proxy.outcome import COMPLETED, ERRORS, level_of

SLOT: Final = 10.0
"""Seconds."""
_SLOTS: Final = 30
_GROWTH: Final = 1.1
_BOUNDS: Final = tuple(0.0001 * _GROWTH**n for n in range(170))
"""Seconds, from 0.1 ms to about a quarter of an hour."""


@dataclass(slots=True)
class SummaryCounts:
    """Counts over some time."""

    total: int = 0
    errors: int = 0
    limited: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(_BOUNDS) + 1))

    def add(self, seconds: float, *, is_error: bool = False, is_limited: bool = False) -> None:
        self.total += 1
        self.errors += is_error
        self.limited += is_limited
        self.seconds += seconds
        if seconds > self.longest:
            self.longest = seconds
        self.buckets[bisect_left(_BOUNDS, seconds)] += 1

    def merge(self, other: "SummaryCounts") -> None:
        self.total += other.total
        self.errors += other.errors
        self.limited += other.limited
        self.seconds += other.seconds
        self.longest = max(self.longest, other.longest)
        self.buckets = [a + b for a, b in zip(self.buckets, other.buckets, strict=True)]

    def percentile(self, share: float) -> float:
        """The duration that this share of exchanges did not exceed, in seconds; 0 for none."""
        rank, passed = ceil(self.total * share), 0
        for n, count in enumerate(self.buckets):
            passed += count
            if count and passed >= rank:
                middle = _BOUNDS[n] / _GROWTH**0.5 if n < len(_BOUNDS) else self.longest
                return min(middle, self.longest)
        return 0.0

    def figures(self) -> dict[str, float]:
        """As they stand in the JSON."""
        total = self.total or 1
        return {
            "total_requests": self.total,
            "error_count": self.errors,
            "error_rate_percent": round(100 * self.errors / total, 3),
            "rate_limit_hits": self.limited,
            "avg_response_ms": round(1000 * self.seconds / total, 3),
            "p50_response_ms": round(1000 * self.percentile(0.5), 3),
            "p95_response_ms": round(1000 * self.percentile(0.95), 3),
            "p99_response_ms": round(1000 * self.percentile(0.99), 3),
        }


@dataclass(frozen=True, slots=True)
class Slot:
    """What ended within one slot; `began` is of the clock that never jumps, the rest in seconds."""

    began: float
    requests: int
    errors: int
    p50: float
    p95: float


class Summary:
    """Adds up exchanges; `started` and every `now` are of the clock that never jumps.

    Each is counted once, in its slot; a slot that is used again goes into the past first.
    """

    def __init__(self, started: float) -> None:
        self._started = started
        self._past = SummaryCounts()
        self._slots = [SummaryCounts() for _ in range(_SLOTS)]
        self._numbers = [-1] * _SLOTS

    def add(self, x: Exchange, now: float) -> None:
        """Count an exchange that has ended."""
        number = int(now / SLOT)
        place = number % _SLOTS
        if self._numbers[place] != number:
            self._begin(place, number)
        outcome = x.outcome
        if outcome is None or outcome is COMPLETED:
            self._slots[place].add(x.ended - x.started)
        else:
            is_error = level_of(outcome, x.upstream_status) in ERRORS
            is_limited = outcome.status == 429
            self._slots[place].add(x.duration, is_error=is_error, is_limited=is_limited)

    def figures(self, now: float) -> dict[str, object]:
        """The body of `/metrics.json`."""
        ever, recent, oldest = SummaryCounts(), SummaryCounts(), int(now / SLOT) - _SLOTS
        ever.merge(self._past)
        for number, slot in zip(self._numbers, self._slots, strict=True):
            ever.merge(slot)
            if number > oldest:
                recent.merge(slot)
        return {
            "uptime_seconds": round(now - self._started, 3),
            **ever.figures(),
            "last_five_minutes": recent.figures(),
        }

    def slots(self, now: float) -> list[Slot]:
        """The last five minutes slot by slot, the oldest first; the last one is under way."""
        last = int(now / SLOT)
        return [self._slot(number) for number in range(last - _SLOTS + 1, last + 1)]

    def _slot(self, number: int) -> Slot:
        place = number % _SLOTS
        tally = self._slots[place] if self._numbers[place] == number else _NOTHING
        p50, p95 = tally.percentile(0.5), tally.percentile(0.95)
        return Slot(number * SLOT, tally.total, tally.errors, p50, p95)

    def _begin(self, place: int, number: int) -> None:
        self._past.merge(self._slots[place])
        self._numbers[place], self._slots[place] = number, SummaryCounts()


_NOTHING: Final = SummaryCounts()
