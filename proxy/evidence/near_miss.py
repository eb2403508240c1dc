"""By what little a request missed a route: its method, a slash, capitals, or the host."""

from collections.abc import Callable
from typing import Final

from proxy.http.request_head import RequestHead
from proxy.routing import NoRoute, Route, Router

_SLIPS: Final[tuple[tuple[str, Callable[[str], str]], ...]] = (
    ("a slash at its end", lambda path: path[:-1] if path.endswith("/") else f"{path}/"),
    ("capitals", str.lower),
)
"""Small things in which a path may differ from one that a route takes."""
_MOST_HOSTS: Final = 20
"""Hosts that are looked at."""


def near_miss(router: Router, found: NoRoute, host: str, asked: RequestHead) -> str | None:
    """In words; None where the request came near no route."""
    if found.near is not None:
        return found.near
    if found.nearest is not None:
        return f"the path matches the route {found.nearest.name}, the method does not"
    method, target = asked.method, asked.target
    path, mark, query = target.partition("?")
    for words, other in _SLIPS:
        if (changed := other(path)) != path:
            route = _route(router.match(host, changed + mark + query, method))
            if route is not None:
                return f"the path differs from the route {route.name} by {words}"
    for known in router.hosts[:_MOST_HOSTS]:
        if (route := _route(router.match(known, target, method))) is not None:
            return f"the path matches the route {route.name}, the host does not"
    return None


def _route(found: Route | NoRoute) -> Route | None:
    return found.nearest if isinstance(found, NoRoute) else found
