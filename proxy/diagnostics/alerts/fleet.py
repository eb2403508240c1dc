"""Errors that other instances counted, so that one of all can judge and tell of them.

Every instance counts along and keeps its own book; only the leader tells, and what was delivered is
kept where all see it. It is looked at after each finding and before anything is told of that: so
whoever leads next tells what differs from it, and nothing twice.
"""

from collections import deque
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final

from proxy.diagnostics.alerts.counts import LEVELS, SAMPLES, SLOT, SLOTS
from proxy.outcome import Level

TAKEOVER: Final = 20.0
"""Seconds within which an instance hears of the errors that another one has told of."""

MOST_TOLD: Final = 100
"""Of what waits to be written, and of what waits to be told."""

AlertKey = tuple[str, str]
"""Rule and subject of an alert."""


@dataclass(frozen=True, slots=True)
class FleetNews:
    """Errors of another instance that are new."""

    instance: str
    severity: Level
    count: int
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ToldAlert:
    """What was delivered last about an alert, by whichever instance."""

    what: str
    """raised or cleared."""
    alert_id: str
    at: float = 0.0
    """On the `now` clock of who reads it."""


class ToldLedger:
    """What was delivered about alerts of all, between the event loop and a thread that writes."""

    def __init__(self) -> None:
        self._new: deque[tuple[AlertKey, ToldAlert]] = deque(maxlen=MOST_TOLD)
        self.seen: Mapping[AlertKey, ToldAlert] = {}
        """What the instances have written; assigned whole."""
        self.seen_at = -inf
        """When that was asked for, on the `now` clock; assigned after it."""
        self.is_asked = False
        """Whether somebody wants to see what there is now."""

    def mark(self, key: AlertKey, told: ToldAlert) -> None:
        """Have it written."""
        self._new.append((key, told))

    def take(self) -> dict[AlertKey, ToldAlert]:
        """What is to be written: of each alert the last."""
        taken: dict[AlertKey, ToldAlert] = {}
        while self._new:
            key, told = self._new.popleft()
            taken[key] = told
        return taken

    def give_back(self, taken: dict[AlertKey, ToldAlert]) -> None:
        """It could not be written; what came since is newer."""
        self._new.extendleft(reversed(taken.items()))


@dataclass(frozen=True, slots=True)
class Fleet:
    """How an instance stands among the others."""

    instance: str
    leads: bool
    news: deque[FleetNews]
    """What is taken from it is gone."""
    told_at: float
    """When `told` was asked for, on the `now` clock: what was written before then is in it."""
    told: Mapping[AlertKey, ToldAlert]
    look: Callable[[], None]
    """Has `told` read again, soon."""
    mark: Callable[[AlertKey, ToldAlert], None]
    """Has the others know what was delivered."""

    def has_just_told(self, key: AlertKey, at: float, own: Container[str]) -> bool:
        """Whether another one has told that it was raised, which is found here at `at`.

        `own` are the IDs of alerts that were raised here.
        """
        last = self.told.get(key)
        if last is None or last.what != "raised" or last.alert_id in own:
            return False
        return last.at >= at - TAKEOVER


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

    @property
    def has_heard(self) -> bool:
        """Whether others had errors: they count as long as they are recent, seen or not."""
        return bool(self._slots)

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
    """What this instance found about alerts while somebody else led, or nobody."""

    _noted: dict[AlertKey, tuple[str, float]] = field(default_factory=dict)

    def note(self, what: str, key: AlertKey, now: float) -> None:
        """Keep what was found last."""
        if what in ("raised", "cleared"):
            self._noted[key] = what, now

    def due(self, told: Mapping[AlertKey, ToldAlert], live: float) -> dict[AlertKey, str]:
        """What a leader who takes over now must tell; all is done with then.

        `live` is for how many seconds something that was told counts.
        """
        noted, self._noted = self._noted, {}
        return {
            key: what
            for key, (what, at) in noted.items()
            if _is_due(what, at, told.get(key), at - live)
        }


def _is_due(what: str, at: float, last: ToldAlert | None, since: float) -> bool:
    if last is None or last.at < since:
        return what == "raised"
    return last.what != what and last.at < at
