"""Which route an exchange takes: the most specific one that matches host, path, method and more.

A path in the settings is literal but for its captures, and is one of three kinds:
exact (`/a`), which matches itself only;
prefix (`/a/`), which matches itself and everything below, but not `/a`;
pattern, with `{x}` for one segment or `{x...}` for all that is left (at least one character),
exact or a prefix by the same final slash.

`matching/rank.py` has the order of specificity, whatever the order in the file.
A route whose method, headers or parameters do not fit gives way to the next one that matches.

Matching looks at a normalised copy of the path; the target itself goes on byte for byte.
Case matters in paths, methods and values, not in hosts and names of headers; a host is compared
without port and final dot.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from proxy import outcome as o
from proxy.fallback.build import Fallback
from proxy.http.authority import host_name
from proxy.http.header_changes import HeaderChange
from proxy.limits.concurrency import Concurrency
from proxy.limits.rate import RateLimits
from proxy.matching.conditions import Asked, conditions_of
from proxy.matching.index import Candidate, PathIndex, most_specific_first
from proxy.matching.paths import decoded, normalise, path_of
from proxy.matching.rank import specificity
from proxy.outcome import Outcome
from proxy.resilience.breaker import Breaker
from proxy.resilience.budget import Budget
from proxy.settings.route_terms import RouteTerms
from proxy.settings.schema import ResolvedRoute

_NO_FIELDS: dict[bytes, bytes] = {}
_NOTHING = Asked()
_MOST_NEAR = 3
"""Near misses that are told."""
_MOST_REMEMBERED = 1024
_USUAL_PATH = 256
"""Characters of a path up to which it is remembered which route it takes: clients make them up."""
_MOST_LOOKED_AT = 100
"""Entries of which it is asked why they did not fit."""


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
    request_headers: HeaderChange | None = None
    response_headers: HeaderChange | None = None
    terms: RouteTerms = field(init=False)
    """What is read of the rule for each exchange."""
    admits_all: bool = field(init=False)
    """Whether it has no guard and no limit of its own."""
    requires_https: bool = field(init=False)
    """Whether plain HTTP is refused or sent on; `guards_scheme`: or https is to be told of HSTS."""
    guards_scheme: bool = field(init=False)
    guards_body: bool = field(init=False)  # its type, or the message in it
    hsts_line: bytes = field(init=False)
    """What tells clients to stay with https (RFC 6797); nothing where they need not."""

    def __post_init__(self) -> None:
        rule = self.rule
        self.terms = RouteTerms(rule)
        hsts = b"Strict-Transport-Security: max-age=%d\r\n" % int(rule.hsts) if rule.hsts else b""
        self.hsts_line = hsts
        self.requires_https = rule.require_https != "off"
        self.guards_scheme = self.requires_https or bool(hsts)
        self.guards_body = bool(rule.content_types) or rule.message.pointer is not None
        self.admits_all = (
            self.rate_limits is None
            and self.concurrency is None
            and not self.guards_scheme
            and not self.guards_body
        )

    @property
    def name(self) -> str:
        return self.terms.name


@dataclass(frozen=True, slots=True)
class NoRoute:
    """Why no route was found; `allow` names the methods where only the method was wrong."""

    outcome: Outcome
    allow: tuple[str, ...] = ()
    nearest: Route | None = field(default=None, compare=False)
    """The most specific one that takes other methods only."""
    near: str | None = field(default=None, compare=False)
    """Routes of this path and the header or parameter that they want; None where there are none."""


class Router:
    """All routes, indexed once."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = sorted(routes, key=lambda route: specificity(route.rule.match))
        by_host: dict[str, list[Candidate]] = defaultdict(list)
        for order, route in enumerate(self._routes):
            host = route.rule.match.host
            by_host[host.lower() if host else ""].append(_candidate(order, route))
        self._rest = PathIndex(by_host.pop("", []))
        self._hosts = {host: PathIndex(entries) for host, entries in by_host.items()}
        self._has_conditions = any(conditions_of(route.rule.match) for route in self._routes)
        self._remembered = lru_cache(maxsize=_MOST_REMEMBERED)(self._match_path)

    def match(
        self,
        host: str,
        target: str,
        method: str,
        fields: Mapping[bytes, bytes] = _NO_FIELDS,
        *,
        announced: bytes | None = None,
    ) -> Route | NoRoute:
        """The route of a request, or why there is none (404, or 405 with what is allowed).

        `announced` names the headers that a request will have of which this is the preflight.
        """
        path = path_of(target)
        if not self._has_conditions and len(path) <= _USUAL_PATH:
            return self._remembered(host if self._hosts else "", path, method)
        asked = self._asked(target, fields, announced)
        return self._match(host, normalise(path), method, asked)

    def _match_path(self, host: str, path: str, method: str) -> Route | NoRoute:
        return self._match(host, normalise(path), method, _NOTHING)

    @property
    def hosts(self) -> list[str]:
        """Those that routes name."""
        return list(self._hosts)

    def ambiguity(
        self,
        found: Route,
        host: str,
        target: str,
        method: str,
        fields: Mapping[bytes, bytes] = _NO_FIELDS,
    ) -> str | None:
        """Why the upstream may take the target for one of another route than `found`; None: not.

        Who may pass the one could so reach what only the other guards.
        """
        if "%" not in target and "\\" not in target:
            return None
        path = path_of(target)
        if found.rule.encoded_slash == "forward" or ("%" not in path and "\\" not in path):
            return None
        further = self._match(host, decoded(path), method, self._asked(target, fields, None))
        route = further.nearest if isinstance(further, NoRoute) else further
        if route is None or route is found:
            return None
        return (
            f"encoded slash: as it is the path is one of the route {found.name}, "
            f"decoded one of the route {route.name}"
        )

    def _asked(self, target: str, fields: Mapping[bytes, bytes], announced: bytes | None) -> Asked:
        if not self._has_conditions:
            return _NOTHING
        names = (announced or b"").decode("latin-1").lower().split(",")
        named = frozenset(name.strip() for name in names) if announced else frozenset()
        return Asked(fields, target, announced=named)

    def _match(self, host: str, path: str, method: str, asked: Asked) -> Route | NoRoute:
        indexes = self._indexes(host)
        for index in indexes:
            found = _found(index, path, method, asked)
            if found is not None:
                return self._routes[found.order]
        return self._no_route(indexes, path, method, asked)

    def _indexes(self, host: str) -> tuple[PathIndex, ...]:
        if not self._hosts:
            return (self._rest,)
        named = self._hosts.get(host_name(host))
        return (self._rest,) if named is None else (named, self._rest)

    def _no_route(
        self, indexes: tuple[PathIndex, ...], path: str, method: str, asked: Asked
    ) -> NoRoute:
        """What came near: all that fits but the method, and some of what fits but a condition."""
        groups = [group for index in indexes for group in index.groups(path)]
        fitting = most_specific_first(
            [e for g in groups for e in g.candidates(asked) if e.unmet(asked) is None]
        )
        near = _near(
            [
                f"{self._routes[entry.order].name}: {unmet.unmet(asked)}"
                for group in groups
                for entry in group.entries[:_MOST_LOOKED_AT]
                if entry.takes(method) and (unmet := entry.unmet(asked)) is not None
            ]
        )
        if not fitting:
            return NoRoute(o.ROUTE_NOT_FOUND, near=near)
        allow = sorted({each for entry in fitting for each in entry.methods})
        nearest = self._routes[fitting[0].order]
        return NoRoute(o.METHOD_NOT_ALLOWED, tuple(allow), nearest, near)


def _candidate(order: int, route: Route) -> Candidate:
    match = route.rule.match
    methods = frozenset(match.methods)
    if "GET" in methods:
        methods |= {"HEAD"}
    return Candidate(order, match.path, methods, conditions_of(match))


def _found(index: PathIndex, path: str, method: str, asked: Asked) -> Candidate | None:
    """The most specific entry that fits."""
    exact = index.exact(path)
    if exact is not None and (entry := _first(exact.candidates(asked), method, asked)):
        return entry
    if patterns := index.patterns(path):
        candidates = most_specific_first([e for group in patterns for e in group.candidates(asked)])
        if entry := _first(candidates, method, asked):
            return entry
    for group in index.prefixes(path):
        if entry := _first(group.candidates(asked), method, asked):
            return entry
    return None


def _first(candidates: list[Candidate], method: str, asked: Asked) -> Candidate | None:
    for entry in candidates:
        if entry.takes(method) and entry.unmet(asked) is None:
            return entry
    return None


def _near(misses: list[str]) -> str | None:
    if not misses:
        return None
    more = len(misses) - _MOST_NEAR
    return "; ".join(misses[:_MOST_NEAR]) + (f"; and {more} more" if more > 0 else "")
