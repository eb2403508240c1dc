"""Groups of errors as they are shown: each, all of them, and a day in figures."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from proxy.clock import iso
from proxy.diagnostics.errors.groups import HOUR, HOURS, Group
from proxy.outcome import OUTCOMES


def errors_json(groups: Sequence[Group], now: float) -> dict[str, object]:
    """All groups, and the summary of a day; `now` is wall time."""
    return {"groups": [group_json(group, now) for group in groups], "summary": summary(groups, now)}


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
        "state": group.state or "active",
        "returned": group.returned,
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
        if not recent or group.severity == "info":
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
