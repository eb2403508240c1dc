"""The endpoints of an upstream: what is known of each, and which may be used.

Two things keep an endpoint from being used: an active health check that failed, and an ejection
after failures of its traffic. Each has one writer; `Endpoint.is_available` reads both.
"""

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from proxy.upstream.connection import Connection
from proxy.upstream.dns import Addresses, Lookup, ask_system
from proxy.upstream.endpoint_change import EndpointChange

DOWN_FOR = 5.0
"""Seconds for which an endpoint that could not be reached is left alone, if there is another."""

_PORTS = {"http": 80, "https": 443, "unix": 0}


def authority_of(url: str) -> bytes:
    """Host and port of an endpoint, as a Host header has them; a Unix socket is this host."""
    return urlsplit(url).netloc.encode() or b"localhost"


class ActiveHealth:
    """What the health checks of an endpoint say. Written by the checks only."""

    __slots__ = ("healthy", "reason", "since")

    def __init__(self) -> None:
        self.healthy: bool | None = None
        """None where nothing is checked, or no check has ended."""
        self.reason: str | None = None
        """Why it is not healthy, in technical words."""
        self.since: float = 0.0
        """When it became what it is."""


class Ejection:
    """Whether failures of its traffic keep an endpoint out of use. Written by balancing only."""

    __slots__ = ("reason", "until")

    def __init__(self) -> None:
        self.until = 0.0
        """It is out until then."""
        self.reason: str | None = None
        """What it was ejected for, in technical words; None where it is not."""


class Endpoint:
    """One address of an upstream, with its idle connections and what is known of it."""

    __slots__ = (
        "address",
        "addresses",
        "base",
        "ejection",
        "health",
        "host",
        "idle",
        "is_tls",
        "is_up",
        "socket_path",
        "url",
        "weight",
    )

    def __init__(self, url: str, lookup: Lookup = ask_system, *, weight: int = 1) -> None:
        parts = urlsplit(url)
        self.url = url
        self.weight = weight
        self.host = parts.hostname or ""
        self.is_tls = parts.scheme == "https"
        self.socket_path = parts.path if parts.scheme == "unix" else None
        """Of a Unix socket."""
        self.base = "" if self.socket_path else parts.path
        """The path below which the service is."""
        self.address: str | None = None
        """Which of the addresses of its name it is; None where it stands for the whole name."""
        self.addresses = Addresses(self.host, parts.port or _PORTS[parts.scheme], lookup)
        self.health = ActiveHealth()
        self.ejection = Ejection()
        self.is_up = True
        """Whether the last connect succeeded; true where there was none."""
        self.idle: dict[Connection, None] = {}
        """Least recently used first."""

    def is_available(self, now: float) -> bool:
        """Whether it may be chosen: no check failed, and it is not ejected."""
        return self.health.healthy is not False and now >= self.ejection.until


class Endpoints:
    """All endpoints of an upstream. `on_change` is told what became of one."""

    __slots__ = ("_next", "all", "on_change")

    def __init__(
        self, weights: Sequence[tuple[str, int]], on_change: Callable[[EndpointChange], None]
    ) -> None:
        self.all = [Endpoint(url, weight=weight) for url, weight in weights]
        """Those there are now; an endpoint keeps its place in memory as long as it is one."""
        self.on_change = on_change
        self._next = 0

    def available(self, now: float) -> list[Endpoint]:
        """Those that may be chosen."""
        return [endpoint for endpoint in self.all if endpoint.is_available(now)]

    def choose(self, now: float, avoid: str | None) -> Endpoint:
        """The next in turn that is available and not to be avoided, else the least bad one."""
        endpoints = self.all
        count = len(endpoints)
        if count == 1:
            return endpoints[0]
        turn = [endpoints[(self._next + step) % count] for step in range(count)]
        chosen = min(turn, key=lambda each: (each.url == avoid, not each.is_available(now)))
        self._next = (endpoints.index(chosen) + 1) % count
        return chosen

    def mark_down(self, endpoint: Endpoint, now: float, reason: str) -> None:
        """It could not be reached."""
        endpoint.ejection.until = now + DOWN_FOR
        if endpoint.is_up:
            endpoint.is_up = False
            self.on_change(EndpointChange(endpoint.url, "down", reason, seconds=DOWN_FOR))

    def mark_up(self, endpoint: Endpoint) -> None:
        """It was reached."""
        endpoint.ejection.until = 0.0
        if not endpoint.is_up:
            endpoint.is_up = True
            self.on_change(EndpointChange(endpoint.url, "up", "connected"))
