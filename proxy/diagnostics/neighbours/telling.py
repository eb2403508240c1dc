"""What a comparison found, as JSON and in sentences."""

from collections.abc import Callable
from typing import Final

from proxy.diagnostics.neighbours.compare import LEAST, find, nearest_good
from proxy.diagnostics.neighbours.contrast import Contrast
from proxy.diagnostics.neighbours.patterns import (
    CLIENT_LIMIT,
    EITHER,
    EVERYBODY,
    MISSING,
    PATTERNS,
    SINCE,
    pattern_of,
)
from proxy.diagnostics.neighbours.rows import FIELDS, LEFT, ComparedRow
from proxy.diagnostics.neighbours.window import SLOW, RouteWindow, Value
from proxy.diagnostics.stories.words import count, lasting

Told = dict[str, object]
Dated = Callable[[float], str]
"""Makes a date of a point on the clock that never jumps."""

_NEARLY_ALL: Final = 0.9
_ALIKE: Final = 0.1
"""Share by which the times may differ after which a client leaves by a limit of its own."""
_SUBJECTS: Final = {
    "path": "{value}",
    "item": "{value}",
    "connection": "{value} connections",
    "client": "the client {value}",
    "agent": "the agent {value}",
    "size": "requests with {value}",
    "settings": "under the settings {value}",
}
_REFUSED_BY_US: Final = ("circuit_open", "draining", "drain_cut", "upstream_cooling_down")
"""Kinds whose cause is known: others that ended so say nothing more of it."""


def tell(
    window: RouteWindow, row: ComparedRow, dated: Dated, *, at_least: bool, in_pairs: bool = True
) -> Told | None:
    """Of the newest row of its window; None for one that was neither bad nor slow."""
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
    if elsewhere := _elsewhere(window, kind):
        told["words"] += [elsewhere]  # type: ignore[operator]
    return {**told, **_inferred(window, row, kind, found, dated, exits)}


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
        others = [had for had in window.totals[window.fields.index(name)] if had != value]
        if len(others) == 1 and name != "path":
            return f"{others[0] or MISSING}:"
    return f"all else on the route{':' if window.route else ''}"


def _at_least(is_cut: bool) -> str:
    return "at least " if is_cut else ""


def _elsewhere(window: RouteWindow, kind: str) -> str:
    """How the upstream's other routes did."""
    total = sum(window.others.values())
    alike = sum(n for (_, had), n in window.others.items() if had == kind)
    if alike < LEAST:
        return ""
    routes = sorted({route or MISSING for route, _ in window.others})
    named = f"the route {routes[0]}" if len(routes) == 1 else f"{len(routes)} other routes"
    return f"{named} of the same upstream: {alike} of {total} {verb(kind)}"


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


def _has_limit(exits: Told | None) -> bool:
    after = exits["after_ms"] if exits else []
    if not isinstance(after, list) or len(after) < LEAST:
        return False
    return bool(max(after) - min(after) <= _ALIKE * max(after))


def _inferred(
    window: RouteWindow,
    row: ComparedRow,
    kind: str,
    found: list[Contrast],
    dated: Dated,
    exits: Told | None,
) -> Told:
    """What the comparison makes likely, and what to look at next; nothing where it is silent."""
    if kind in _REFUSED_BY_US:
        return {}
    facts = {"since": dated(window.first_of(kind)[0])[11:19], "after": lasting(row.lasted)}
    best = found[0] if found and found[0].is_this else None
    if exits and _has_limit(exits):
        pattern = PATTERNS[CLIENT_LIMIT]
    elif _is_everybody_since(window, kind) and not (best and _is_one(best)):
        pattern = PATTERNS[SINCE]
    elif best:
        same = [each for each in found if (each.alike, each.all) == (best.alike, best.all)]
        pattern = pattern_of(best) if len(same) == 1 else PATTERNS[EITHER]
        facts |= {"field": best.values[0][0], "value": _named(same)}
    elif window.kinds[kind] >= max(LEAST, _NEARLY_ALL * len(window.rows)):
        pattern = PATTERNS[EVERYBODY]
    else:
        return {}
    return {"likely": pattern.likely.format(**facts), "check": pattern.check.format(**facts)}


def _is_everybody_since(window: RouteWindow, kind: str) -> bool:
    """Whether nearly all since the first of them ended so, and there are good ones before."""
    _, before = window.first_of(kind)
    since = len(window.rows) - before
    return before >= LEAST and window.kinds[kind] >= max(LEAST, _NEARLY_ALL * since)


def _is_one(found: Contrast) -> bool:
    """Whether it is the only value of all that ended so; a connection is new because the one
    before it failed, so that says nothing."""
    return not found.rest_alike and found.values[0][0] != "connection"


def _named(found: list[Contrast]) -> str:
    """The value alone where there is one, else each with its field."""
    if len(found) == len(found[0].values) == 1:
        return found[0].values[0][1] or MISSING
    return " or ".join(
        " and ".join(f"{name} {value or MISSING}" for name, value in each.values) for each in found
    )
