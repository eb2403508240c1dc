"""One running Sidelight: everything is built from the settings, started, drained and stopped in
order.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from proxy import __version__
from proxy.admin.gauges import gauges_of, places_of
from proxy.admin.guard import Guard
from proxy.admin.in_process import InProcessAdmin
from proxy.admin.server import AdminRunner, admin_runner
from proxy.clock import now
from proxy.descriptors import OF_OUR_OWN, Descriptors
from proxy.diagnostics.neighbours.holders import Holders
from proxy.diagnostics.service import Diagnostics
from proxy.forward import Forward
from proxy.limits.overload import Overload
from proxy.limits.places import Places
from proxy.listener import Listener
from proxy.observation.library import give_back_logging, take_over_logging
from proxy.observation.log import Log
from proxy.observation.metrics import Metrics
from proxy.observation.observer import Observer
from proxy.observation.summary import Summary
from proxy.reload.build import Builder, Built
from proxy.reload.reloader import Reloader
from proxy.reload.told import diagnostics_rules, token_of
from proxy.resilience.permits import Transition
from proxy.routing import Route
from proxy.settings.schema import Settings
from proxy.settings.sections import Listen
from proxy.settings.source import Source
from proxy.timing.loop_lag import LAG
from proxy.timing.memory import MemoryWatch, memory_limit
from proxy.tls.service import TlsService
from proxy.tracing.service import Tracing
from proxy.upstream.upstream import Upstream

_NONE_LEFT = "socket.accept() out of system resource"


class App:
    """One running Sidelight.

    `start` raises OSError where a port is taken; `stop` may be called at any time, and twice.
    """

    def __init__(
        self, settings: Settings, *, log_fd: int = 1, source: Source | None = None
    ) -> None:
        self.log = Log(settings.service, log_fd, level=settings.log.level, size=settings.log.queue)
        self.metrics = Metrics({r.name: r.upstream for r in settings.routes}, __version__)
        self.summary = Summary(now())
        self.observer = Observer(self.log, self.metrics, self.summary, sample=settings.log.sample)
        self.in_process_admin = InProcessAdmin(self)
        self.diagnostics = self._make_diagnostics(settings)
        self.tracing = Tracing(settings, self.log.say)
        self.observer.readers += [self.diagnostics.closed, *self.tracing.readers]
        self.metrics.read_from(self.diagnostics.readings)
        self.shed: Counter[tuple[str, str]] = Counter()
        """Connections that were refused or cut, by whose and why."""
        kept = settings.admin.max_connections + OF_OUR_OWN
        self.descriptors = Descriptors(kept, self.observer, self.shed)
        self.overload = self._make_overload(settings)
        """Whether new requests are refused."""
        self.memory_watch = self._make_memory_watch()
        self._builder = self._make_builder()
        self.current = self._builder.current = self._builder.build(settings)
        """What the settings in force were made into."""
        self.retired: list[Upstream] = []
        """Upstreams that were replaced, and whose exchanges are not over."""
        self.forward = Forward(self.current.plan, self.observer)
        self.tls = self._make_tls()
        self.listener = self._make_listener(settings.listen)
        self.reloader = Reloader(self, self._builder, self.observer, source)
        self.metrics.read_from(partial(gauges_of, self))
        self._guard = Guard(settings.admin.host, token_of(settings))
        self._admin = self._make_admin(settings.admin.max_connections)
        self.admin_port = settings.admin.port
        """Known once it listens."""
        self._is_watched = False
        """Whether the lag of the loop is told."""
        self.not_ready_because: str | None = "starting"
        """Why no traffic is wanted; None while it is."""
        self.ask_to_end: Callable[[], None] | None = None
        """Drains and ends the process, as a signal would; None where nobody listens to it."""

    @property
    def settings(self) -> Settings:
        return self.current.settings

    @property
    def routes(self) -> Sequence[Route]:
        return self.current.routes

    def _make_diagnostics(self, settings: Settings) -> Diagnostics:
        return Diagnostics(
            diagnostics_rules(settings),
            tell=self.log.say,
            system_state=self.in_process_admin.system_state,
            service=settings.service,
            own_fields=tuple(settings.observe.fields),
            holders=Holders(self.observer.running.values, partial(places_of, self)),
        )

    def _make_builder(self) -> Builder:
        return Builder(
            self.observer,
            self.log.say,
            self._breaker_changed,
            self.descriptors.admit_upstream,
            self.overload,
            self.tracing.sampler,
        )

    def _make_listener(self, rule: Listen) -> Listener:
        has_room, peers = self.descriptors.admit_client, self.current.peers
        return Listener(self.forward, rule, peers, has_room, self.shed, self.tls.listen)

    def _make_admin(self, most: int) -> AdminRunner:
        tls = self.tls.admin
        return admin_runner(self.in_process_admin, self._guard, most, self.shed, tls)

    def _make_tls(self) -> TlsService:
        return TlsService(
            self.settings.listen.tls,
            self.settings.admin.tls,
            lambda: (upstream.tls for upstream in self.upstreams.values()),
            self.log.say,
        )

    def _make_overload(self, settings: Settings) -> Overload:
        rule = settings.overload
        mark = rule.memory_mark(memory_limit())
        return Overload(rule.loop_lag, mark, self.observer.overload_changed)

    def _make_memory_watch(self) -> MemoryWatch | None:
        sign = self.overload.signs.get("memory")
        return MemoryWatch(self.overload.saw_memory, lambda: sign.holds) if sign else None

    @property
    def upstreams(self) -> Mapping[str, Upstream]:
        return self.current.plan.upstreams

    @property
    def overall(self) -> Places | None:
        return self.current.plan.concurrency

    def take(self, built: Built) -> None:
        """Put other settings in force: one step, in which nothing can fail or come in between."""
        before, settings = self.current, built.settings
        replaced = built.replaced(before)
        for adapt in built.at_switch:
            adapt()
        self.current = self._builder.current = built
        self.forward.plan = built.plan
        self.listener.take(settings.listen, built.peers)
        self.log.listen_from(settings.log.level)
        self._guard.token = token_of(settings)
        routes = {route.name: route.rule.upstream for route in built.routes}
        self.observer.record_share(settings.log.sample)
        self.observer.take(routes, self.upstreams, {upstream.name for upstream in replaced})
        self.tracing.take(settings)
        self.diagnostics.take(diagnostics_rules(settings), {*routes, *built.plan.upstreams})
        self.in_process_admin.forget_others(routes)
        for upstream in replaced:
            upstream.retire()
        for upstream in before.replaced(built):
            upstream.start_checks()
        self.retired = [up for up in (*self.retired, *replaced) if not up.is_over]
        self.reloader.watch(settings.reload.watch)

    def _breaker_changed(self, change: Transition) -> None:
        self.observer.breaker_changed(change)
        self.in_process_admin.breaker_changed(change)

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
        self.tracing.start()
        LAG.watch(asyncio.get_running_loop(), self.observer.loop_lag)
        LAG.watch(asyncio.get_running_loop(), self.overload.saw_lag)
        self._is_watched = True
        if self.memory_watch is not None:
            self.memory_watch.start()
        for upstream in self.upstreams.values():
            upstream.start_checks()
        self.observer.started(version=__version__, port=self.port, admin_port=self.admin_port)
        self.not_ready_because = None
        self.reloader.watch(self.settings.reload.watch)

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
        await self.reloader.stop()
        await self.tls.watch.stop()
        if self.memory_watch is not None:
            await self.memory_watch.stop()
        await self.listener.stop()
        await self._admin.cleanup()
        for upstream in (*self.upstreams.values(), *self.retired):
            await upstream.close()
        self.observer.flush()
        await self.diagnostics.stop()
        await self.tracing.stop()
        asyncio.get_running_loop().set_exception_handler(None)
        give_back_logging()
        await asyncio.to_thread(self.log.close)
