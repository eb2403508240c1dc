"""The endpoints of an upstream: taking turns, and keeping away from one that cannot be reached.

Health is passive: what a connect taught us. Nothing here sends a probe.
"""

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from proxy.upstream.connection import Connection
from proxy.upstream.dns import Addresses, Lookup, ask_system

DOWN_FOR = 5.0
"""Seconds for which an endpoint that could not be reached is left alone, if there is another."""

_PORTS = {"http": 80, "https": 443, "unix": 0}


def authority_of(url: str) -> bytes:
    """Host and port of an endpoint, as a Host header has them; a Unix socket is this host."""
    return urlsplit(url).netloc.encode() or b"localhost"


class Endpoint:
    """One address of an upstream, with its idle connections and its health."""

    __slots__ = (
        "addresses",
        "avoid_until",
        "base",
        "host",
        "idle",
        "is_tls",
        "is_up",
        "socket_path",
        "url",
    )

    def __init__(self, url: str, lookup: Lookup = ask_system) -> None:
        parts = urlsplit(url)
        self.url = url
        self.host = parts.hostname or ""
        self.is_tls = parts.scheme == "https"
        self.socket_path = parts.path if parts.scheme == "unix" else None
        """Of a Unix socket."""
        self.base = "" if self.socket_path else parts.path
        """The path below which the service is."""
        self.addresses = Addresses(self.host, parts.port or _PORTS[parts.scheme], lookup)
        self.is_up = True
        """Whether the last connect succeeded; true where there was none."""
        self.avoid_until = 0.0
        self.idle: dict[Connection, None] = {}
        """Least recently used first."""


class Endpoints:
    """All endpoints of an upstream. `on_change` is told when one is lost or found again."""

    __slots__ = ("_next", "_on_change", "all")

    def __init__(self, urls: Sequence[str], on_change: Callable[[str, bool], None]) -> None:
        self.all = [Endpoint(url) for url in urls]
        self._on_change = on_change
        self._next = 0

    def choose(self, now: float, avoid: str | None) -> Endpoint:
        """The next in turn that is neither down nor to be avoided, else the least bad one."""
        endpoints = self.all
        count = len(endpoints)
        if count == 1:
            return endpoints[0]
        turn = [endpoints[(self._next + step) % count] for step in range(count)]
        chosen = min(turn, key=lambda endpoint: (endpoint.url == avoid, now < endpoint.avoid_until))
        self._next = (endpoints.index(chosen) + 1) % count
        return chosen

    def mark_down(self, endpoint: Endpoint, now: float) -> None:
        """It could not be reached."""
        endpoint.avoid_until = now + DOWN_FOR
        if endpoint.is_up:
            endpoint.is_up = False
            self._on_change(endpoint.url, False)

    def mark_up(self, endpoint: Endpoint) -> None:
        """It was reached."""
        endpoint.avoid_until = 0.0
        if not endpoint.is_up:
            endpoint.is_up = True
            self._on_change(endpoint.url, True)
