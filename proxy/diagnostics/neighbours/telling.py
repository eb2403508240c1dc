"""What a comparison found, as JSON and in sentences."""

from collections.abc import Callable, Iterable
from typing import Final

from proxy.diagnostics.neighbours.compare import LEAST, REACHED, find, nearest_good
from proxy.diagnostics.neighbours.contrast import Contrast
from proxy.diagnostics.neighbours.idle import idled_of
from proxy.diagnostics.neighbours.likely import Findings, inferred
from proxy.diagnostics.neighbours.patterns import MISSING
from proxy.diagnostics.neighbours.rows import FIELDS, LEFT, ComparedRow
from proxy.diagnostics.neighbours.window import SLOW, OtherRoutes, RouteWindow, Value
from proxy.diagnostics.stories.words import count, lasting
from proxy.outcome import UPSTREAM_RESET, UPSTREAM_WRITE_FAILED

Told = dict[str, object]
Dated = Callable[[float], str]
"""Makes a date of a point on the clock that never jumps."""

_SINGLE: Final = (
    "so many ended badly in this second that fields were compared one by one, not in pairs"
)
_SUBJECTS: Final = {
    "path": "{value}",
    "item": "{value}",
    "connection": "{value} connections",
    "client": "the client {value}",
    "agent": "the agent {value}",
    "size": "requests with {value}",
    "settings": "under the settings {value}",
}


def tell(
    window: RouteWindow,
    row: ComparedRow,
    dated: Dated,
    *,
    at_least: bool,
    in_pairs: bool = True,
    rows: Iterable[ComparedRow] = (),
) -> Told | None:
    """Of the newest row of its window; None for one that was neither bad nor slow.

    `rows` are those of all routes in that time.
    """
    kind = window.rows[-1][1] if window.rows else ""
    if not kind:
        return None
    alike, total = window.kinds[kind], len(window.rows)
    found = find(window, kind, in_pairs=in_pairs)
    first, _ = window.first_of(kind)
    told: Told = {
        "kind": kind, "alike": alike, "all": total, "at_least": at_least,
        "since": dated(window.rows[0][0].ended), "until": dated(row.ended),
        "first_at": dated(first), "findings": [_finding(window, kind, f, at_least) for f in found],
    }  # fmt: skip
    if nearest := nearest_good(window):
        told["nearest_good"] = nearest
    if row.is_cut:
        told["cut"] = True
    if kind == SLOW:
        told["slow_above_ms"] = round((window.slowness.of(streamed=row.streamed) or 0) * 1000, 3)
    told["words"] = [_summary(window, row, kind, dated, at_least)]
    told["words"] += [str(each["words"]) for each in told["findings"]]  # type: ignore[attr-defined, operator]
    if exits := _exits(window, row, kind):
        told["exits"] = exits
        told["words"] += [exits["words"]]  # type: ignore[operator]
    if not in_pairs and alike >= LEAST and not (found and found[0].separates):
        told["words"] += [_SINGLE]  # type: ignore[operator]
    idled = idled_of(window, kind)
    if idled is not None and idled.is_enough:
        told["words"] += [idled.words]  # type: ignore[operator]
    if elsewhere := _elsewhere(window.elsewhere(rows, row.upstream, kind), kind):
        told["words"] += [elsewhere]  # type: ignore[operator]
    return {**told, **inferred(Findings(window, row, kind, found, exits, idled), dated)}


def _summary(window: RouteWindow, row: ComparedRow, kind: str, dated: Dated, at_least: bool) -> str:
    alike, total = window.kinds[kind], len(window.rows)
    route = f"on the route {row.route}" if row.route else "without a route"
    said = (
        f"{_at_least(at_least)}{alike} of {total} {route} {verb(kind)} in the minute up to its end"
    )
    if alike < LEAST:
        return f"{said}: too few to compare"
    if total == alike:
        return f"{said}: there is no other to compare with"
    first, _ = window.first_of(kind)
    return f"{said}; the first at {dated(first)[11:19]}, {lasting(row.ended - first)} before"


def _finding(window: RouteWindow, kind: str, found: Contrast, at_least: bool) -> Told:
    return {
        "fields": dict(found.values),
        "alike": found.alike,
        "all": found.all,
        "rest_alike": found.rest_alike,
        "rest_all": found.rest_all,
        "difference": round(found.difference, 3),
        "is_this": found.is_this,
        "bad": list(found.bad),
        "good": list(found.good),
        "words": sentence(window, kind, found, at_least=at_least),
    }


def sentence(window: RouteWindow, kind: str, found: Contrast, *, at_least: bool) -> str:
    """`endpoint http://b: 5 of 9 ended as head_timeout; http://a: 0 of 11`."""
    subject = " with ".join(_subject(name, value, found) for name, value in found.values)
    at = ""
    if found.endpoints > 1 and "endpoint" not in dict(found.values):
        at = ", at both endpoints" if found.endpoints == 2 else f", at {found.endpoints} endpoints"
    rest = _rest(window, found)
    more = _at_least(at_least)
    this = "" if found.is_this else " (not this one's)"
    return (
        f"{subject}{this}: {more}{found.alike} of {found.all} {verb(kind)}{at}; "
        f"{rest} {more}{found.rest_alike} of {found.rest_all}"
    )


def verb(kind: str) -> str:
    """What those of a kind did."""
    if kind == SLOW:
        return "were as slow"
    if kind in LEFT:
        return "were left by the client"
    if kind == UPSTREAM_RESET.code:
        return f"ended as {kind} or {UPSTREAM_WRITE_FAILED.code}"
    code, _, status = kind.partition(" ")
    return f"answered {status}" if status else f"ended as {code}"


def _subject(name: str, value: Value, found: Contrast) -> str:
    shown = value or MISSING
    if name == "path" and found.method:
        return f"{found.method} {shown}"
    if name == "agent" and value is None:
        return "no agent"
    return _SUBJECTS.get(name, "{name} {value}").format(name=name, value=shown)


def _rest(window: RouteWindow, found: Contrast) -> str:
    """The other value, where there is one; else all else."""
    if len(found.values) == 1:
        name, value = found.values[0]
        had = window.totals[window.fields.index(name)]
        others = [h for h in had if h != value and not (h is None and name in REACHED)]
        if len(others) == 1 and name != "path":
            return f"{others[0] or MISSING}:"
    return f"all else on the route{':' if window.route else ''}"


def _at_least(is_cut: bool) -> str:
    return "at least " if is_cut else ""


def _elsewhere(others: OtherRoutes, kind: str) -> str:
    """How the upstream's other routes did."""
    if others.alike < LEAST:
        return ""
    name, *more = others.names
    named = f"{len(others.names)} other routes" if more else f"the route {name or MISSING}"
    return f"{named} of the same upstream: {others.alike} of {others.total} {verb(kind)}"


def identity_of(window: RouteWindow, values: tuple[Value, ...]) -> tuple[str, Value]:
    """Who asked: the first of the team's own fields that has a value, else the address."""
    had = dict(zip(window.fields, values, strict=True))
    ours = (*FIELDS, "item", "instance")
    own = (name for name in window.fields if name not in ours and had[name])
    name = next(own, "client")
    return name, had[name]


def _exits(window: RouteWindow, row: ComparedRow, kind: str) -> Told | None:
    """How often this client has left, and after how long; None where it did not leave."""
    if kind not in LEFT:
        return None
    name, value = identity_of(window, window.rows[-1][2])
    place = window.fields.index(name)
    if window.totals[place][value] < 2:
        return None
    own = [(each, had) for each, had, values in window.rows if values[place] == value]
    after = [each.lasted for each, had in own if had in LEFT]
    how = f"{count(len(own), 'stream')}" if row.streamed else f"{count(len(own), 'request')}"
    words = f"this client ({name} {value}) left {len(after)} of its {how}, after {_spread(after)}"
    return {
        "field": name, "value": value, "left": len(after), "all": len(own),
        "after_ms": [round(each * 1000, 1) for each in after[-5:]], "words": words,
    }  # fmt: skip


def _spread(after: list[float]) -> str:
    least, most = min(after), max(after)
    return f"{least:.2f} s" if most - least < 0.005 else f"{least:.2f} to {most:.2f} s"
