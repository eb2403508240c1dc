"""Errors grouped by fingerprint, in memory and bounded; what the store saves is a copy.

An error is an exchange whose event is a WARNING or worse: something broke or was refused.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

from proxy.clock import iso
from proxy.diagnostics.errors.fingerprint import ErrorKind, kind_of
from proxy.exchange import Exchange
from proxy.outcome import INTERNAL_ERROR, OUTCOMES, Level, level_of

HOUR: Final = 3600
HOURS: Final = 48
"""How many hours a group's counts go back."""
SAMPLES: Final = 5
MOST: Final = 500
"""Groups kept; the one not seen for longest goes first."""


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

    def since(self, hour: int) -> int:
        """How many there were from this hour on."""
        return sum(n for at, n in self.hours.items() if at >= hour)


class Groups:
    """All groups of this process."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._groups: dict[str, Group] = {}
        self._fingerprints: dict[ErrorKind, str] = {}
        self._unsaved: set[str] = set()

    def add(self, x: Exchange) -> Group | None:
        """Count an exchange that has ended; None where it was no error."""
        level = level_of(x.outcome or INTERNAL_ERROR, x.upstream_status)
        if level == "info":
            return None
        ended = x.started_wall + x.duration
        group = self._group_of(x, level, ended)
        group.total += 1
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


def copied(group: Group) -> Group:
    """As it is now, for another thread."""
    return replace(group, hours=dict(group.hours), samples=group.samples.copy())


def merged(old: Group, new: Group) -> Group:
    """One group out of what was counted before a restart and after it."""
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
    )


def group_json(group: Group, now: float, *, with_trace: bool = False) -> dict[str, object]:
    """A group as it is shown; `now` is wall time."""
    kind = group.kind
    outcome = OUTCOMES.get(kind.code)
    shown: dict[str, object] = {
        "fingerprint": kind.fingerprint,
        "code": kind.code,
        "route": kind.route,
        "upstream": kind.upstream,
        "endpoint": kind.endpoint,
        "detail_class": kind.detail_class,
        "severity": group.severity,
        "category": group.category,
        "message": outcome.message if outcome else "",
        "first_seen": iso(group.first_seen),
        "last_seen": iso(group.last_seen),
        "total": group.total,
        "last_24h": group.since(_day_ago(now)),
        "per_hour": [{"hour": _hour(h), "count": n} for h, n in sorted(group.hours.items())],
        "samples": list(reversed(group.samples)),
    }
    if with_trace and group.trace:
        shown["trace"] = group.trace
    return shown


@lru_cache(maxsize=2 * HOURS)
def _hour(number: int) -> str:
    """When it began; all groups share theirs."""
    return iso(number * HOUR)


def summary(groups: Iterable[Group], now: float) -> dict[str, object]:
    """The last 24 hours: by severity, by code, hour by hour, and what was critical."""
    since = _day_ago(now)
    by_severity = {"warning": 0, "error": 0, "critical": 0}
    by_code: dict[str, int] = {}
    hours = {hour: dict.fromkeys(by_severity, 0) for hour in range(since, since + 24)}
    critical: list[Group] = []
    for group in groups:
        recent = {hour: n for hour, n in group.hours.items() if hour in hours}
        if not recent:
            continue
        n = sum(recent.values())
        by_severity[group.severity] += n
        by_code[group.kind.code] = by_code.get(group.kind.code, 0) + n
        for hour, count in recent.items():
            hours[hour][group.severity] += count
        if group.severity == "critical":
            critical.append(group)
    broken = by_severity["error"] + by_severity["critical"]
    newest = sorted(critical, key=_last_seen, reverse=True)[:10]
    return {
        "last_24h": by_severity,
        "by_code": dict(sorted(by_code.items(), key=lambda item: -item[1])),
        "rate_per_hour": round(broken / 24, 2),
        "per_hour": [{"hour": iso(hour * HOUR), **counts} for hour, counts in hours.items()],
        "critical_recent": [group_json(group, now) for group in newest],
    }


def _day_ago(now: float) -> int:
    """The first of the 24 hours that end with the present one."""
    return int(now // HOUR) - 23


def _last_seen(group: Group) -> float:
    return group.last_seen
