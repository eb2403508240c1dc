"""What others know, as gauges."""

from dataclasses import dataclass

from proxy.observation.readings import (
    budget_samples,
    certificate_samples,
    circuit_samples,
    endpoint_samples,
    pool_samples,
    rate_limit_samples,
    store_samples,
)
from proxy.upstream.health.view import EndpointView


@dataclass
class Pool:
    in_use: int
    idle: int
    waiting: int


@dataclass
class Certificate:
    name: str
    expires: float | None = None
    rejected: str | None = None


def test_a_certificate_is_told_by_its_end_and_its_files() -> None:
    told = [Certificate("listen", 2e9), Certificate("upstreams.chat", rejected="broken")]

    assert [
        ("sidelight_certificate_expiry_timestamp_seconds", ("listen",), 2e9),
        ("sidelight_certificate_files_rejected", ("listen",), 0.0),
        ("sidelight_certificate_files_rejected", ("upstreams.chat",), 1.0),
    ] == list(certificate_samples(told))


def test_a_pool_is_told_in_three_parts() -> None:
    name = "sidelight_upstream_connections"

    assert [
        (name, ("backend", "idle"), 2),
        (name, ("backend", "active"), 1),
        (name, ("backend", "waiting"), 3),
    ] == list(pool_samples({"backend": Pool(in_use=1, idle=2, waiting=3)}))


def test_every_state_of_a_circuit_is_told() -> None:
    name = "sidelight_circuit_state"

    assert [
        (name, ("chat", "closed"), 0.0),
        (name, ("chat", "open"), 1.0),
        (name, ("chat", "half_open"), 0.0),
    ] == list(circuit_samples({"chat": "open"}))


def test_routes_that_share_a_policy_are_told_together() -> None:
    counts = [("chat", "allowed", 2), ("chat", "refused", 1), ("chat", "allowed", 3)]
    name = "sidelight_rate_limit_decisions_total"

    assert [(name, ("chat", "allowed"), 5), (name, ("chat", "refused"), 1)] == list(
        rate_limit_samples(counts)
    )


def test_a_budget_is_told_by_route() -> None:
    name = "sidelight_retry_budget_tokens"

    assert [(name, ("chat",), 19.5)] == list(budget_samples({"chat": 19.5}))


def test_what_the_store_lost_begins_at_nothing() -> None:
    name = "sidelight_store_dropped_total"

    assert [
        (name, ("queue_full",), 0),
        (name, ("rejected",), 2),
        (name, ("closing",), 0),
    ] == list(store_samples({"rejected": 2}))


def test_an_endpoint_is_healthy_while_one_of_its_addresses_may_be_used() -> None:
    views = {
        "chat": [
            EndpointView("http://a", None, "up"),
            EndpointView("http://b", None, "down"),
            EndpointView("http://c", "10.0.0.1", "ejected"),
            EndpointView("http://c", "10.0.0.2", "usable"),
            EndpointView("http://d", "10.0.0.1", "resting"),
            EndpointView("http://e", None, "unknown"),
        ]
    }

    assert [("a", 1.0), ("b", 0.0), ("c", 1.0), ("d", 0.0), ("e", 1.0)] == [
        (labels[1].removeprefix("http://"), value) for _, labels, value in endpoint_samples(views)
    ]
