"""What one exchange adds to the numbers of its route."""

from typing import Any

import pytest

from proxy.observation.metrics import Metrics
from proxy.outcome import (
    CIRCUIT_OPEN,
    CLIENT_CLOSED_REQUEST,
    CLIENT_CLOSED_STREAM,
    CLIENT_TOO_SLOW,
    CONNECT_REFUSED,
    HEAD_TIMEOUT,
    INTERNAL_ERROR,
    STREAM_STALLED,
    UPSTREAM_ERROR,
)
from tests.records import attempt, fallen_back


def _counted(x) -> dict[str, dict[tuple[str, ...], Any]]:
    """What is left when zeros, empty families and the constant one are put aside."""
    metrics = Metrics({"chat": "backend"})
    metrics.count(x)
    counted = {
        name.removeprefix("sidelight_"): {
            labels: value for labels, value in series.items() if value
        }
        for name, series in metrics.snapshot().items()
        if name not in ("sidelight_build_info", "sidelight_event_loop_lag_seconds")
    }
    return {name: values for name, values in counted.items() if values}


def _sums(counted, *names: str) -> list[float]:
    return [round(values[-1], 6) for name in names for values in counted[name].values()]


def test_a_good_exchange_adds_this_and_no_more(exchange) -> None:
    counted = _counted(exchange())
    histograms = (
        "request_duration_seconds", "overhead_seconds", "request_size_bytes",
        "response_size_bytes", "time_to_head_seconds",
    )  # fmt: skip

    assert [0.025123, 0.000023, 10, 2000, 0.02] == _sums(counted, *histograms)
    assert [("chat", "backend")] == list(counted["time_to_head_seconds"])
    assert {
        "requests_total": {("chat", "GET", "200"): 1},
        "terminations_total": {("chat", "completed"): 1},
        "attempts_total": {("chat", "backend", "ok"): 1},
        "upstream_connection_uses_total": {("backend", "true"): 1},
    } == {name: values for name, values in counted.items() if name not in histograms}


@pytest.mark.parametrize(
    ("unusual", "labels"),
    [
        pytest.param({"method": "PATCH"}, ("chat", "PATCH", "200"), id="another method"),
        pytest.param({"method": "get"}, ("chat", "other", "200"), id="a strange method"),
        pytest.param({"status": None}, ("chat", "GET", "none"), id="nothing was sent"),
        pytest.param({"status": 499}, ("chat", "GET", "499"), id="the client left"),
        pytest.param({"status": 99}, ("chat", "GET", "other"), id="a status below all"),
        pytest.param({"status": 600}, ("chat", "GET", "other"), id="a status above all"),
    ],
)
def test_requests_have_closed_labels(exchange, unusual, labels) -> None:
    counted = _counted(exchange(**unusual))

    assert {labels: 1} == counted["requests_total"]
    assert ("other" in labels) == ("label_overflow_total" in counted)


def test_retries_are_counted_by_what_they_were_for(exchange) -> None:
    attempts = [
        attempt("a", 1.0, outcome=CONNECT_REFUSED, result="connect_refused"),
        attempt("a", 1.0, status=503, connect=0.5, result="status_5xx"),
        attempt("a", 1.0, status=200, reused=True, head=0.1, result="ok"),
    ]
    counted = _counted(exchange(attempts=attempts))

    assert {("chat", "connect"): 1, ("chat", "status"): 1} == counted["retries_total"]
    assert 3 == sum(counted["attempts_total"].values())
    assert {("backend", "false"): 1, ("backend", "true"): 1} == counted[
        "upstream_connection_uses_total"
    ]
    assert [0.5] == _sums(counted, "upstream_connect_seconds")
    assert [0.1] == _sums(counted, "time_to_head_seconds")


def test_a_retry_not_made_is_counted_by_its_reason(exchange) -> None:
    counted = _counted(exchange(outcome=HEAD_TIMEOUT, retry_stopped="budget_spent"))

    assert {("chat", "budget_spent"): 1} == counted["retries_suppressed_total"]
    assert "circuit_rejections_total" not in counted


def test_a_fallback_is_counted_by_what_it_was_for(exchange) -> None:
    tried = attempt("http://s:1", connect=0.001, result="ok")
    x = exchange(outcome=CONNECT_REFUSED, fallback=fallen_back("spare", "spare", tried))
    counted = _counted(x)

    assert {("chat", "connect_refused"): 1} == counted["fallbacks_total"]
    assert 1 == counted["attempts_total"]["chat", "spare", "ok"]
    assert 1 == counted["upstream_connection_uses_total"]["spare", "false"]
    assert [("spare",)] == list(counted["upstream_connect_seconds"])


def test_where_nothing_was_to_be_had_there_was_no_fallback(exchange) -> None:
    tried = attempt("http://s:1", result="connect_refused")
    counted = _counted(exchange(outcome=CONNECT_REFUSED, fallback=fallen_back("", "spare", tried)))

    assert "fallbacks_total" not in counted
    assert 1 == counted["attempts_total"]["chat", "spare", "connect_refused"]


def test_a_stale_connection_is_counted(exchange) -> None:
    attempts = [attempt("a", 1.0, reused=True, result="stale_connection")]

    assert {("backend",): 1} == _counted(exchange(attempts=attempts))["stale_connections_total"]


def test_an_attempt_without_a_result_is_other(exchange) -> None:
    counted = _counted(exchange(attempts=[attempt("a", 1.0)]))

    assert {("chat", "backend", "other"): 1} == counted["attempts_total"]
    assert {("sidelight_attempts_total",): 1} == counted["label_overflow_total"]


@pytest.mark.parametrize(
    "unusual",
    [
        pytest.param({"outcome": CIRCUIT_OPEN, "attempts": []}, id="at once"),
        pytest.param({"outcome": UPSTREAM_ERROR, "retry_stopped": "circuit_open"}, id="on a retry"),
    ],
)
def test_a_rejection_by_the_circuit_is_counted(exchange, unusual) -> None:
    assert {("chat",): 1} == _counted(exchange(**unusual))["circuit_rejections_total"]


@pytest.mark.parametrize(
    ("unusual", "phase"),
    [
        ({"outcome": CLIENT_CLOSED_REQUEST, "phase": "H"}, "H"),
        ({"outcome": CLIENT_CLOSED_STREAM}, "S"),
        ({"outcome": CLIENT_TOO_SLOW}, "S"),
    ],
)
def test_clients_that_leave_are_counted_by_phase(exchange, unusual, phase: str) -> None:
    counted = _counted(exchange(**unusual))

    assert {("chat", phase): 1} == counted["client_disconnects_total"]
    assert "errors_total" not in counted


@pytest.mark.parametrize(
    ("unusual", "labels"),
    [
        ({"outcome": STREAM_STALLED}, ("error", "stream_stalled")),
        ({"outcome": INTERNAL_ERROR}, ("critical", "internal_error")),
        ({"outcome": UPSTREAM_ERROR, "upstream_status": 500}, ("error", "upstream_error")),
        ({"outcome": UPSTREAM_ERROR, "upstream_status": 404}, None),
        ({"outcome": CIRCUIT_OPEN}, None),
        ({}, None),
    ],
)
def test_errors_are_counted_by_severity(exchange, unusual, labels) -> None:
    assert ({labels: 1} if labels else None) == _counted(exchange(**unusual)).get("errors_total")


def test_a_stream_has_its_own_numbers(exchange) -> None:
    x = exchange(streamed=True, committed=10.005, max_gap=0.25, outcome=STREAM_STALLED)
    counted = _counted(x)

    assert {("chat", "stream_stalled"): 1} == counted["streams_total"]
    assert [0.020123, 0.25] == _sums(counted, "stream_duration_seconds", "stream_max_gap_seconds")


def test_a_stream_that_never_began_is_none(exchange) -> None:
    assert "streams_total" not in _counted(exchange(streamed=True, committed=None))
    assert "streams_total" not in _counted(exchange(committed=10.0))


def test_an_exchange_without_an_outcome_is_still_counted(exchange) -> None:
    counted = _counted(exchange(outcome=None))

    assert {("chat", "GET", "200"): 1} == counted["requests_total"]
    assert "terminations_total" not in counted
