"""What a comparison makes likely, and what to look at next, by the table of patterns.

A pattern among others is an inference only where the cause is not known already: what refuses by a
limit or a circuit has its culprits, and what a request is refused for stands in the request itself,
so that of those only who sends such requests is told.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from proxy import outcome as o
from proxy.diagnostics.neighbours.compare import LEAST
from proxy.diagnostics.neighbours.contrast import Contrast
from proxy.diagnostics.neighbours.idle import Idled
from proxy.diagnostics.neighbours.patterns import (
    ASKER,
    CLIENT_LIMIT,
    CLIENT_WAITED,
    EITHER,
    EVERYBODY,
    IDLE,
    MISSING,
    PATTERNS,
    SINCE,
    Pattern,
    pattern_of,
)
from proxy.diagnostics.neighbours.rows import FIELDS, ComparedRow
from proxy.diagnostics.neighbours.window import RouteWindow, Value
from proxy.diagnostics.stories.words import lasting

CAUSE_KNOWN: Final = frozenset(
    each.code
    for each in (
        o.CIRCUIT_OPEN, o.DRAINING, o.DRAIN_CUT, o.UPSTREAM_COOLING_DOWN, o.NO_HEALTHY_UPSTREAM,
        o.OVERLOAD_SHED, o.POOL_TIMEOUT, o.CONCURRENCY_LIMITED, o.CLIENT_CONCURRENCY_LIMITED,
        o.QUEUE_TIMEOUT, o.RATE_LIMITED, o.PROXY_LOOP, o.STALE_CONNECTION, o.INTERNAL_ERROR,
    )
)  # fmt: skip
"""Kinds of which the record says the cause: others that ended so say nothing more of it."""

BY_REQUEST: Final = frozenset(
    each.code
    for each in (
        o.BAD_REQUEST, o.HEADERS_TOO_LARGE, o.URI_TOO_LONG, o.BODY_TOO_LARGE, o.MESSAGE_TOO_LONG,
        o.MESSAGE_EMPTY, o.REQUEST_TIMEOUT, o.NOT_IMPLEMENTED, o.HTTP_VERSION_NOT_SUPPORTED,
        o.ROUTE_NOT_FOUND, o.METHOD_NOT_ALLOWED, o.PREFLIGHT_REFUSED, o.HTTPS_REQUIRED,
        o.MEDIA_TYPE_NOT_SUPPORTED, o.UPGRADE_NOT_ALLOWED,
    )
)  # fmt: skip
"""Kinds for which the request itself is refused, before anybody is asked."""

_NOT_WHO: Final = (
    "path", "item", "endpoint", "connection", "method", "size", "stream"
)  # fmt: skip
"""Fields that say what was asked for, not who asked and under which settings."""
_NEARLY_ALL: Final = 0.9
_ALIKE: Final = 0.1
"""Share by which the times may differ after which a client leaves by a limit of its own."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found of the newest row of `window`."""

    window: RouteWindow
    row: ComparedRow
    kind: str
    found: Sequence[Contrast]
    exits: dict[str, object] | None
    """How often its client has left, and after how long."""
    idled: Idled | None


def inferred(of: Findings, dated: Callable[[float], str]) -> dict[str, object]:
    """`likely` and `check`; nothing where the comparison is silent."""
    window, kind = of.window, of.kind
    facts = {"since": dated(window.first_of(kind)[0])[11:19], "after": lasting(of.row.lasted)}
    pattern, more = _pattern(of)
    if pattern is None:
        return {}
    facts |= more
    told = {"likely": pattern.likely.format(**facts), "check": pattern.check.format(**facts)}
    return {key: words for key, words in told.items() if words}


def _pattern(of: Findings) -> tuple[Pattern | None, dict[str, str]]:
    window, kind = of.window, of.kind
    if of.idled is not None and of.idled.separates:
        return PATTERNS[IDLE], {"ill": of.idled.least_ill, "well": of.idled.most_well}
    if kind in CAUSE_KNOWN:
        return None, {}
    best = of.found[0] if of.found and of.found[0].is_this else None
    if kind in BY_REQUEST:
        return _asker(of)
    if of.exits and _has_limit(of.exits):
        waited = best is not None and best.separates and best.values[0][0] in ("path", "item")
        return PATTERNS[CLIENT_WAITED if waited else CLIENT_LIMIT], _best(of, best)
    if _is_everybody_since(window, kind) and not (best and _is_one(best)):
        return PATTERNS[SINCE], {}
    if best:
        same = _same(of.found, best)
        return pattern_of(best) if len(same) == 1 else PATTERNS[EITHER], _best(of, best)
    if _is_everybody(window, kind):
        return PATTERNS[EVERYBODY], {}
    return None, {}


def _asker(of: Findings) -> tuple[Pattern | None, dict[str, str]]:
    """Who sends requests that are refused so, or under which settings they are."""
    who = [e for e in of.found if e.is_this and all(_is_who(*each) for each in e.values)]
    if who and who[0].values[0][0] == "settings":
        return pattern_of(who[0]), {"value": _named(who[:1])}
    named = {"value": _named(_same(who, who[0]), with_fields=True)} if who else {}
    return (PATTERNS[ASKER] if who else None), named


def _is_who(name: str, value: Value) -> bool:
    """Whether it says who asked; that a request says nothing of it says nothing."""
    return name not in _NOT_WHO and value is not None


def _best(of: Findings, best: Contrast | None) -> dict[str, str]:
    if best is None:
        return {}
    return {"field": best.values[0][0], "value": _named(_same(of.found, best))}


def _same(found: Sequence[Contrast], best: Contrast) -> list[Contrast]:
    """Those that the same requests have."""
    return [each for each in found if (each.alike, each.all) == (best.alike, best.all)]


def _has_limit(exits: dict[str, object]) -> bool:
    after = exits["after_ms"]
    if not isinstance(after, list) or len(after) < LEAST:
        return False
    return bool(max(after) - min(after) <= _ALIKE * max(after))


def _is_everybody(window: RouteWindow, kind: str) -> bool:
    """Whether nearly all ended so, and more than one has asked."""
    if window.kinds[kind] < max(LEAST, _NEARLY_ALL * len(window.rows)):
        return False
    who = [n for n, name in enumerate(window.fields) if name in ("client", "agent")]
    who += [n for n, name in enumerate(window.fields) if name not in (*FIELDS, "item")]
    return any(len(window.alike[kind][place]) > 1 for place in who)


def _is_everybody_since(window: RouteWindow, kind: str) -> bool:
    """Whether nearly all since the first of them ended so, and there are good ones before."""
    _, before = window.first_of(kind)
    since = len(window.rows) - before
    return before >= LEAST and window.kinds[kind] >= max(LEAST, _NEARLY_ALL * since)


def _is_one(found: Contrast) -> bool:
    """Whether it is the only value of all that ended so; a connection is new because the one
    before it failed, so that says nothing."""
    return not found.rest_alike and found.values[0][0] != "connection"


def _named(found: Sequence[Contrast], *, with_fields: bool = False) -> str:
    """The value alone where there is one, else each with its field."""
    if len(found) == len(found[0].values) == 1 and not with_fields:
        return found[0].values[0][1] or MISSING
    return " or ".join(
        " and ".join(f"{name} {value or MISSING}" for name, value in each.values) for each in found
    )
