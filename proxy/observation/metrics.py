"""Counts exchanges and state changes. Decides on labels, renders nothing.

Labels come from the settings or from closed lists. Anything else is counted as `other`, and the
overflow is counted too.
"""

import platform
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from proxy.exchange import Exchange
from proxy.observation.route_metrics import NONE, OTHER, RouteMetrics
from proxy.observation.series import Exemplars, Sample, Series, Snapshot
from proxy.outcome import OUTCOMES

ANNOUNCED_ROUTES: Final = 50
"""Routes whose errors are exposed as 0 before the first, so that `rate()` sees that one too."""


class Metrics:
    """The numbers of one process; `routes` names each route's upstream, as the settings do."""

    def __init__(self, routes: Mapping[str, str], version: str = "") -> None:
        self._series = Series()
        self.routes = tuple(routes)
        self._upstreams = {**routes, "": NONE}
        self._routes: dict[str, RouteMetrics] = {}
        self._lag = self._series.spread("sidelight_event_loop_lag_seconds")
        build = self._series.numbers("sidelight_build_info")
        build[version, platform.python_version()] = 1
        self._announce_errors()

    def count(self, x: Exchange) -> None:
        """Count an exchange that has ended."""
        self._route(x.route).count(x)

    def stream_gaps(self, x: Exchange) -> Callable[[float], None]:
        """Counts silences, in seconds, within a stream that goes on."""
        return self._route(x.route).gaps(x.request_id, x.trace_id)

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
                    terminations[route, outcome.code] = 0

    def _make_route(self, name: str) -> RouteMetrics:
        if name not in self._upstreams:
            overflow = self._series.numbers("sidelight_label_overflow_total")
            overflow[("sidelight_requests_total",)] += 1
            name = OTHER
        if name not in self._routes:
            upstream = self._upstreams.get(name, OTHER)
            self._routes[name] = RouteMetrics(self._series, name or NONE, upstream)
        return self._routes[name]
