"""Gauges of what runs, whose subjects know them already, and how places stand."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from proxy.clock import now
from proxy.diagnostics.neighbours.holders import place_standing, pool_standing
from proxy.exchange import Exchange
from proxy.limits.overload import Overload
from proxy.limits.places import Places
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
    retired_samples,
    shed_samples,
)
from proxy.observation.series import Sample
from proxy.outcome import POOL_TIMEOUT
from proxy.routing import Route
from proxy.tls.service import TlsService
from proxy.tracing.service import Tracing
from proxy.upstream.upstream import Upstream


class GaugedApp(Protocol):
    """What is looked at."""

    shed: Counter[tuple[str, str]]
    retired: list[Upstream]
    tls: TlsService
    overload: Overload
    tracing: Tracing

    @property
    def routes(self) -> Sequence[Route]: ...
    @property
    def upstreams(self) -> Mapping[str, Upstream]: ...
    @property
    def overall(self) -> Places | None: ...


def gauges_of(app: GaugedApp) -> Iterator[Sample]:
    """Gauges whose subjects know them already."""
    at = now()
    yield from shed_samples(app.shed)
    yield from app.tracing.readings()
    yield from certificate_samples(app.tls.facts())
    yield from handshake_samples(app.tls.handshakes)
    yield from overload_samples({n: sign.holds for n, sign in app.overload.signs.items()})
    views = {name: up.endpoint_views() for name, up in app.upstreams.items()}
    yield from endpoint_samples(views)
    yield from pool_samples({name: up.view() for name, up in app.upstreams.items()})
    yield from retired_samples((up.name, up.view().in_use) for up in app.retired)
    yield from circuit_samples({r.name: r.breaker.state(at) for r in app.routes})
    limits = [r.rate_limits for r in app.routes if r.rate_limits]
    yield from rate_limit_samples(c for one in limits for c in one.counts())
    places = {r.name: r.concurrency.places for r in app.routes if r.concurrency}
    yield from place_samples(places | ({"*": app.overall} if app.overall else {}))
    yield from budget_samples({r.name: r.budget.tokens(at) for r in app.routes})


def places_of(app: GaugedApp, x: Exchange) -> dict[str, object]:
    """How the pool or the places stand that refused an exchange; nothing of what is no more."""
    if x.outcome is POOL_TIMEOUT:
        upstream = app.upstreams.get(x.upstream)  # a reload may have taken it away since
        return pool_standing(upstream.view()) if upstream is not None else {}
    own = next((r.concurrency for r in app.routes if r.name == x.route), None)
    is_overall = app.overall is not None and (x.detail or "").startswith("listen.")
    return place_standing(app.overall if is_overall else own.places if own else None)
