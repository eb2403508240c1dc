"""The house: everything built from the settings, started, drained and stopped in order."""

import asyncio
import secrets
from collections.abc import Callable, Iterator

from aiohttp import web

from proxy import __version__
from proxy.admin.door import admin_runner
from proxy.admin.guard import Guard
from proxy.clock import now
from proxy.fields import extractor
from proxy.forward import Forward
from proxy.heads import Heads
from proxy.listener import Listener
from proxy.observation.desk import Desk, DeskRules
from proxy.observation.lag import measure_lag
from proxy.observation.library import give_back_logging, take_over_logging
from proxy.observation.log import Log
from proxy.observation.metrics import Metrics
from proxy.observation.observer import Observer
from proxy.observation.readings import budget_readings, circuit_readings, pool_readings
from proxy.observation.series import Reading
from proxy.observation.summary import Summary
from proxy.oversight import Oversight
from proxy.passage import Plan
from proxy.peers import Peers
from proxy.resilience.breaker import Breaker
from proxy.resilience.budget import Budget
from proxy.resilience.permits import Transition
from proxy.routing import Route, Router
from proxy.settings.schema import ResolvedRoute, Settings
from proxy.transport.upstream import Upstream


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
        self.oversight = Oversight(self)
        self.desk = Desk(
            DeskRules(settings.stories, settings.store, settings.alerts),
            tell=self.log.say,
            signs=self.oversight.signs,
            service=settings.service,
            config_hash=settings.config_hash,
        )
        self.observer.readers.append(self.desk.closed)
        self.metrics.read_from(self.desk.readings)
        self.upstreams = self._make_upstreams()
        self.routes = [self._make_route(rule) for rule in settings.routes]
        self.forward = Forward(self._make_plan(), self.observer)
        peers = Peers(settings.trusted_proxies, settings.identity.trust_from)
        self.listener = Listener(self.forward, settings.listen, peers)
        self.metrics.read_from(self._readings)
        token = settings.admin.token
        guard = Guard(settings.admin.host, token.get_secret_value() if token else None)
        self._admin = admin_runner(self.oversight, guard)
        self.admin_port = settings.admin.port
        """Known once it listens."""
        self._lag: asyncio.Task[None] | None = None
        self.not_ready_because: str | None = "starting"
        """Why no traffic is wanted; None while it is."""
        self.ask_to_end: Callable[[], None] | None = None
        """Drains and ends the process, as a signal would; None where nobody listens to it."""

    def _make_upstreams(self) -> dict[str, Upstream]:
        def tell(name: str) -> Callable[[str, bool], None]:
            return lambda url, is_up: self.observer.endpoint_changed(name, url, is_up)

        rules = self.settings.upstreams.items()
        return {name: Upstream(name, rule, on_endpoint=tell(name)) for name, rule in rules}

    def _make_route(self, rule: ResolvedRoute) -> Route:
        breaker = Breaker(rule.name, rule.breaker, self._breaker_changed)
        return Route(rule, breaker, Budget(rule.retry.budget))

    def _breaker_changed(self, change: Transition) -> None:
        self.observer.breaker_changed(change)
        self.oversight.breaker_changed(change)

    def _make_plan(self) -> Plan:
        settings = self.settings
        pseudonym = f"sidelight-{secrets.token_hex(4)}"
        return Plan(
            router=Router(self.routes),
            upstreams=self.upstreams,
            heads=Heads(settings.identity.header, pseudonym),
            pseudonym=pseudonym.encode(),
            identity=settings.identity,
            cors=settings.cors,
            fields=extractor(settings.observe.fields),
            watcher=self.observer,
        )

    def _readings(self) -> Iterator[Reading]:
        """Gauges whose subjects know them already."""
        at = now()
        yield from pool_readings({name: up.view() for name, up in self.upstreams.items()})
        yield from circuit_readings({r.name: r.breaker.state(at) for r in self.routes})
        yield from budget_readings({r.name: r.budget.tokens(at) for r in self.routes})

    async def start(self) -> None:
        """Listen on both ports; ready when it returns."""
        take_over_logging(self.log)
        self.observer.config_loaded(self.settings.config_hash)
        await self.listener.start()
        await self._admin.setup()
        await web.TCPSite(self._admin, self.settings.admin.host, self.settings.admin.port).start()
        self.admin_port = self._admin.addresses[0][1]
        await self.desk.start()
        self._lag = asyncio.create_task(measure_lag(self.metrics.lag))
        self.observer.started(version=__version__, port=self.port, admin_port=self.admin_port)
        self.not_ready_because = None

    @property
    def port(self) -> int:
        """Of the traffic port; known once it listens."""
        return self.listener.port

    async def drain(self, *, delay: float, limit: float, cause: str) -> None:
        """Want no more traffic, wait `delay` for the news to spread, let exchanges end.

        Those still running after `limit` seconds are cut; cancelled, all are cut at once.
        """
        self.not_ready_because = "draining"
        self.forward.drain.has_begun = True
        self.observer.drain_began(cause, limit)
        try:
            await asyncio.sleep(delay)
            self.forward.drain.refuses = True
            await self.listener.stop_accepting()
            await self.forward.finished(limit)
        finally:
            await self.forward.cut()
            self.observer.drain_ended()

    async def stop(self) -> None:
        """Close everything and write the log to its end."""
        if self._lag is not None:
            self._lag.cancel()
        await self.listener.stop()
        await self._admin.cleanup()
        for upstream in self.upstreams.values():
            await upstream.close()
        self.observer.flush()
        await self.desk.stop()
        give_back_logging()
        await asyncio.to_thread(self.log.close)
