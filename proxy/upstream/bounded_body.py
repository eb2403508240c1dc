"""The body of a response that may not become larger than a limit, read like its connection.

What fits is given; then the body has failed. Refuses to decide what the client is told.
"""

from collections.abc import Callable
from math import inf
from typing import Protocol

from proxy.outcome import RESPONSE_TOO_LARGE
from proxy.upstream.connection import Connection
from proxy.upstream.result import EndOfBody, Failed


class AnyBody(Protocol):
    """The body of a connection's response."""

    tap: Callable[[bytes], bool] | None

    @property
    def endpoint(self) -> str: ...

    async def read(self, silence: float, limit: float = inf) -> bytes | EndOfBody | Failed: ...


class BoundedBody:
    """Of `body` so many bytes may still come; `detail` are technical words for one more."""

    def __init__(self, body: AnyBody, size: int, detail: str) -> None:
        self._body = body
        self._left = max(0, size)
        self._is_over = False
        self._tap: Callable[[bytes], bool] | None = None
        self._failure = Failed(RESPONSE_TOO_LARGE, detail, body.endpoint)

    @property
    def tap(self) -> Callable[[bytes], bool] | None:
        """Takes bytes as they come while `read` waits; whether the wait may go on."""
        return self._tap

    @tap.setter
    def tap(self, tap: Callable[[bytes], bool] | None) -> None:
        self._tap = tap
        self._body.tap = None if tap is None else self._pass

    async def read(self, silence: float, limit: float = inf) -> bytes | EndOfBody | Failed:
        """As of the body, and RESPONSE_TOO_LARGE behind the last byte that fits."""
        if self._is_over:
            return self._failure
        piece = await self._body.read(silence, limit)
        if self._is_over:  # the tap has seen it
            return self._failure
        if isinstance(piece, bytes):
            return self._fitting(piece) or self._failure
        return piece

    def _pass(self, piece: bytes) -> bool:
        fitting = self._fitting(piece)
        sleeps_on = self._tap is not None and (not fitting or self._tap(fitting))
        return sleeps_on and not self._is_over

    def _fitting(self, piece: bytes) -> bytes:
        """What of it fits; none of it is left out unless it is over."""
        if len(piece) > self._left:
            self._is_over = True
            piece = piece[: self._left]
        self._left -= len(piece)
        return piece


def bounded(connection: Connection, limit: int | None, read: int) -> Connection | BoundedBody:
    """The rest of a body that may have `limit` bytes, `read` of which are here already."""
    if limit is None:
        return connection
    return BoundedBody(connection, limit - read, f"over {limit} bytes")
