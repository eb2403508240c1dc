"""Gauges whose values other parts hold, as samples for a snapshot of the metrics."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

from proxy.observation.series import Sample

STATES: Final = ("closed", "open", "half_open")
USED: Final = frozenset({"up", "usable", "unknown"})
"""States of endpoints that may be chosen."""
STORE_CAUSES: Final = ("queue_full", "rejected", "closing")
"""Why the store loses stories."""


class PlaceLevels(Protocol):
    """What is read of the places of a concurrency limit."""

    @property
    def in_use(self) -> int: ...
    @property
    def waiting(self) -> int: ...
    @property
    def limit(self) -> int | None: ...


class EndpointLevel(Protocol):
    """What is read of an endpoint's view."""

    @property
    def endpoint(self) -> str: ...
    @property
    def status(self) -> str: ...


class PoolLevels(Protocol):
    """What is read of a pool's view."""

    @property
    def in_use(self) -> int: ...
    @property
    def idle(self) -> int: ...
    @property
    def waiting(self) -> int: ...


class CertificateLevels(Protocol):
    """What is read of a certificate and its files."""

    @property
    def name(self) -> str: ...
    @property
    def expires(self) -> float | None: ...
    @property
    def rejected(self) -> str | None: ...


def pool_samples(views: Mapping[str, PoolLevels]) -> Iterator[Sample]:
    """`views` by upstream."""
    for upstream, view in views.items():
        for state, n in (("idle", view.idle), ("active", view.in_use), ("waiting", view.waiting)):
            yield "sidelight_upstream_connections", (upstream, state), n


def endpoint_samples(views: Mapping[str, Sequence[EndpointLevel]]) -> Iterator[Sample]:
    """`views` by upstream; the addresses of one name are one endpoint."""
    for upstream, endpoints in views.items():
        works: dict[str, bool] = {}
        for view in endpoints:
            may_be_used = view.status in USED
            works[view.endpoint] = works.get(view.endpoint, False) or may_be_used
        for endpoint, is_healthy in works.items():
            yield "sidelight_endpoint_healthy", (upstream, endpoint), float(is_healthy)


def retired_samples(upstreams: Iterable[tuple[str, int]]) -> Iterator[Sample]:
    """Connections in use of upstreams that a reload has replaced, by their names."""
    total: Counter[str] = Counter()
    for upstream, n in upstreams:
        total[upstream] += n
    for upstream, n in total.items():
        if n:
            yield "sidelight_upstream_connections", (upstream, "retired"), n


def circuit_samples(states: Mapping[str, str]) -> Iterator[Sample]:
    """`states` by route: every state has a sample, 1 for the present one."""
    for route, present in states.items():
        for state in STATES:
            yield "sidelight_circuit_state", (route, state), float(state == present)


def budget_samples(tokens: Mapping[str, float]) -> Iterator[Sample]:
    """`tokens` by route."""
    for route, left in tokens.items():
        yield "sidelight_retry_budget_tokens", (route,), left


def shed_samples(shed: Mapping[tuple[str, str], int]) -> Iterator[Sample]:
    """`shed` by whose connections they were, and why."""
    for labels, n in shed.items():
        yield "sidelight_connections_shed_total", labels, n


def overload_samples(signs: Mapping[str, bool]) -> Iterator[Sample]:
    """`signs` by cause: whether new requests are refused for it."""
    for cause, holds in signs.items():
        yield "sidelight_overloaded", (cause,), float(holds)


def rate_limit_samples(counts: Iterable[tuple[str, str, int]]) -> Iterator[Sample]:
    """`counts` are policy, decision and how often; routes may share a policy."""
    total: Counter[tuple[str, str]] = Counter()
    for policy, decision, n in counts:
        total[policy, decision] += n
    for labels, n in total.items():
        yield "sidelight_rate_limit_decisions_total", labels, n


def place_samples(places: Mapping[str, PlaceLevels]) -> Iterator[Sample]:
    """`places` by scope: a route, or `*` for all together."""
    for scope, levels in places.items():
        yield "sidelight_concurrency_in_use", (scope,), levels.in_use
        yield "sidelight_concurrency_queue_length", (scope,), levels.waiting
        if levels.limit is not None:
            yield "sidelight_concurrency_limit", (scope,), levels.limit


def certificate_samples(facts: Iterable[CertificateLevels]) -> Iterator[Sample]:
    """When each ends, and whether its files were refused."""
    for one in facts:
        if one.expires is not None:
            yield "sidelight_certificate_expiry_timestamp_seconds", (one.name,), one.expires
        refused = float(one.rejected is not None)
        yield "sidelight_certificate_files_rejected", (one.name,), refused


def handshake_samples(counts: Mapping[tuple[str, str], int]) -> Iterator[Sample]:
    """`counts` by port and result."""
    for labels, n in counts.items():
        yield "sidelight_tls_handshakes_total", labels, n


def store_samples(dropped: Mapping[str, int]) -> Iterator[Sample]:
    """`dropped` by cause; every cause has a sample at once, so that `rate()` sees the first."""
    for cause in STORE_CAUSES:
        yield "sidelight_store_dropped_total", (cause,), dropped.get(cause, 0)


def alert_samples(results: Mapping[tuple[str, str], int]) -> Iterator[Sample]:
    """`results` by rule and by what became of the message."""
    for labels, n in results.items():
        yield "sidelight_alerts_total", labels, n
