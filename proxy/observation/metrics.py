"""Counts exchanges and state changes. Decides on labels, renders nothing.

Labels come from the settings or from closed lists. Anything else is counted as `other`, and the
overflow is counted too.
"""

import platform
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from proxy.exchange import Exchange
from proxy.observation.route_metrics import NONE, OTHER, RouteMetrics
from proxy.observation.series import Exemplars, Sample, Series, Snapshot
from proxy.outcome import OUTCOMES

ANNOUNCED_ROUTES: Final = 50
"""Routes whose errors are exposed as 0 before the first, so that `rate()` sees that one too."""


RELOADS: Final = ("loaded", "rejected", "refused")
"""What may come of a reload; each is exposed as 0 before the first."""


class Metrics:
    """The numbers of one process; `routes` names each route's upstream, as the settings do."""

    def __init__(self, routes: Mapping[str, str], version: str = "") -> None:
        self._series = Series()
        self.routes = tuple(routes)
        self._upstreams = {**routes, "": NONE}
        self._routes: dict[str, RouteMetrics] = {}
        self._moved: dict[tuple[str, str], RouteMetrics] = {}
        """Of routes that have another upstream now, for the exchanges that began before."""
        self._lag = self._series.spread("sidelight_event_loop_lag_seconds")
        build = self._series.numbers("sidelight_build_info")
        build[version, platform.python_version()] = 1
        self._announce_errors()
        for result in RELOADS:
            self._series.numbers("sidelight_config_reloads_total")[(result,)] = 0

    def count(self, x: Exchange) -> None:
        """Count an exchange that has ended."""
        if self._moved and (made := self._moved.get((x.route, x.upstream))) is not None:
            made.count(x)
        else:
            self._route(x.route).count(x)

    def stream_gaps(self, x: Exchange) -> Callable[[float], None]:
        """Counts silences, in seconds, within a stream that goes on."""
        return self._route(x.route).gaps(x.request_id, x.span_context)

    def _route(self, name: str) -> RouteMetrics:
        return self._routes.get(name) or self._make_route(name)

    def transition(self, route: str, to: str, cause: str) -> None:
        """Count a change of state of the route's circuit."""
        self._series.numbers("sidelight_circuit_transitions_total")[route, to, cause] += 1

    def ejection(self, upstream: str, endpoint: str) -> None:
        """Count an ejection."""
        self._series.numbers("sidelight_endpoint_ejections_total")[upstream, endpoint] += 1

    def config(self, config_hash: str, at: float) -> None:
        """Settings took effect; `at` is wall time."""
        info = self._series.numbers("sidelight_config_info")
        info.clear()
        info[(config_hash,)] = 1
        self._series.numbers("sidelight_config_last_success_timestamp_seconds")[()] = at
        self._series.numbers("sidelight_config_last_reload_successful")[()] = 1

    def reloaded(self, result: str) -> None:
        """Settings were read: loaded or rejected; or nobody looked at them: refused."""
        self._series.numbers("sidelight_config_reloads_total")[(result,)] += 1
        if result == "rejected":
            self._series.numbers("sidelight_config_last_reload_successful")[()] = 0

    def take(
        self,
        routes: Mapping[str, str],
        known: Collection[str],
        running: Collection[tuple[str, str]],
    ) -> None:
        """Count other routes from now on, `known` being all upstreams.

        `running` are the routes, each with its upstream, of exchanges that are not over: they are
        counted to their end. What was counted of all others is dropped, so that labels stay
        bounded however often the settings change.
        """
        before = {**{(name, self._upstreams.get(name, "")): m for name, m in self._routes.items()},
                  **self._moved}  # fmt: skip
        self.routes = tuple(routes)
        self._upstreams = {**dict(running), **routes, "": NONE}
        self._moved = {
            pair: made for pair, made in before.items()
            if pair in running and self._upstreams[pair[0]] != pair[1]
        }  # fmt: skip
        self._routes = {
            name: made for (name, upstream), made in before.items()
            if name == OTHER or self._upstreams.get(name) == upstream
        }  # fmt: skip
        self._series.keep("route", {*self._upstreams, NONE, OTHER})
        self._series.keep("upstream", {*known, *(pair[1] for pair in running), NONE, OTHER})
        self._announce_errors()

    def forget_endpoints(self, upstreams: Collection[str]) -> None:
        """Forget what is known of the endpoints of these."""
        self._series.drop_endpoints(upstreams)

    def drained(self, result: str) -> None:
        """Count an exchange that ended while draining: finished, cut or client_left."""
        self._series.numbers("sidelight_drain_exchanges_total")[(result,)] += 1

    def fault(self) -> None:
        """Count a fault of the observer's own: some exchange was not counted."""
        self._series.numbers("sidelight_errors_total")["critical", "internal_error"] += 1

    def lag(self, seconds: float) -> None:
        self._lag.observe(seconds)

    def read_from(self, source: Callable[[], Iterable[Sample]]) -> None:
        """Ask `source` for gauges at every snapshot; it runs in the loop and must be quick."""
        self._series.read_from(source)

    def snapshot(self) -> Snapshot:
        """A copy to render elsewhere; call it in the loop."""
        return self._series.snapshot()

    def exemplars(self) -> Exemplars:
        """The exchanges that the snapshot taken just before has counted."""
        return self._series.exemplars()

    def _announce_errors(self) -> None:
        terminations = self._series.numbers("sidelight_terminations_total")
        for route in self.routes[:ANNOUNCED_ROUTES]:
            for outcome in OUTCOMES.values():
                if outcome.is_error:
                    terminations[route, outcome.code] += 0

    def _make_route(self, name: str) -> RouteMetrics:
        if name not in self._upstreams:
            overflow = self._series.numbers("sidelight_label_overflow_total")
            overflow[("sidelight_requests_total",)] += 1
            name = OTHER
        if name not in self._routes:
            upstream = self._upstreams.get(name, OTHER)
            self._routes[name] = RouteMetrics(self._series, name or NONE, upstream)
        return self._routes[name]
