"""A named service that requests are forwarded to: who wants a connection asks here.

Makes no request, repeats nothing: an exchange that fails is told, and the way decides.
"""

from collections.abc import Callable
from math import inf

from proxy.clock import now
from proxy.exchange import Exchange
from proxy.http.request_head import RequestHead
from proxy.limits.build import source_of
from proxy.limits.keys import shared_key
from proxy.outcome import NO_HEALTHY_UPSTREAM, POOL_TIMEOUT
from proxy.time_spent import QUEUE, TimeSpent
from proxy.upstream.choice import Choice
from proxy.upstream.chooser import Chooser
from proxy.upstream.connection import Connection
from proxy.upstream.dialer import Dialer, always
from proxy.upstream.dns import Lookup, ask_system
from proxy.upstream.endpoint import Endpoint
from proxy.upstream.endpoint_change import EndpointChange
from proxy.upstream.endpoints import Endpoints
from proxy.upstream.health.active import ActiveChecks
from proxy.upstream.health.view import EndpointView
from proxy.upstream.passive_health import PassiveHealth
from proxy.upstream.pool import Pool, PoolView
from proxy.upstream.result import Failed
from proxy.upstream.rules import UpstreamRule
from proxy.upstream.tls import upstream_tls


class Upstream:
    """Connections to the endpoints of one upstream.

    `on_endpoint` is told what became of an endpoint, on each change.
    Raises TlsFileError where a file of `rule.tls` cannot be used.
    """

    def __init__(
        self,
        name: str,
        rule: UpstreamRule,
        *,
        on_endpoint: Callable[[EndpointChange], None],
        has_room: Callable[[int], bool] = always,
        lookup: Lookup = ask_system,
    ) -> None:
        self.name = name
        self.rule = rule
        self.host = (rule.host or "").encode()
        """The authority that it is asked by; empty: the client's."""
        self.via = rule.via
        self.endpoints = Endpoints(rule, on_endpoint, lookup)
        self.passive = PassiveHealth(self.endpoints, rule.ejection)
        """Is told how attempts ended."""
        self._chooser = Chooser(self.endpoints, rule.balance)
        self._hashed = source_of(rule.by) if rule.balance == "hash" else None
        self._pool = Pool(rule.pool, self.endpoints)
        self.endpoints.dismiss = self._pool.close_idle
        has_tls = any(endpoint.is_tls for endpoint in self.endpoints.all)
        self.tls = upstream_tls(name, rule.tls) if has_tls else None
        """None where no endpoint is https."""
        self._dialer = Dialer(rule, self.tls, has_room)
        self._active = ActiveChecks(rule, self.endpoints, self._dialer)

    @property
    def stale_connections(self) -> int:
        """Reused connections that turned out to be closed."""
        return self._pool.stale_connections

    def take(self) -> Connection | None:
        """An idle connection without waiting, or None: then `acquire`."""
        sole = self.endpoints.sole
        return None if sole is None else self._pool.take(sole)

    def choice(self, asked: RequestHead, x: Exchange) -> Choice | None:
        """What an exchange is to remember of its endpoints; None where there is but one."""
        if self.endpoints.sole is not None:
            return None
        hashed = self._hashed
        return Choice() if hashed is None else Choice(shared_key(hashed, asked, x))

    def has_another(self, choice: Choice | None) -> bool:
        """Whether the next attempt would go to an endpoint that has not failed the exchange."""
        return choice is not None and self._chooser.has_another(choice, now())

    async def acquire(
        self,
        *,
        connect: float,
        pool_wait: float,
        left: float = inf,
        choice: Choice | None = None,
        spent: TimeSpent | None = None,
    ) -> Connection | Failed:
        """A connection for one exchange; give it back by its `release` or `abort`.

        `connect` bounds DNS, TCP and TLS together, `pool_wait` the wait for a slot before them,
        `left` all of it.
        `choice` is the exchange's own, and is told which endpoint it got.
        `spent` counts the wait for a slot as QUEUE; None where nobody asks.
        POOL_TIMEOUT says that we are full, NO_HEALTHY_UPSTREAM that health checks leave none to
        be used; everything else was the upstream's doing.
        """
        choice = choice or Choice()
        endpoint = self._chooser.choose(choice, now())
        if endpoint is None:
            return self._none_healthy(choice)
        if (connection := self._pool.take(endpoint)) is not None:
            return connection
        if not self._pool.reserve(endpoint):
            connection, instead = self._take_another(choice)
            if connection is not None:
                return connection
            if instead is None:
                return await self._wait(choice, connect, pool_wait, left, spent)
            endpoint = instead
        return await self._connect(endpoint, choice, connect, left)

    def view(self) -> PoolView:
        return self._pool.view()

    def close_idle(self, endpoint: Endpoint) -> None:
        """Close its connections that carry nothing."""
        self._pool.close_idle(endpoint)

    def start_checks(self) -> None:
        """Check the endpoints from now on, where the rule says so."""
        self._active.start()

    def next_check_in(self) -> float | None:
        """Seconds to the next health check; None where there is none."""
        return self._active.next_in(now())

    def endpoint_views(self) -> list[EndpointView]:
        """How every endpoint stands."""
        return self._active.views(now())

    @property
    def is_retired(self) -> bool:
        """Whether another one has taken its place, or none."""
        return self._pool.is_retired

    def retire(self) -> None:
        """Nothing new comes here: close what is idle now, and the rest as its exchanges end."""
        self._pool.retire()
        self._active.cancel()
        self.endpoints.freeze()

    async def close(self) -> None:
        """Close every connection, those in use as well."""
        await self._active.stop()
        self.endpoints.close()
        await self._pool.close()

    def _none_healthy(self, choice: Choice) -> Failed:
        choice.endpoint = None
        first = self.endpoints.all[0]
        many = len(self.endpoints.all)
        words = f"{many} of {many} endpoints are down; {first.name}: {first.health.reason}"
        return Failed(NO_HEALTHY_UPSTREAM, words, first.url)

    def _take_another(self, choice: Choice) -> tuple[Connection | None, Endpoint | None]:
        """The chosen one has no slot free: a connection to another, or the one to connect to."""
        for endpoint in self._chooser.instead(choice):
            connection = self._pool.take(endpoint)
            if connection is not None or self._pool.reserve(endpoint):
                self._chooser.divert(endpoint, choice)
                return connection, endpoint
        self._pool.make_room()
        return None, None

    async def _wait(
        self,
        choice: Choice,
        connect: float,
        pool_wait: float,
        left: float,
        spent: TimeSpent | None,
    ) -> Connection | Failed:
        """For a slot, in turn; and then connect to whichever endpoint has room."""
        if not self._pool.has_room_to_wait:
            return self._full(choice, "too many wait for a connection")
        spent = spent or TimeSpent(now())
        began = now()
        before = spent.enter(QUEUE, began)
        try:
            connection = await self._pool.wait(choice, pool_wait, left)
        except TimeoutError:
            return self._full(choice, f"no connection free in {pool_wait:g} s")
        finally:
            served = now()
            spent.enter(before, served)
        if connection is not None:
            if connection.target is not choice.endpoint:
                self._chooser.divert(connection.target, choice)
            return connection
        left -= served - began
        if left <= 0:
            self._pool.free(None)
            return self._full(choice, "no time left to connect")
        endpoint = self._with_room(choice)
        endpoint.slots += 1
        return await self._connect(endpoint, choice, connect, left)

    def _with_room(self, choice: Choice) -> Endpoint:
        """The endpoint that a slot is for which was waited for: the chosen one, if it may."""
        chosen = choice.endpoint or self.endpoints.all[0]
        if chosen.slots < chosen.share:
            return chosen
        for endpoint in self._chooser.instead(choice):
            if endpoint.slots < endpoint.share:
                self._chooser.divert(endpoint, choice)
                return endpoint
        return chosen

    async def _connect(
        self, endpoint: Endpoint, choice: Choice, timeout: float, left: float
    ) -> Connection | Failed:
        """Connect in a slot that is already taken; it is given back unless that succeeds."""
        made: Connection | Failed | None = None
        try:
            made = await self._dialer.dial(endpoint, self._pool, timeout, left)
        finally:
            if isinstance(made, Connection):
                self._pool.add(made)
            else:
                self._pool.free(endpoint)
        if isinstance(made, Failed):
            if made.outcome is POOL_TIMEOUT:
                self.passive.untried(choice, now())
            else:
                self.passive.unreachable(endpoint, made.detail or made.outcome.code, now())
            return made
        self.passive.connected(endpoint, now())
        if self._pool.is_closed:
            made.abort()
        return made

    def _full(self, choice: Choice, words: str) -> Failed:
        """No endpoint was tried."""
        name = choice.endpoint.url if choice.endpoint is not None else ""
        self.passive.untried(choice, now())
        return Failed(POOL_TIMEOUT, words, name)
