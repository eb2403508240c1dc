"""Errors grouped by fingerprint, in memory and bounded; what the store saves is a copy.

An error is an exchange whose event is a WARNING or worse: something broke or was refused.
A 4xx that repeats is one too, of severity INFO: a group of clients who ask for what there is not.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from proxy.diagnostics.errors.fingerprint import ErrorKind, kind_of
from proxy.exchange import Exchange
from proxy.outcome import INTERNAL_ERROR, Level, level_of

HOUR: Final = 3600
HOURS: Final = 48
"""How many hours a group's counts go back."""
SAMPLES: Final = 5
MOST: Final = 500
"""Groups kept; the one not seen for longest goes first."""

GroupState = Literal["", "muted", "resolved"]
GroupOrder = Literal["mute", "unmute", "resolve"]
_STATES: Final[dict[GroupOrder, GroupState]] = {
    "mute": "muted",
    "unmute": "",
    "resolve": "resolved",
}


@dataclass(slots=True)
class Group:
    """All errors of one kind; times are wall seconds."""

    kind: ErrorKind
    severity: Level
    category: str
    first_seen: float
    last_seen: float
    total: int = 0
    hours: dict[int, int] = field(default_factory=dict)
    """Counts by the number of the hour since 1970."""
    samples: deque[str] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    """Request IDs, newest last."""
    trace: str | None = None
    """The stack trace of a fault of our own; kept here, never sent."""
    state: GroupState = ""
    """`muted`: shown apart; `resolved`: over, until one more comes."""
    returned: bool = False
    """Whether it came again after it had been resolved."""

    def since(self, hour: int) -> int:
        """How many there were from this hour on."""
        return sum(n for at, n in self.hours.items() if at >= hour)


REPEATS: Final = 3
"""Times that a 4xx comes before it is a group."""
MOST_SINGLE: Final = 1000
"""Kinds of 4xx that are counted without being groups yet."""


class Groups:
    """All groups of this process."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._groups: dict[str, Group] = {}
        self._fingerprints: dict[ErrorKind, str] = {}
        self._unsaved: set[str] = set()
        self._single: Counter[ErrorKind] = Counter()
        """4xx that are no groups yet."""

    def add(self, x: Exchange) -> Group | None:
        """Count an exchange that has ended; None where it was no error."""
        level = level_of(x.outcome or INTERNAL_ERROR, x.upstream_status)
        if level == "info" and not (_is_4xx(x) and self._repeats(kind_of(x))):
            return None
        ended = x.started_wall + x.duration
        group = self._group_of(x, level, ended)
        group.total += 1
        if group.state == "resolved":
            group.state, group.returned = "", True
        group.last_seen = max(group.last_seen, ended)
        hour = int(ended // HOUR)
        group.hours[hour] = group.hours.get(hour, 0) + 1
        if len(group.hours) > HOURS:
            del group.hours[min(group.hours)]
        group.samples.append(x.request_id)
        if x.fault is not None:
            group.trace = x.fault.trace
        return group

    def restore(self, groups: Iterable[Group]) -> None:
        """Take up what the store remembers from before; counts are added up."""
        for old in groups:
            fingerprint = old.kind.fingerprint
            new = self._groups.get(fingerprint)
            self._groups[fingerprint] = merged(old, new) if new else old
            self._fingerprints[old.kind] = fingerprint
        self._make_room()

    def unsaved(self) -> list[Group]:
        """Groups that changed since they were last asked for."""
        changed, self._unsaved = self._unsaved, set()
        return [self._groups[name] for name in changed if name in self._groups]

    def save_all_again(self) -> None:
        """The store has begun anew."""
        self._unsaved = set(self._groups)

    def order(self, fingerprint: str, order: GroupOrder) -> bool:
        """Mute a group, or say that it is over; False: there is none."""
        group = self._groups.get(fingerprint)
        if group is None:
            return False
        group.state, group.returned = _STATES[order], False
        self._unsaved.add(fingerprint)
        return True

    def _repeats(self, kind: ErrorKind) -> bool:
        """Whether this kind has come often enough to be a group, this time included."""
        if kind in self._fingerprints:
            return True
        if len(self._single) >= MOST_SINGLE:
            self._single.clear()
        self._single[kind] += 1
        if self._single[kind] < REPEATS:
            return False
        del self._single[kind]
        return True

    def get(self, fingerprint: str) -> Group | None:
        return self._groups.get(fingerprint)

    def newest_first(self) -> list[Group]:
        return sorted(self._groups.values(), key=lambda group: group.last_seen, reverse=True)

    def _group_of(self, x: Exchange, level: Level, at: float) -> Group:
        kind = kind_of(x)
        fingerprint = self._fingerprints.get(kind)
        if fingerprint is None:
            fingerprint = self._fingerprints[kind] = kind.fingerprint
        self._unsaved.add(fingerprint)
        group = self._groups.get(fingerprint)
        if group is None:
            category = (x.outcome or INTERNAL_ERROR).category
            group = self._groups[fingerprint] = Group(kind, level, category, at, at)
            self._make_room()
        return group

    def _make_room(self) -> None:
        while len(self._groups) > self._most:
            oldest = min(self._groups, key=lambda name: self._groups[name].last_seen)
            del self._fingerprints[self._groups.pop(oldest).kind]
            self._unsaved.discard(oldest)


def _is_4xx(x: Exchange) -> bool:
    """Whether it was answered so; 499 says that the client left."""
    return x.status is not None and 400 <= x.status < 499


def copied(group: Group) -> Group:
    """As it is now, for another thread."""
    return replace(group, hours=dict(group.hours), samples=group.samples.copy())


def merged(old: Group, new: Group) -> Group:
    """One group out of two: what was counted before a restart and after it, or by two instances,
    `new` being the one seen later. What was ordered of either holds until it comes again."""
    has_returned = old.state == "resolved" or old.returned or new.returned
    hours = {
        hour: old.hours.get(hour, 0) + new.hours.get(hour, 0) for hour in old.hours | new.hours
    }
    return Group(
        new.kind,
        new.severity,
        new.category,
        min(old.first_seen, new.first_seen),
        max(old.last_seen, new.last_seen),
        old.total + new.total,
        dict(sorted(hours.items())[-HOURS:]),
        deque([*old.samples, *new.samples], maxlen=SAMPLES),
        new.trace or old.trace,
        new.state or ("" if old.state == "resolved" else old.state),
        has_returned and not new.state,
    )
