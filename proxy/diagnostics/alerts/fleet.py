"""Errors that other instances counted, so that one of all can judge and tell of them.

Every instance counts along and keeps its own book; only the leader tells. So whoever leads next
knows what was told, and says again at most what was raised while nobody led.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from proxy.diagnostics.alerts.counts import LEVELS, SAMPLES, SLOT, SLOTS
from proxy.outcome import Level

TAKEOVER: Final = 20.0
"""Seconds within which a new leader tells of what was raised before it led."""


@dataclass(frozen=True, slots=True)
class FleetNews:
    """Errors of another instance that are new."""

    instance: str
    severity: Level
    count: int
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fleet:
    """How an instance stands among the others."""

    instance: str
    leads: bool
    news: deque[FleetNews]
    """What is taken from it is gone."""


FindFleet = Callable[[], Fleet | None]
"""None where an instance is alone, or cannot see the others: it judges and tells for itself."""


@dataclass(slots=True)
class OthersWindow:
    """Sliding counts of the others' errors, in slots as those of this instance are."""

    own_name: str = ""
    _slots: dict[int, dict[tuple[str, str], int]] = field(default_factory=dict)
    _samples: dict[str, deque[str]] = field(default_factory=dict)

    def take(self, fleet: Fleet, now: float) -> None:
        """Count what is new, as of now."""
        self.own_name = fleet.instance
        while fleet.news:
            one = fleet.news.popleft()
            rule = LEVELS.get(one.severity)
            if rule is not None:
                counts = self._slots.setdefault(int(now / SLOT), {})
                counts[rule, one.instance] = counts.get((rule, one.instance), 0) + one.count
                self._samples.setdefault(rule, deque(maxlen=SAMPLES)).extend(one.samples)
        for old in [number for number in self._slots if number <= int(now / SLOT) - SLOTS]:
            del self._slots[old]

    def by_instance(self, rule: str, seconds: float, now: float) -> dict[str, int]:
        """How many each of the others had over the last `seconds`."""
        oldest, found = int((now - seconds) / SLOT), dict[str, int]()
        for number, counts in self._slots.items():
            for (name, instance), count in counts.items():
                if name == rule and number >= oldest:
                    found[instance] = found.get(instance, 0) + count
        return found

    def samples(self, rule: str) -> Sequence[str]:
        """The latest Reference IDs, newest first."""
        return tuple(reversed(self._samples.get(rule, ())))


@dataclass(slots=True)
class Untold:
    """Alerts that were raised while somebody else led, or nobody."""

    _raised: dict[str, float] = field(default_factory=dict)

    def note(self, what: str, alert_id: str, now: float) -> None:
        """Keep what was raised, until it clears."""
        if what == "raised":
            self._raised[alert_id] = now
        elif what == "cleared":
            self._raised.pop(alert_id, None)

    def due(self, now: float) -> set[str]:
        """Those that a leader who has just taken over must tell of; all are done with then."""
        found = {one for one, at in self._raised.items() if now - at <= TAKEOVER}
        self._raised.clear()
        return found
