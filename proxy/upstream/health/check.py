"""One health check: a connection of its own, one request, the whole answer within its time.

Never takes a connection from the pool, and leaves none behind. An answer larger than is read is
judged by its status.
"""

from typing import Final

from proxy import __version__
from proxy import outcome as o
from proxy.clock import now
from proxy.timing.loop_lag import stalled, waited
from proxy.upstream.connection import Connection
from proxy.upstream.dialer import Dialer
from proxy.upstream.endpoint import Endpoint, authority_of
from proxy.upstream.health.rules import HealthRule
from proxy.upstream.health.tally import CheckResult, observed
from proxy.upstream.result import EndOfBody, Failed

USER_AGENT: Final = f"Sidelight-Health/{__version__}"
"""By which upstreams tell checks from traffic."""

MOST_BODY: Final = 64 * 1024
"""Bytes of an answer that are read; the connection is closed at more."""

_LEAST: Final = 0.001


class _NobodysConnections:
    """Owns the connections of checks: keeps none."""

    stale_connections = 0

    def keep(self, connection: Connection) -> None:
        connection.abort()

    def on_closed(self, connection: Connection) -> None:
        """Nobody counts them."""


class Checker:
    """Asks the endpoints of one upstream."""

    def __init__(self, rule: HealthRule, dialer: Dialer, host: str | None) -> None:
        self._rule = rule
        self._dialer = dialer
        self._host = rule.host or host
        self._statuses = rule.statuses
        self._owner = _NobodysConnections()

    async def check(self, endpoint: Endpoint) -> CheckResult:
        """Ask it once."""
        began = now()
        result = await self._ask(endpoint, began)
        return observed(result, stalled(began, now()), self._rule.timeout)

    async def _ask(self, endpoint: Endpoint, began: float) -> CheckResult:
        made = await self._dialer.dial(endpoint, self._owner, self._rule.timeout)
        if isinstance(made, Failed):
            return _failed(made)
        try:
            made.request(self._rule.method, self._head(endpoint))
            return await self._answer(made, began)
        finally:
            made.abort()

    async def _answer(self, connection: Connection, began: float) -> CheckResult:
        head = await connection.head(self._left(began))
        if isinstance(head, Failed):
            return self._late("no answer") if head.outcome is o.HEAD_TIMEOUT else _failed(head)
        if head.status not in self._statuses:
            return CheckResult(False, f"status {head.status}")
        taken = 0
        while taken <= MOST_BODY:
            piece = await connection.read(self._left(began))
            if isinstance(piece, EndOfBody):
                break
            if isinstance(piece, Failed):
                is_late = piece.outcome is o.STREAM_STALLED
                return self._late("no whole answer") if is_late else _failed(piece)
            taken += len(piece)
        return CheckResult(True, f"status {head.status}")

    def _left(self, began: float) -> float:
        """Seconds of the timeout that are left; those count in which the loop ran."""
        return max(_LEAST, self._rule.timeout - waited(began, now()))

    def _late(self, what: str) -> CheckResult:
        return CheckResult(False, f"{what} within {self._rule.timeout:g} s")

    def _head(self, endpoint: Endpoint) -> bytes:
        host = self._host or authority_of(endpoint.url).decode()
        lines = (
            f"{self._rule.method} {endpoint.base}{self._rule.path} HTTP/1.1",
            f"Host: {host}",
            f"User-Agent: {USER_AGENT}",
            "Accept: */*",
            "Connection: close",
        )
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _failed(failed: Failed) -> CheckResult:
    """A connection that we have no room for shows nothing."""
    if failed.outcome is o.POOL_TIMEOUT:
        return CheckResult(None, failed.detail)
    return CheckResult(False, f"{failed.outcome.code}: {failed.detail}")
