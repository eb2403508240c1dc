"""Which route an exchange takes: the most specific one that matches host, path and method.

A path in the settings is literal but for its captures, and is one of three kinds:
exact (`/a`), which matches itself only;
prefix (`/a/`), which matches itself and everything below, but not `/a`;
pattern, with `{x}` for one segment or `{x...}` for all that is left (at least one character),
exact or a prefix by the same final slash.

Order of specificity, whatever the order in the file: a host before none; an exact path before a
pattern before a prefix; among patterns the one with more literal characters, then the one that
ends before the one that takes the rest; among prefixes the longer one; methods named before none.
Patterns that are equal in all of it stand in the order of the file.
A route whose method does not fit gives way to the next one that matches.

Matching looks at a normalised copy of the path; the target itself goes on byte for byte.
Case matters in paths and methods, not in hosts; a host is compared without port and final dot.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from proxy import outcome as o
from proxy.fallback.build import Fallback
from proxy.http.authority import host_name
from proxy.limits.concurrency import Concurrency
from proxy.limits.rate import RateLimits
from proxy.outcome import Outcome
from proxy.resilience.breaker import Breaker
from proxy.resilience.budget import Budget
from proxy.settings.schema import ResolvedRoute
from proxy.settings.syntax import CAPTURE

_ENCODED_SLASH = re.compile("%2f", re.IGNORECASE)


@dataclass(slots=True, eq=False)
class Route:
    """A route's rule with its live state."""

    rule: ResolvedRoute
    breaker: Breaker
    budget: Budget
    rate_limits: RateLimits | None = None
    """None where it has none; so are `concurrency` and `fallback`."""
    concurrency: Concurrency | None = None
    fallback: Fallback | None = None
    admits_all: bool = field(init=False)
    """Whether it has no guard and no limit of its own."""

    def __post_init__(self) -> None:
        rule = self.rule
        self.admits_all = (
            self.rate_limits is None
            and self.concurrency is None
            and rule.require_https == "off"
            and not rule.hsts
            and not rule.content_types
            and rule.message.pointer is None
        )

    @property
    def name(self) -> str:
        return self.rule.name


@dataclass(frozen=True, slots=True)
class NoRoute:
    """Why no route was found; `allow` names the methods where only the method was wrong."""

    outcome: Outcome
    allow: tuple[str, ...] = ()
    nearest: Route | None = field(default=None, compare=False)
    """The most specific one that takes other methods only."""


def path_of(target: str) -> str:
    """The path of a request target, without its query."""
    return target.partition("?")[0]


def normalise(path: str) -> str:
    """`path` decoded once, dot segments and doubled slashes resolved (RFC 3986 §6.2.2).

    `%2F` stays encoded: it is part of a segment, not a separator. Bytes that are not UTF-8 become
    U+FFFD, which no route has. Dots above the root are dropped; `*` stands for the root.
    """
    if "%" in path:
        path = unquote(_ENCODED_SLASH.sub("%252F", path))
    return _resolved(path)


def decoded(path: str) -> str:
    """`path` as an upstream may read it to which an encoded slash, or a backslash, is a slash."""
    return _resolved(unquote(path).replace("\\", "/"))


def _resolved(path: str) -> str:
    if path.startswith("/") and "//" not in path and "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    slash = "/" if kept and segments[-1] in ("", ".", "..") else ""
    return "/" + "/".join(kept) + slash


def compiled(path: str) -> re.Pattern[str]:
    """A path pattern as a regular expression with its captures by name."""
    literal_from = 0
    parts = []
    for match in CAPTURE.finditer(path):
        parts.append(re.escape(path[literal_from : match.start()]))
        parts.append(f"(?P<{match[1]}>{'.+' if match[2] else '[^/]+'})")
        literal_from = match.end()
    tail = path[literal_from:]
    ending = ".*" if tail.endswith("/") else ""
    return re.compile("".join(parts) + re.escape(tail) + ending, re.DOTALL)


def specificity(rule: ResolvedRoute) -> tuple[int, ...]:
    """Sort key: the more specific a route, the smaller."""
    path = rule.match.path
    has_captures = "{" in path
    takes_rest = path.endswith(("/", "...}"))
    kind = 1 if has_captures else 2 if takes_rest else 0
    literals = len(CAPTURE.sub("", path))
    return (not rule.match.host, kind, -literals, takes_rest, not rule.match.methods)


class Router:
    """All routes, compiled once."""

    def __init__(self, routes: Iterable[Route]) -> None:
        ordered = sorted(routes, key=lambda route: specificity(route.rule))
        self._entries = [_Entry(route) for route in ordered]

    def match(self, host: str, target: str, method: str) -> Route | NoRoute:
        """The route of a request, or why there is none (404, or 405 with what is allowed)."""
        return self._match(host, normalise(path_of(target)), method)

    def ambiguity(self, found: Route, host: str, target: str, method: str) -> str | None:
        """Why the upstream may take the target for one of another route than `found`; None: not.

        Who may pass the one could so reach what only the other guards.
        """
        if "%" not in target and "\\" not in target:
            return None
        path = path_of(target)
        if found.rule.encoded_slash == "forward" or ("%" not in path and "\\" not in path):
            return None
        further = self._match(host, decoded(path), method)
        route = further.nearest if isinstance(further, NoRoute) else further
        if route is None or route is found:
            return None
        return (
            f"encoded slash: as it is the path is one of the route {found.name}, "
            f"decoded one of the route {route.name}"
        )

    def _match(self, host: str, path: str, method: str) -> Route | NoRoute:
        allow: list[str] = []
        nearest: Route | None = None
        for entry in self._entries:
            if entry.fits(host, path):
                if not entry.methods or method in entry.methods:
                    return entry.route
                allow += entry.methods
                nearest = nearest or entry.route
        if allow:
            return NoRoute(o.METHOD_NOT_ALLOWED, tuple(sorted(set(allow))), nearest)
        return NoRoute(o.ROUTE_NOT_FOUND)


class _Entry:
    """One route, ready to be asked."""

    __slots__ = ("_exact", "_host", "_prefix", "_search", "methods", "route")

    def __init__(self, route: Route) -> None:
        match = route.rule.match
        self.route = route
        self._host = match.host.lower() if match.host else None
        self._search: Callable[[str], object] | None = None
        self._exact = self._prefix = None
        if "{" in match.path:
            self._search = compiled(match.path).fullmatch
        elif match.path.endswith("/"):
            self._prefix = match.path
        else:
            self._exact = match.path
        self.methods = frozenset(match.methods)
        if "GET" in self.methods:
            self.methods |= {"HEAD"}

    def fits(self, host: str, path: str) -> bool:
        if self._host is not None and self._host != host_name(host):
            return False
        if self._exact is not None:
            return path == self._exact
        if self._prefix is not None:
            return path.startswith(self._prefix)
        return self._search is not None and self._search(path) is not None
