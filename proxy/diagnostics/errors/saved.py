"""Groups of errors as plain values, as the store keeps them, and back."""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict

import orjson

from proxy.diagnostics.errors.fingerprint import ErrorKind
from proxy.diagnostics.errors.groups import SAMPLES, Group


def as_plain(group: Group) -> dict[str, object]:
    """JSON-able; the hours become text."""
    return {
        **asdict(group.kind),
        "severity": group.severity,
        "category": group.category,
        "first_seen": group.first_seen,
        "last_seen": group.last_seen,
        "total": group.total,
        "hours": {str(hour): n for hour, n in group.hours.items()},
        "samples": list(group.samples),
        "trace": group.trace,
        "state": group.state,
        "returned": group.returned,
    }


def from_json(body: str) -> Group | None:
    """None for what somebody else has written: one row costs no other."""
    try:
        return from_plain(orjson.loads(body))
    except (TypeError, ValueError):
        return None


def from_plain(saved: Mapping[str, object]) -> Group | None:
    """None for what no version of ours could have saved."""
    match saved:
        case {
            "code": str(code),
            "route": str(route),
            "upstream": str(upstream),
            "endpoint": str(endpoint),
            "detail_class": str(detail),
            "severity": ("info" | "warning" | "error" | "critical") as severity,
            "category": str(category),
            "first_seen": float(first),
            "last_seen": float(last),
            "total": int(total),
            "hours": dict(hours),
            "samples": list(samples),
            "trace": str() | None as trace,
        }:
            state = saved.get("state", "")
            return Group(
                ErrorKind(code, route, upstream, endpoint, detail),
                severity,
                category,
                first,
                last,
                total,
                {int(hour): n for hour, n in hours.items() if isinstance(n, int)},
                deque((one for one in samples if isinstance(one, str)), maxlen=SAMPLES),
                trace,
                "muted" if state == "muted" else "resolved" if state == "resolved" else "",
                saved.get("returned") is True,
            )
    return None
