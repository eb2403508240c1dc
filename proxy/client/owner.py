"""Interfaces that a client's connection uses: its owner, its limits, and who serves its
requests.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from proxy.client import head_reader
from proxy.client.request import Request, RequestError

if TYPE_CHECKING:
    from proxy.client.connection import ClientConnection


class ConnectionLimits(head_reader.HeadLimits, Protocol):
    """What bounds a connection; lengths of time in seconds, sizes in bytes."""

    @property
    def request_head(self) -> float: ...

    @property
    def keep_alive(self) -> float: ...


@dataclass(frozen=True, slots=True)
class FixedLimits:
    """Limits as they are now: those of settings cost ten times as much to read."""

    uri_bytes: int
    header_bytes: int
    header_count: int
    head_bytes: int
    request_head: float
    keep_alive: float

    @classmethod
    def of(cls, limits: ConnectionLimits) -> "FixedLimits":
        return cls(
            limits.uri_bytes, limits.header_bytes, limits.header_count, limits.head_bytes,
            limits.request_head, limits.keep_alive,
        )  # fmt: skip


class Owner(Protocol):
    """Who has all connections of the port."""

    def opened(self, client: "ClientConnection", fd: int) -> bool:
        """It is there, with file descriptor `fd`; whether it may stay."""

    def idle(self, client: "ClientConnection") -> None:
        """It waits for a request."""

    def busy(self, client: "ClientConnection") -> None:
        """It waits no longer."""

    def lost(self, client: "ClientConnection") -> None:
        """It is closed. Called exactly once."""

    def may_hold(self, more: int) -> bool:
        """Count `more` bytes that wait for their turn; whether they are within the limit."""


class PartingTransport(Protocol):
    """The transport of a connection by TLS."""

    def write_last(self, data: bytes) -> None:
        """Write, and say goodbye with it where it fits."""


class Bound(Protocol):
    """What a client's connection holds, and what ends with it."""

    def abort(self) -> None: ...


Serve = Callable[[Request], Awaitable[bool]]
"""Takes a request all the way; gives whether its connection may carry another one."""

Refuse = Callable[[Request, RequestError], Awaitable[bool]]
"""Answers what never became a request."""
