"""One running Sidelight: everything is built from the settings, started, drained and stopped in
order.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Iterator

from proxy import __version__
from proxy.admin.guard import Guard
from proxy.admin.in_process import InProcessAdmin
from proxy.admin.server import admin_runner
from proxy.clock import now
from proxy.context import Plan
from proxy.descriptors import OF_OUR_OWN, Descriptors
from proxy.diagnostics.neighbours.holders import Holders, place_standing, pool_standing
from proxy.diagnostics.service import Diagnostics, DiagnosticsRules
from proxy.diagnostics.stories.hash_key import hash_key
from proxy.exchange import Exchange
from proxy.fallback.build import fallback
from proxy.forward import Forward
from proxy.http.head_writer import Heads
from proxy.http.proxy_status import ProxyStatus
from proxy.http.request_head import RequestHead
from proxy.http.trust import Peers
from proxy.limits.build import concurrency, rate_limits
from proxy.limits.keys import ClientKeys
from proxy.limits.overload import Overload
from proxy.limits.places import Places
from proxy.listener import Listener
from proxy.observation.custom_fields import extractor
from proxy.observation.library import give_back_logging, take_over_logging
from proxy.observation.log import Log
from proxy.observation.metrics import Metrics
from proxy.observation.observer import Observer
from proxy.observation.readings import (
    budget_samples,
    certificate_samples,
    circuit_samples,
    endpoint_samples,
    handshake_samples,
    overload_samples,
    place_samples,
    pool_samples,
    rate_limit_samples,
    shed_samples,
)
from proxy.observation.series import Sample
from proxy.observation.summary import Summary
from proxy.outcome import POOL_TIMEOUT
from proxy.resilience.breaker import Breaker
from proxy.resilience.budget import Budget
from proxy.resilience.permits import Transition
from proxy.routing import Route, Router
from proxy.settings.schema import ResolvedRoute, Settings
from proxy.timing.loop_lag import LAG
from proxy.timing.memory import MemoryWatch, memory_limit
from proxy.tls.service import TlsService
from proxy.upstream.endpoint_change import EndpointChange
from proxy.upstream.upstream import Upstream

_NONE_LEFT = "socket.accept() out of system resource"


class App:
    """One running Sidelight.

    `start` raises OSError where a port is taken; `stop` may be called at any time, and twice.
    """

    def __init__(self, settings: Settings, *, log_fd: int = 1) -> None:
        self.settings = settings
        self.log = Log(settings.service, log_fd, level=settings.log.level, size=settings.log.queue)
        self.metrics = Metrics({r.name: r.upstream for r in settings.routes}, __version__)
        self.summary = Summary(now())
        self.observer = Observer(self.log, self.metrics, self.summary, sample=settings.log.sample)
        self.in_process_admin = InProcessAdmin(self)
        self.diagnostics = Diagnostics(
            DiagnosticsRules(settings.stories, settings.store, settings.alerts),
            tell=self.log.say,
            system_state=self.in_process_admin.system_state,
            service=settings.service,
            config_hash=settings.config_hash,
            own_fields=tuple(settings.observe.fields),
            holders=Holders(self.observer.running.values, self._places_of),
        )
        self.observer.readers.append(self.diagnostics.closed)
        self.metrics.read_from(self.diagnostics.readings)
        self.shed: Counter[tuple[str, str]] = Counter()
        """Connections that were refused or cut, by whose and why."""
        kept = settings.admin.max_connections + OF_OUR_OWN
        self.descriptors = Descriptors(kept, self.observer, self.shed)
        self.upstreams = self._make_upstreams()
        self._keys = ClientKeys(secrets.token_bytes(32))
        most_at_once = settings.listen.concurrency
        self.overall = Places(most_at_once) if most_at_once else None
        self.overload = self._make_overload()
        """Whether new requests are refused."""
        self.memory_watch = self._make_memory_watch()
        self.routes = [self._make_route(rule) for rule in settings.routes]
        self.forward = Forward(self._make_plan(), self.observer)
        self.tls = self._make_tls()
        peers = Peers(settings.trusted_proxies, settings.identity.trust_from)
        has_room = self.descriptors.admit_client
        self.listener = Listener(
            self.forward, settings.listen, peers, has_room, self.shed, self.tls.listen
        )
        self.metrics.read_from(self._readings)
        token = settings.admin.token
        guard = Guard(settings.admin.host, token.get_secret_value() if token else None)
        most = settings.admin.max_connections
        self._admin = admin_runner(self.in_process_admin, guard, most, self.shed, self.tls.admin)
        self.admin_port = settings.admin.port
        """Known once it listens."""
        self._is_watched = False
        """Whether the lag of the loop is told."""
        self.not_ready_because: str | None = "starting"
        """Why no traffic is wanted; None while it is."""
        self.ask_to_end: Callable[[], None] | None = None
        """Drains and ends the process, as a signal would; None where nobody listens to it."""

    def _make_upstreams(self) -> dict[str, Upstream]:
        def tell(name: str) -> Callable[[EndpointChange], None]:
            return lambda change: self.observer.endpoint_changed(name, change)

        rules = self.settings.upstreams.items()
        has_room = self.descriptors.admit_upstream
        return {
            name: Upstream(name, rule, on_endpoint=tell(name), has_room=has_room)
            for name, rule in rules
        }

    def _make_tls(self) -> TlsService:
        return TlsService(
            self.settings.listen.tls,
            self.settings.admin.tls,
            lambda: (upstream.tls for upstream in self.upstreams.values()),
            self.log.say,
        )

    def _make_overload(self) -> Overload:
        rule = self.settings.overload
        mark = rule.memory_mark(memory_limit())
        return Overload(rule.loop_lag, mark, self.observer.overload_changed)

    def _make_memory_watch(self) -> MemoryWatch | None:
        sign = self.overload.signs.get("memory")
        return MemoryWatch(self.overload.saw_memory, lambda: sign.holds) if sign else None

    def _make_route(self, rule: ResolvedRoute) -> Route:
        breaker = Breaker(rule.name, rule.breaker, self._breaker_changed)
        limits = rate_limits(rule.name, rule.rate_limit, self._keys)
        places = concurrency(rule.concurrency, self._keys)
        spare = fallback(rule.fallback, rule.stream.end_marker)
        headers = (rule.headers.request.change, rule.headers.response.change)
        return Route(rule, breaker, Budget(rule.retry.budget), limits, places, spare, *headers)

    def _breaker_changed(self, change: Transition) -> None:
        self.observer.breaker_changed(change)
        self.in_process_admin.breaker_changed(change)

    def _places_of(self, x: Exchange) -> dict[str, object]:
        """How the pool or the places stand that refused an exchange."""
        if x.outcome is POOL_TIMEOUT:
            return pool_standing(self.upstreams[x.upstream].view())
        own = next((r.concurrency for r in self.routes if r.name == x.route), None)
        is_overall = self.overall is not None and (x.detail or "").startswith("listen.")
        return place_standing(self.overall if is_overall else own.places if own else None)

    def _make_plan(self) -> Plan:
        settings = self.settings
        pseudonym = f"sidelight-{secrets.token_hex(4)}"
        return Plan(
            router=Router(self.routes),
            upstreams=self.upstreams,
            heads=Heads(settings.identity.header, pseudonym),
            pseudonym=pseudonym.encode(),
            identity=settings.identity,
            other_ids=settings.identity.other_ids,
            problem_json=settings.errors.format == "problem",
            html_errors=settings.errors.html,
            proxy_status=ProxyStatus(
                settings.service, on_all=settings.errors.proxy_status == "all"
            ),
            cors=settings.cors,
            fields=self._make_extractor(),
            watcher=self.observer,
            overload=self.overload,
            concurrency=self.overall,
        )

    def _make_extractor(self) -> Callable[[RequestHead], dict[str, str]]:
        observe, store = self.settings.observe, self.settings.store.path
        if not observe.hashes:
            return extractor(observe.fields)
        given = observe.hash_key.get_secret_value() if observe.hash_key else None
        return extractor(observe.fields, hash_key(given, store, self.log.say))

    def _readings(self) -> Iterator[Sample]:
        """Gauges whose subjects know them already."""
        at = now()
        yield from shed_samples(self.shed)
        yield from certificate_samples(self.tls.facts())
        yield from handshake_samples(self.tls.handshakes)
        yield from overload_samples({n: sign.holds for n, sign in self.overload.signs.items()})
        views = {name: up.endpoint_views() for name, up in self.upstreams.items()}
        yield from endpoint_samples(views)
        yield from pool_samples({name: up.view() for name, up in self.upstreams.items()})
        yield from circuit_samples({r.name: r.breaker.state(at) for r in self.routes})
        limits = [r.rate_limits for r in self.routes if r.rate_limits]
        yield from rate_limit_samples(c for one in limits for c in one.counts())
        places = {r.name: r.concurrency.places for r in self.routes if r.concurrency}
        yield from place_samples(places | ({"*": self.overall} if self.overall else {}))
        yield from budget_samples({r.name: r.budget.tokens(at) for r in self.routes})

    async def start(self) -> None:
        """Listen on both ports; ready when it returns."""
        take_over_logging(self.log)
        asyncio.get_running_loop().set_exception_handler(self._loop_failed)
        self.observer.config_loaded(self.settings.config_hash)
        await self.listener.start()
        admin = self.settings.admin
        self.admin_port = await self._admin.listen(admin.host, admin.port)
        self.tls.watch.start()
        await self.diagnostics.start()
        LAG.watch(asyncio.get_running_loop(), self.observer.loop_lag)
        LAG.watch(asyncio.get_running_loop(), self.overload.saw_lag)
        self._is_watched = True
        if self.memory_watch is not None:
            self.memory_watch.start()
        for upstream in self.upstreams.values():
            upstream.start_checks()
        self.observer.started(version=__version__, port=self.port, admin_port=self.admin_port)
        self.not_ready_because = None

    def _loop_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """What nobody awaited. asyncio says it for each connection that it could not accept."""
        if context.get("message") == _NONE_LEFT:
            self.descriptors.ran_out()
        else:
            loop.default_exception_handler(context)

    @property
    def port(self) -> int:
        """Of the traffic port; known once it listens."""
        return self.listener.port

    async def drain(self, *, delay: float, limit: float, cause: str) -> None:
        """Want no more traffic, wait `delay` for the news to spread, let exchanges end.

        Those still running after `limit` seconds are cut; cancelled, all are cut at once.
        """
        self.not_ready_because = "draining"
        self.forward.drain.begin(cause, limit)
        self.observer.drain_began(cause, limit)
        try:
            await asyncio.sleep(delay)
            self.forward.drain.refuses = True
            await self.listener.stop_accepting()
            await self.forward.drain.finished(limit)
        finally:
            await self.forward.drain.cut()
            self.observer.drain_ended()

    async def stop(self) -> None:
        """Close everything and write the log to its end."""
        if self._is_watched:
            LAG.unwatch(self.observer.loop_lag)
            LAG.unwatch(self.overload.saw_lag)
            self._is_watched = False
        await self.tls.watch.stop()
        if self.memory_watch is not None:
            await self.memory_watch.stop()
        await self.listener.stop()
        await self._admin.cleanup()
        for upstream in self.upstreams.values():
            await upstream.close()
        self.observer.flush()
        await self.diagnostics.stop()
        asyncio.get_running_loop().set_exception_handler(None)
        give_back_logging()
        await asyncio.to_thread(self.log.close)
