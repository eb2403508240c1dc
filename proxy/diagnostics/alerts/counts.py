"""Sliding counts for alert rules: slots of ten seconds, an hour of them.

A percentile is not measured but asked: "is p95 over 2.5 s" means "did more than one in twenty
take longer than 2.5 s", and that is a count.
"""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from math import inf
from typing import Final

from proxy.diagnostics.alerts.rules import LONGEST, AlertsRule
from proxy.exchange import Exchange
from proxy.outcome import COMPLETED, INTERNAL_ERROR, STREAM_STALLED, level_of

SLOT: Final = 10.0
SLOTS: Final = int(LONGEST / SLOT) + 1
SAMPLES: Final = 3
LEVELS: Final = {"warning": "warnings", "error": "errors", "critical": "critical_errors"}
"""Counts of errors, which are rules as well, by the severity that they count."""


@dataclass(slots=True)
class Counts:
    """Of some stretch of time."""

    exchanges: int = 0
    answers: int = 0
    """Exchanges that were no streams."""
    slow_answers: int = 0
    streams: int = 0
    slow_first_events: int = 0
    stalls: int = 0
    unauthorised: int = 0
    warnings: int = 0
    errors: int = 0
    critical_errors: int = 0


@dataclass(slots=True)
class CountWindow:
    """Slots by number, and for each rule the latest Reference IDs that made it count."""

    slow_answer: float
    slow_first_event: float
    _slots: dict[int, Counts] = field(default_factory=dict)
    _samples: dict[str, deque[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, rule: AlertsRule) -> "CountWindow":
        window = cls(inf, inf)
        window.take(rule)
        return window

    def take(self, rule: AlertsRule, known: Collection[str] | None = None) -> None:
        """Have other thresholds for what is still to come; forget samples of unknown names."""
        slow, first = rule.slow_answers.above, rule.slow_first_events.above
        self.slow_answer = inf if slow is None else slow
        self.slow_first_event = inf if first is None else first
        for what in list(self._samples):
            _, is_named, name = what.partition(" ")
            if is_named and known is not None and name not in known:
                del self._samples[what]

    def add(self, x: Exchange) -> None:
        """Count an exchange that has ended."""
        number = int(x.ended / SLOT)
        counts = self._slots.get(number) or self._begin(number)
        counts.exchanges += 1
        if x.streamed:
            self._add_stream(x, counts)
        else:
            counts.answers += 1
            if x.ended - x.started > self.slow_answer:
                counts.slow_answers += 1
                self._sample("slow_answers", x)
        if x.outcome is not COMPLETED:
            self._add_trouble(x, counts)

    def total(self, name: str, seconds: float, now: float) -> int:
        """The sum of one count over the last `seconds`, and up to a slot more: none is missed."""
        oldest = int((now - seconds) / SLOT)
        return sum(getattr(c, name) for number, c in self._slots.items() if number >= oldest)

    def samples(self, what: str) -> tuple[str, ...]:
        """Up to three request IDs, newest first; `what` is a rule, `route R` or `upstream U`."""
        return tuple(reversed(self._samples.get(what, ())))

    def _begin(self, number: int) -> Counts:
        if len(self._slots) >= SLOTS:
            for old in [n for n in self._slots if n <= number - SLOTS]:
                del self._slots[old]
        return self._slots.setdefault(number, Counts())

    def _add_stream(self, x: Exchange, counts: Counts) -> None:
        counts.streams += 1
        if x.first_event is not None and x.first_event > self.slow_first_event:
            counts.slow_first_events += 1
            self._sample("slow_first_events", x)
        if x.outcome is STREAM_STALLED:
            counts.stalls += 1
            self._sample("stalls", x)

    def _add_trouble(self, x: Exchange, counts: Counts) -> None:
        if x.status in (401, 403):
            counts.unauthorised += 1
            self._sample("unauthorised", x)
        name = LEVELS.get(level_of(x.outcome or INTERNAL_ERROR, x.upstream_status))
        if name is not None:
            setattr(counts, name, getattr(counts, name) + 1)
            for what in (name, f"route {x.route}", f"upstream {x.upstream}"):
                self._sample(what, x)

    def _sample(self, what: str, x: Exchange) -> None:
        kept = self._samples.get(what)
        if kept is None:
            kept = self._samples[what] = deque(maxlen=SAMPLES)
        kept.append(x.request_id)
