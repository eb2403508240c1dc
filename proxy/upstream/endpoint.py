"""One endpoint: where it is, what is known of it, and its connections.

Two things keep it from being used: an active health check that failed, and an ejection after
failures of its traffic. Each has one writer; `is_available` reads both.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from proxy.upstream.balancing.ejection import Ejection
from proxy.upstream.dns import Address, Addresses, Lookup, ask_system

if TYPE_CHECKING:
    from proxy.upstream.connection import Connection

_PORTS = {"http": 80, "https": 443, "unix": 0}

_COLDEST = 0.1
"""The part of its weight with which a slow start begins."""


def authority_of(url: str) -> bytes:
    """Host and port of an endpoint, as a Host header has them; a Unix socket is this host."""
    return urlsplit(url).netloc.encode() or b"localhost"


def addresses_of(url: str, lookup: Lookup) -> Addresses:
    """Those of its host."""
    parts = urlsplit(url)
    return Addresses(parts.hostname or "", parts.port or _PORTS[parts.scheme], lookup)


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


class Endpoint:
    """One address of an upstream."""

    __slots__ = (
        "address", "addresses", "base", "ejection", "health", "host", "idle", "is_tls", "is_up",
        "keeps_idle", "pair", "share", "slots", "socket_path", "url", "warm_since", "weight",
    )  # fmt: skip

    def __init__(
        self,
        url: str,
        lookup: Lookup = ask_system,
        *,
        weight: int = 1,
        addresses: Addresses | None = None,
    ) -> None:
        parts: SplitResult = urlsplit(url)
        self.url = url
        self.weight = weight
        self.host = parts.hostname or ""
        self.is_tls = parts.scheme == "https"
        self.socket_path = parts.path if parts.scheme == "unix" else None
        """Of a Unix socket."""
        self.base = "" if self.socket_path else parts.path
        """The path below which the service is."""
        self.addresses = addresses or addresses_of(url, lookup)
        """Of its whole name; several endpoints may share them."""
        self.pair: tuple[Address, ...] | None = None
        """Its own of these, one of each family; None where it stands for the whole name."""
        self.address: str | None = None
        """One of `pair` as people write it, to tell it from the others of its name."""
        self.health = ActiveHealth()
        self.ejection = Ejection()
        self.is_up = True
        """Whether the last connect succeeded; true where there was none."""
        self.keeps_idle = True
        """Whether its connections are kept for the next exchange: not where it is out of use."""
        self.warm_since = float("-inf")
        """When its slow start began."""
        self.share = 1
        """Connections it may have while others can be used as well."""
        self.slots = 0
        """Connections it has, those being made included."""
        self.idle: dict[Connection, None] = {}
        """Least recently used first."""

    @property
    def name(self) -> str:
        """Tells it from all others of its upstream."""
        return self.url if self.address is None else f"{self.url} ({self.address})"

    @property
    def in_use(self) -> int:
        """Connections at work or being made."""
        return self.slots - len(self.idle)

    def is_available(self, now: float) -> bool:
        """Whether it may be chosen: no check failed, and it is neither ejected nor at rest."""
        return (
            self.health.healthy is not False
            and not self.ejection.is_out
            and now >= self.ejection.rest_until
        )

    def heat(self, now: float, slow_start: float) -> float:
        """The part of its weight that counts: less than 1 during a slow start."""
        if slow_start <= 0.0 or now >= self.warm_since + slow_start:
            return 1.0
        return max(_COLDEST, (now - self.warm_since) / slow_start)

    async def reach(self) -> Sequence[Address]:
        """The addresses to connect to. Raises socket.gaierror."""
        found: Sequence[Address] = ()
        if self.pair is None:
            found = await self.addresses.resolve()
        pair = self.pair  # it may have got one with that answer
        return found if pair is None else pair
