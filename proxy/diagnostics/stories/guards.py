"""Every guard and limit that an exchange met, with its decision, and why its route matched.

Nothing of it is recorded on the way: the guards are asked in a fixed order, and the outcome names
the one that refused.
"""

from collections.abc import Sequence
from typing import Final

from proxy.diagnostics.stories.words import either
from proxy.exchange import Exchange
from proxy.terms import Matching

GUARDS: Final[dict[str, tuple[str, ...]]] = {
    "listener": ("overload_shed",),
    "request": (
        "bad_request",
        "headers_too_large",
        "uri_too_long",
        "request_timeout",
        "not_implemented",
        "http_version_not_supported",
        "proxy_loop",
    ),
    "drain": ("draining",),
    "route": ("route_not_found", "method_not_allowed", "preflight_refused"),
    "route_limits": ("upgrade_not_allowed", "body_too_large"),
    "https": ("https_required",),
    "content_type": ("media_type_not_supported",),
    "rate_limit": ("rate_limited",),
    "message": ("message_empty", "message_too_long"),
    "concurrency": ("client_concurrency_limited", "concurrency_limited", "queue_timeout"),
    "breaker": ("circuit_open", "upstream_cooling_down"),
    "endpoints": ("no_healthy_upstream",),
    "pool": ("pool_timeout",),
}
"""Every guard in the order in which it is asked, with the codes by which it refuses."""

_OF_HEADS: Final = ("request", "route_limits")
"""Guards with a code that a body can end with as well, when the upstream was asked already."""

_LATE: Final = tuple(code for guard in ("breaker", "endpoints", "pool") for code in GUARDS[guard])


def guards_of(x: Exchange) -> list[dict[str, str]]:
    """Each guard with its decision: passed, refused, or not asked."""
    code = x.outcome.code if x.outcome else ""
    decisions: list[dict[str, str]] = []
    is_over = False
    for guard, codes in GUARDS.items():
        is_over = is_over or not _came_to(guard, x, code)
        refused = code in codes and not is_over and not (x.attempts and guard in _OF_HEADS)
        decision = "refused" if refused else "not_asked" if is_over else "passed"
        decisions.append({"guard": guard, "decision": decision})
        is_over = is_over or refused
    return decisions


def _came_to(guard: str, x: Exchange, code: str) -> bool:
    """Whether the exchange came as far as to this guard."""
    if guard == "route":
        return bool(x.route) or code in GUARDS["route"]
    if guard in ("breaker", "endpoints", "pool"):
        return bool(x.attempts) or code in _LATE
    return True


def route_of(x: Exchange) -> dict[str, object] | None:
    """The route and why it fits; None where none was found."""
    if not x.route:
        return None
    told: dict[str, object] = {"name": x.route, "upstream": x.upstream}
    if x.terms is not None:
        match = x.terms.match
        told["policy"] = x.terms.policy
        told["why"] = why(match)
        told["match"] = {
            "host": match.host,
            "path": match.path,
            "methods": list(match.methods),
            "headers": {name: list(values) for name, values in match.headers.items()},
            "query": {name: list(values) for name, values in match.query.items()},
        }
    return told


def why(match: Matching) -> str:
    """Why a request that took this route fits it."""
    reasons = [_path(match.path)]
    if match.host:
        reasons.insert(0, f"the host is {match.host}")
    if match.methods:
        reasons.append(f"the method is {either(list(match.methods))}")
    reasons += [_condition("header", *each) for each in match.headers.items()]
    reasons += [_condition("parameter", *each) for each in match.query.items()]
    return "; ".join(reasons)


def _condition(what: str, name: str, values: Sequence[str]) -> str:
    if "*" in values:
        return f"the {what} {name} is there"
    return f"the {what} {name} is {either(list(values))}"


def _path(path: str) -> str:
    if "{" in path:
        return f"the path has the form {path}"
    if path == "/":
        return "every path"
    return f"the path begins with {path}" if path.endswith("/") else f"the path is {path}"
