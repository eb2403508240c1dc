"""`AdminSources` of an app in the same process: what the admin port may read of it and ask for.

Reads what is there and copies it into plain values; keeps nothing but the latest changes of the
circuits, which nobody else remembers.
"""

from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from proxy import __version__
from proxy.admin.app_view import AppView
from proxy.admin.health import CircuitView, HealthView
from proxy.admin.json_view import JsonObject
from proxy.admin.limits import limits_body
from proxy.admin.live import Live, Running
from proxy.admin.sources import DiagnosticsView, Order
from proxy.clock import now, wall
from proxy.diagnostics.alerts.conditions import SystemState
from proxy.matching.rank import specificity
from proxy.observation.breaker_opening import opened
from proxy.observation.reload_report import ReloadReport
from proxy.observation.series import Exemplars, Snapshot
from proxy.observation.upstream_status import (
    AttemptHistory,
    UpstreamHealth,
    circuit_open,
    of_checks,
)
from proxy.resilience.permits import Transition
from proxy.routing import Route
from proxy.upstream.health.view import EndpointView

_CHANGES: Final = 10
_JITTER: Final = 0.1
"""Seconds by which two readings of the two clocks may differ though nobody has set one."""


class InProcessAdmin:
    """`started` is of the clock that never jumps."""

    def __init__(self, app: AppView) -> None:
        self._app = app
        self._started = now()
        self._ahead = wall() - now()
        self._changes: dict[str, deque[Transition]] = {}

    def breaker_changed(self, change: Transition) -> None:
        """Remember it."""
        self._changes.setdefault(change.name, deque(maxlen=_CHANGES)).appendleft(change)

    def forget_others(self, routes: Collection[str]) -> None:
        """Forget the changes of circuits of all other routes."""
        for name in [one for one in self._changes if one not in routes]:
            del self._changes[name]

    async def reload(self, cause: str) -> ReloadReport:
        return await self._app.reloader.reload(cause)

    def last_reload(self) -> ReloadReport | None:
        return self._app.reloader.last

    @property
    def diagnostics(self) -> DiagnosticsView:
        self._app.observer.flush()
        return self._app.diagnostics

    def ready(self) -> tuple[bool, str]:
        reason = self._app.not_ready_because
        return reason is None, reason or ""

    def health(self) -> HealthView:
        app, at = self._app, now()
        endpoints = {name: up.endpoint_views() for name, up in app.upstreams.items()}
        return HealthView(
            now=at,
            wall=self._wall(at),
            started=self._started,
            upstreams=self._upstreams(at, endpoints),
            endpoints=endpoints,
            circuits={
                r.name: CircuitView(r.breaker.view(at), r.rule.breaker.critical) for r in app.routes
            },
            overload=app.overload.detail,
            pools={name: upstream.view() for name, upstream in app.upstreams.items()},
            certificates=app.tls.facts(),
            version=__version__,
            config_hash=app.settings.config_hash,
            reloaded=app.reloader.last,
        )

    def _wall(self, at: float) -> float:
        """`at` as seconds since 1970: the same for the same moment, however often it is asked for,
        until somebody sets the machine's clock."""
        ahead = wall() - now()
        if abs(ahead - self._ahead) > _JITTER:
            self._ahead = ahead
        return at + self._ahead

    def _upstreams(
        self, at: float, endpoints: Mapping[str, Sequence[EndpointView]]
    ) -> dict[str, UpstreamHealth]:
        histories, fresh = self._app.observer.histories, AttemptHistory()
        views: dict[str, UpstreamHealth] = {}
        for name, checked in endpoints.items():
            history = histories.get(name, fresh)
            views[name] = of_checks(checked, history.health(at), history.last)
        for route in self._app.routes:
            if route.rule.breaker.critical and route.breaker.state(at) == "open":
                upstream, since = route.rule.upstream, route.breaker.view(at).opened_at
                views[upstream] = circuit_open(route.name, since, views[upstream])
        return views

    def live(self) -> Live:
        health = self.health()
        in_flight: Counter[str] = Counter()
        streams: Counter[str] = Counter()
        for x in self._app.observer.running.values():
            in_flight[x.route] += 1
            streams[x.route] += x.streamed and x.committed is not None
        names = {**dict.fromkeys(route.name for route in self._app.routes), **in_flight}
        running = {name: Running(in_flight[name], streams[name]) for name in names}
        return Live(health, running, self._app.summary.slots(health.now))

    def summary(self) -> Mapping[str, object]:
        self._app.observer.flush()
        return self._app.summary.figures(now())

    def snapshot(self) -> Snapshot:
        return self._app.metrics.snapshot()

    def exemplars(self) -> Exemplars:
        return self._app.metrics.exemplars()

    def config(self) -> Mapping[str, object]:
        return self._app.settings.model_dump(mode="json")

    def system_state(self) -> SystemState:
        """How the parts stand, for the alerts."""
        at, routes = now(), self._app.routes
        views = [(n, v) for n, up in self._app.upstreams.items() for v in up.endpoint_views()]
        pools = ((name, upstream.view()) for name, upstream in self._app.upstreams.items())
        return SystemState(
            circuits_open=tuple(r.name for r in routes if r.breaker.state(at) != "closed"),
            pools_exhausted=tuple(n for n, p in pools if p.waiting and p.in_use >= p.size),
            wall=wall(),
            certificates=tuple(self._app.tls.facts()),
            overloaded=tuple(n for n, sign in self._app.overload.signs.items() if sign.holds),
            endpoints_down=tuple(
                (n, v.endpoint, v.reason or "") for n, v in views if v.status == "down"
            ),
            log_dropped=sum(self._app.log.dropped.values()),
            config_rejected=self._app.reloader.is_rejected,
        )

    def routes(self) -> Sequence[JsonObject]:
        rules = sorted((r.rule for r in self._app.routes), key=lambda rule: specificity(rule.match))
        return [rule.model_dump(mode="json") for rule in rules]

    def limits(self) -> JsonObject:
        app = self._app
        return limits_body(app.routes, app.overall, app.overload, now())

    def breakers(self) -> Sequence[JsonObject]:
        health = self.health()
        return [self._breaker(route, health) for route in self._app.routes]

    def _breaker(self, route: Route, health: HealthView) -> JsonObject:
        rule = route.rule.breaker
        changes = [
            {
                "at": health.dated(change.at),
                "to": change.to,
                "cause": change.cause,
                **_failures(change, health),
            }
            for change in self._changes.get(route.name, ())
        ]
        view = {"route": route.name, "enabled": rule.enabled, "critical": rule.critical}
        return {**view, **health.circuit(route.name), "changes": changes}

    def order_breaker(self, route: str, order: Order) -> str | None:
        named = {each.name: each.breaker for each in self._app.routes}
        breaker, at = named.get(route), now()
        if breaker is None:
            return "route_not_found"
        if not breaker.rule.enabled:
            return "breaker_disabled"
        state = breaker.state(at)
        if order == "open" and state != "open":
            breaker.open(at)
        elif order == "reset" or (order == "close" and state != "closed"):
            breaker.close(at)
        return None

    def drain_view(self) -> JsonObject:
        app = self._app
        is_draining = app.not_ready_because == "draining"
        return {"draining": is_draining, "running": len(app.observer.running)}

    def start_drain(self) -> bool:
        app = self._app
        if app.not_ready_because is not None or app.ask_to_end is None:
            return False
        app.not_ready_because = "draining"  # so that a second one is refused
        app.ask_to_end()
        return True


def _failures(change: Transition, health: HealthView) -> JsonObject:
    """The failures that opened it; nothing where it did not open."""
    if change.opening is None:
        return {}
    return {"failures": opened(change.opening, health.dated)["failures"]}
