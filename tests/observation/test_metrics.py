"""What is counted beside exchanges, and which labels there can be."""

import platform

import pytest

from proxy.observation.metrics import Metrics
from proxy.outcome import OUTCOMES, STREAM_STALLED


@pytest.fixture
def metrics() -> Metrics:
    return Metrics({"chat": "backend", "rest": "backend"}, "1.2.3")


def test_the_version_is_told(metrics: Metrics) -> None:
    build = metrics.snapshot()["sidelight_build_info"]

    assert {("1.2.3", platform.python_version()): 1} == build


def test_an_exchange_counts_for_its_route_and_the_upstream_of_the_settings(
    metrics: Metrics, exchange
) -> None:
    metrics.count(exchange())
    metrics.count(exchange(route="rest"))
    metrics.count(exchange(route="rest"))
    attempts = metrics.snapshot()["sidelight_attempts_total"]

    assert {("chat", "backend", "ok"): 1, ("rest", "backend", "ok"): 2} == attempts


def test_an_exchange_without_a_route_counts_as_none(metrics: Metrics, exchange) -> None:
    metrics.count(exchange(route="", upstream="", attempts=[], status=404))

    assert {("none", "GET", "404"): 1} == metrics.snapshot()["sidelight_requests_total"]


def test_errors_are_told_before_the_first(metrics: Metrics) -> None:
    """`rate()` needs a 0 to see the first failure."""
    told = metrics.snapshot()["sidelight_terminations_total"]
    codes = {outcome.code for outcome in OUTCOMES.values() if outcome.is_error}

    assert {(route, code): 0 for route in ("chat", "rest") for code in codes} == told
    assert "stream_truncated" in codes
    assert "completed" not in codes


def test_many_routes_make_no_flood_of_zeros() -> None:
    metrics = Metrics({f"r{n}": "backend" for n in range(60)})

    told = metrics.snapshot()["sidelight_terminations_total"]

    assert [f"r{n}" for n in range(50)] == list(dict.fromkeys(route for route, _ in told))


@pytest.mark.parametrize(
    "name",
    [
        "sidelight_request_duration_seconds",
        "sidelight_time_to_first_event_seconds",
        "sidelight_stream_max_gap_seconds",
        "sidelight_stream_gap_seconds",
        "sidelight_stream_duration_seconds",
        "sidelight_terminations_total",
        "sidelight_errors_total",
    ],
)
def test_a_stream_that_broke_is_named_where_it_was_counted(metrics, exchange, name: str) -> None:
    x = exchange(
        request_id="id-9",
        outcome=STREAM_STALLED,
        streamed=True,
        committed=10.01,
        reads=2,
        first_event=0.4,
        max_gap=3.0,
    )
    metrics.stream_gaps(x)(3.0)
    metrics.count(x)
    (told,) = metrics.exemplars()[name].values()

    assert ["id-9"] == [request_id for request_id, *_ in told.values()]


def test_what_went_well_is_no_error(metrics: Metrics, exchange) -> None:
    metrics.count(exchange())
    named = metrics.exemplars()

    assert "sidelight_terminations_total" not in named
    assert "sidelight_errors_total" not in named


def test_ten_thousand_strange_names_make_no_series(metrics: Metrics, exchange) -> None:
    for n in range(10_000):
        metrics.count(exchange(route=f"r{n}", method=f"M{n}", status=1000 + n))
    snapshot = metrics.snapshot()

    assert {("other", "other", "other"): 10_000} == snapshot["sidelight_requests_total"]
    assert {("sidelight_requests_total",): 30_000} == snapshot["sidelight_label_overflow_total"]
    assert 1 == len(snapshot["sidelight_request_duration_seconds"])


def test_transitions_are_counted_by_cause(metrics: Metrics) -> None:
    metrics.transition("chat", "open", "ratio")
    transitions = metrics.snapshot()["sidelight_circuit_transitions_total"]

    assert {("chat", "open", "ratio"): 1} == transitions


def test_only_the_settings_in_force_are_told(metrics: Metrics) -> None:
    metrics.config("old", 1.0)
    metrics.config("new", 2.0)
    snapshot = metrics.snapshot()

    assert {("new",): 1} == snapshot["sidelight_config_info"]
    assert {(): 2.0} == snapshot["sidelight_config_last_success_timestamp_seconds"]


def test_lag_drains_and_faults_are_counted(metrics: Metrics) -> None:
    metrics.lag(0.3)
    metrics.drained("cut")
    metrics.fault()
    snapshot = metrics.snapshot()

    assert 0.3 == snapshot["sidelight_event_loop_lag_seconds"][()][-1]
    assert {("cut",): 1} == snapshot["sidelight_drain_exchanges_total"]
    assert {("critical", "internal_error"): 1} == snapshot["sidelight_errors_total"]


def test_sources_are_read(metrics: Metrics) -> None:
    metrics.read_from(lambda: [("sidelight_retry_budget_tokens", ("chat",), 7.0)])

    assert {("chat",): 7.0} == metrics.snapshot()["sidelight_retry_budget_tokens"]


def test_reloads_are_counted_from_nothing_on(metrics: Metrics) -> None:
    metrics.config("c0ffee", 7.0)
    metrics.reloaded("rejected")
    told = metrics.snapshot()

    assert {("loaded",): 0, ("rejected",): 1, ("refused",): 0} == told[
        "sidelight_config_reloads_total"
    ]
    assert {(): 0} == told["sidelight_config_last_reload_successful"]
    metrics.config("c0ffee", 8.0)
    assert {(): 1} == metrics.snapshot()["sidelight_config_last_reload_successful"]


def test_routes_that_are_gone_are_forgotten_unless_they_run(metrics: Metrics, exchange) -> None:
    for route in ("chat", "rest", ""):
        metrics.count(exchange(route=route))
    metrics.ejection("backend", "http://a:1")
    metrics.take({"new": "next"}, {"next", "backend"}, {("rest", "backend")})
    for route in ("new", "rest", "chat"):
        metrics.count(exchange(route=route))
    requests = metrics.snapshot()["sidelight_requests_total"]

    assert {"new": 1, "rest": 2, "none": 1, "other": 1} == {
        route: n for (route, _, _), n in requests.items()
    }
    assert {("backend", "http://a:1"): 1} == metrics.snapshot()[
        "sidelight_endpoint_ejections_total"
    ]
    assert 0 == metrics.snapshot()["sidelight_terminations_total"]["new", "upstream_reset"]


def test_a_route_of_another_upstream_counts_for_that_one(metrics: Metrics, exchange) -> None:
    metrics.count(exchange())
    metrics.take({"chat": "next"}, {"next"}, ())
    metrics.count(exchange())

    assert {("chat", "next", "ok"): 1} == metrics.snapshot()["sidelight_attempts_total"]


def test_what_is_known_of_the_endpoints_of_a_replaced_upstream_is_forgotten(metrics) -> None:
    metrics.ejection("backend", "http://a:1")
    metrics.forget_endpoints({"backend"})

    assert {} == metrics.snapshot()["sidelight_endpoint_ejections_total"]


def test_who_began_before_counts_for_the_upstream_that_was_asked(metrics, exchange) -> None:
    metrics.count(exchange())
    for _ in "ab":  # also when settings change again
        metrics.take({"chat": "next"}, {"next"}, {("chat", "backend")})
        metrics.count(exchange())
        metrics.count(exchange(upstream="next"))
    attempts = metrics.snapshot()["sidelight_attempts_total"]

    assert {("chat", "backend", "ok"): 3, ("chat", "next", "ok"): 2} == attempts


def test_an_upstream_of_no_route_is_known_as_well(metrics: Metrics) -> None:
    metrics.ejection("spare", "http://a:1")
    metrics.take({"chat": "backend"}, {"backend", "spare"}, ())

    assert {("spare", "http://a:1"): 1} == metrics.snapshot()["sidelight_endpoint_ejections_total"]
