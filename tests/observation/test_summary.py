"""Figures of the last five minutes and since the start."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.observation.summary import Summary, SummaryCounts
from proxy.outcome import CIRCUIT_OPEN, HEAD_TIMEOUT, RATE_LIMITED, UPSTREAM_ERROR

NAMES = [
    "total_requests", "error_count", "error_rate_percent", "rate_limit_hits", "avg_response_ms",
    "p50_response_ms", "p95_response_ms", "p99_response_ms",
]  # fmt: skip


def test_the_figures_have_the_names_of_the_docs() -> None:
    figures: dict[str, Any] = Summary(started=100.0).figures(now=130.5)

    assert ["uptime_seconds", *NAMES, "last_five_minutes"] == list(figures)
    assert NAMES == list(figures["last_five_minutes"])
    assert 30.5 == figures["uptime_seconds"]


def test_without_an_exchange_all_is_nought() -> None:
    figures = Summary(started=0.0).figures(now=0.0)

    assert {0} == {figures[name] for name in NAMES}


def test_old_exchanges_leave_the_five_minutes_but_not_the_whole(exchange) -> None:
    summary = Summary(started=0.0)
    for now in (5.0, 100.0, 299.0, 304.0):
        summary.add(exchange(), now)
    figures = summary.figures(now=304.0)

    assert 4 == figures["total_requests"]
    assert 3 == figures["last_five_minutes"]["total_requests"]


def test_a_slot_is_used_again_after_five_minutes(exchange) -> None:
    summary = Summary(started=0.0)
    summary.add(exchange(), 5.0)
    summary.add(exchange(), 305.0)

    assert 1 == summary.figures(305.0)["last_five_minutes"]["total_requests"]


def test_silence_empties_the_five_minutes(exchange) -> None:
    summary = Summary(started=0.0)
    summary.add(exchange(), 5.0)

    assert 0 == summary.figures(1000.0)["last_five_minutes"]["total_requests"]


@pytest.mark.parametrize(
    ("unusual", "errors", "limited"),
    [
        pytest.param({}, 0, 0, id="completed"),
        pytest.param({"outcome": HEAD_TIMEOUT, "status": 504}, 1, 0, id="the upstream broke"),
        pytest.param({"outcome": UPSTREAM_ERROR, "upstream_status": 500}, 1, 0, id="its own 500"),
        pytest.param({"outcome": UPSTREAM_ERROR, "upstream_status": 404}, 0, 0, id="its own 404"),
        pytest.param({"outcome": CIRCUIT_OPEN, "status": 503}, 0, 0, id="a refusal is no error"),
        pytest.param({"outcome": RATE_LIMITED, "status": 429}, 0, 1, id="a limit of ours"),
        pytest.param({"outcome": None}, 0, 0, id="no outcome"),
    ],
)
def test_errors_and_limits_are_counted(exchange, unusual, errors: int, limited: int) -> None:
    summary = Summary(started=0.0)
    summary.add(exchange(), 1.0)
    summary.add(exchange(**unusual), 1.0)
    figures = summary.figures(1.0)

    assert errors == figures["error_count"] == figures["last_five_minutes"]["error_count"]
    assert 50.0 * errors == figures["error_rate_percent"]
    assert limited == figures["rate_limit_hits"]


def test_the_mean_is_exact(exchange) -> None:
    summary = Summary(started=0.0)
    for ended in (11.0, 12.0, 16.0):
        summary.add(exchange(ended=ended), 1.0)

    assert 3000.0 == summary.figures(1.0)["avg_response_ms"]


@settings(max_examples=50)
@given(st.lists(st.floats(0.0002, 2000.0), min_size=1, max_size=60))
def test_percentiles_are_right_within_five_percent(durations: list[float]) -> None:
    tally = SummaryCounts()
    for seconds in durations:
        tally.add(seconds, is_error=False, is_limited=False)
    for share in (0.5, 0.95, 0.99):
        true = sorted(durations)[max(0, -int(-len(durations) * share // 1) - 1)]
        if true < 900:
            assert abs(tally.percentile(share) - true) <= 0.05 * true + 1e-9


def test_a_duration_beyond_the_buckets_is_told_as_the_longest() -> None:
    tally = SummaryCounts()
    tally.add(5000.0, is_error=False, is_limited=False)

    assert 5000.0 == tally.percentile(0.5)


def test_merging_adds_everything(exchange) -> None:
    one, two = SummaryCounts(), SummaryCounts()
    one.add(1.0, is_error=True, is_limited=False)
    two.add(3.0, is_error=False, is_limited=True)
    one.merge(two)

    assert (2, 1, 1, 4.0, 3.0, 2) == (
        one.total, one.errors, one.limited, one.seconds, one.longest, sum(one.buckets),
    )  # fmt: skip


def test_slots_tell_the_five_minutes_one_after_the_other(exchange) -> None:
    summary = Summary(started=0.0)
    summary.add(exchange(), 301.0)
    summary.add(exchange(outcome=HEAD_TIMEOUT, ended=12.0), 301.0)
    summary.add(exchange(), 312.0)
    slots = summary.slots(now=315.0)

    assert [20.0 + 10 * n for n in range(30)] == [slot.began for slot in slots]
    assert [(0, 0), (2, 1), (1, 0)] == [(s.requests, s.errors) for s in slots[-3:]]
    assert slots[-2].p95 == pytest.approx(2.0, rel=0.05)
    assert 0.0 == slots[0].p50


def test_a_slot_that_has_gone_by_is_empty(exchange) -> None:
    summary = Summary(started=0.0)
    summary.add(exchange(), 5.0)

    assert 0 == sum(slot.requests for slot in summary.slots(now=305.0))
