"""A named service that requests are forwarded to: who wants a connection asks here.

Makes no request, repeats nothing: an exchange that fails is told, and the way decides.
"""

import asyncio
from collections.abc import Callable
from math import inf

from proxy.clock import now
from proxy.outcome import POOL_TIMEOUT
from proxy.time_spent import QUEUE, TimeSpent
from proxy.upstream.connection import Connection
from proxy.upstream.dialer import Dialer, always
from proxy.upstream.endpoints import Endpoint, Endpoints
from proxy.upstream.pool import Pool, PoolView
from proxy.upstream.result import Failed
from proxy.upstream.rules import UpstreamRule
from proxy.upstream.tls import upstream_tls


class Upstream:
    """Connections to the endpoints of one upstream.

    `on_endpoint` is told the URL of an endpoint and whether it can be reached, on each change.
    Raises TlsFileError where a file of `rule.tls` cannot be used.
    """

    def __init__(
        self,
        name: str,
        rule: UpstreamRule,
        *,
        on_endpoint: Callable[[str, bool], None],
        has_room: Callable[[int], bool] = always,
    ) -> None:
        self.name = name
        self.rule = rule
        self._endpoints = Endpoints(rule.endpoints, on_endpoint)
        self._pool = Pool(rule.pool, self._endpoints.all)
        has_tls = any(endpoint.is_tls for endpoint in self._endpoints.all)
        self.tls = upstream_tls(name, rule.tls) if has_tls else None
        """None where no endpoint is https."""
        self._dialer = Dialer(rule, self.tls, has_room)
        self._sole = self._endpoints.all[0] if len(self._endpoints.all) == 1 else None

    @property
    def stale_connections(self) -> int:
        """Reused connections that turned out to be closed."""
        return self._pool.stale_connections

    def take(self) -> Connection | None:
        """An idle connection without waiting, or None: then `acquire`."""
        if self._sole is None:
            return None
        return self._pool.take(self._sole)

    async def acquire(
        self,
        *,
        connect: float,
        pool_wait: float,
        left: float = inf,
        avoid: str | None = None,
        spent: TimeSpent | None = None,
    ) -> Connection | Failed:
        """A connection for one exchange; give it back by its `release` or `abort`.

        `connect` bounds DNS, TCP and TLS together, `pool_wait` the wait for a slot before them,
        `left` all of it.
        `avoid` names an endpoint that is used only if there is no other.
        `spent` counts the wait for a slot as QUEUE; None where nobody asks.
        POOL_TIMEOUT says that we are full; everything else was the upstream's doing.
        """
        endpoint = self._endpoints.choose(asyncio.get_running_loop().time(), avoid)
        connection = self._pool.take(endpoint)
        if connection is not None:
            return connection
        if self._pool.reserve():
            return await self._connect(endpoint, connect, left)
        spent = spent or TimeSpent(now())
        return self._take_any() or await self._wait(endpoint, connect, pool_wait, left, spent)

    def view(self) -> PoolView:
        return self._pool.view()

    @property
    def is_retired(self) -> bool:
        """Whether another one has taken its place, or none."""
        return self._pool.is_retired

    def retire(self) -> None:
        """Nothing new comes here: close what is idle now, and the rest as its exchanges end."""
        self._pool.retire()

    def close_idle(self) -> None:
        """Close the connections that carry nothing."""
        self._pool.close_idle()

    async def close(self) -> None:
        """Close every connection, those in use as well."""
        for endpoint in self._endpoints.all:
            endpoint.addresses.close()
        await self._pool.close()

    def _take_any(self) -> Connection | None:
        """All slots are taken: an idle connection to another endpoint is better than a wait."""
        for endpoint in self._endpoints.all:
            connection = self._pool.take(endpoint)
            if connection is not None:
                return connection
        return None

    async def _wait(
        self, endpoint: Endpoint, connect: float, pool_wait: float, left: float, spent: TimeSpent
    ) -> Connection | Failed:
        if not self._pool.has_room_to_wait:
            return Failed(POOL_TIMEOUT, "too many wait for a connection", endpoint.url)
        began = now()
        before = spent.enter(QUEUE, began)
        try:
            connection = await self._pool.wait(pool_wait, left)
        except TimeoutError:
            return Failed(POOL_TIMEOUT, f"no connection free in {pool_wait:g} s", endpoint.url)
        finally:
            served = now()
            spent.enter(before, served)
        if connection is not None:
            return connection
        left -= served - began
        if left <= 0:
            self._pool.free()
            return Failed(POOL_TIMEOUT, "no time left to connect", endpoint.url)
        return await self._connect(endpoint, connect, left)

    async def _connect(
        self, endpoint: Endpoint, timeout: float, left: float
    ) -> Connection | Failed:
        """Connect in a slot that is already taken; it is given back unless that succeeds."""
        made: Connection | Failed | None = None
        try:
            made = await self._dialer.dial(endpoint, self._pool, timeout, left)
        finally:
            if isinstance(made, Connection):
                self._pool.add(made)
            else:
                self._pool.free()
        if isinstance(made, Failed):
            if made.outcome is not POOL_TIMEOUT:
                self._endpoints.mark_down(endpoint, asyncio.get_running_loop().time())
            return made
        self._endpoints.mark_up(endpoint)
        if self._pool.is_closed:
            made.abort()
        return made
