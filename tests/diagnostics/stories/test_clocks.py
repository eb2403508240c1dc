"""Every clock is told with what was configured, what elapsed, and which one ran out."""

import pytest

from proxy.diagnostics.stories.clocks import clocks_of, ran_out, silence
from proxy.diagnostics.stories.diagnosis import runbook_of
from proxy.resilience.opening import Opening
from proxy.settings.sections import TimeoutsRule
from tests.records import attempt


def elapsed(x):
    return {clock.name: clock.elapsed for clock in clocks_of(x) if clock.elapsed is not None}


def test_every_clock_of_a_route_is_told(exchange_of) -> None:
    assert set(TimeoutsRule.model_fields) == {clock.name for clock in clocks_of(exchange_of())}


def test_a_good_call_tells_what_it_measured(exchange_of) -> None:
    found = elapsed(exchange_of())

    assert found == pytest.approx(
        {
            "pool_wait": 0,
            "connect": 0.002,
            "head": 0.02,
            "gap": 0,
            "max_stream": 0.003,
            "total": 0.022,
        }
    )


def test_a_stream_that_stalled_was_silent_for_the_gap(exchange_of) -> None:
    x = exchange_of("stream_stalled", streamed=True, first_event=1.0, last_byte=2.0, ended=42.0)

    assert elapsed(x)["gap"] == pytest.approx(30.0)
    assert elapsed(x)["first_event"] == pytest.approx(0.978)
    assert [clock.name for clock in clocks_of(x) if clock.ran_out] == ["gap"]


@pytest.mark.parametrize(
    ("code", "unusual", "clock"),
    [
        ("completed", {}, None),
        ("connect_timeout", {}, "connect"),
        ("head_timeout", {}, "head"),
        ("pool_timeout", {}, "pool_wait"),
        ("total_timeout", {}, "total"),
        ("first_event_timeout", {}, "first_event"),
        ("stream_max_duration", {}, "max_stream"),
        ("client_too_slow", {}, "client_write"),
        ("request_timeout", {}, "request_body_gap"),
        ("request_timeout", {"detail": "request_body: not whole after 9 s"}, "request_body"),
        ("request_timeout", {"detail": "min_upload_rate: less than 9"}, "min_upload_rate"),
        ("request_timeout", {"terms": None}, None),
        ("stream_stalled", {"detail": "event_gap: no event for 5 s"}, "event_gap"),
        ("completed", {"upstream_status": 101, "detail": "silent for 600 s"}, "tunnel_idle"),
        ("completed", {"upstream_status": 101, "detail": "closed by the client"}, None),
    ],
)
def test_the_clock_that_ran_out_is_named(exchange_of, code, unusual, clock) -> None:
    assert ran_out(exchange_of(code, **unusual)) == clock


@pytest.mark.parametrize(
    ("code", "unusual", "name"),
    [
        ("connect_timeout", {}, "connect"),
        ("client_too_slow", {}, "client_write"),
        ("stream_stalled", {"detail": "event_gap: no event for 5 s"}, "event_gap"),
    ],
)
def test_what_a_clock_ran_is_measured_and_not_its_limit(exchange_of, code, unusual, name) -> None:
    unmeasured = exchange_of(code, attempts=[attempt("http://a", 10.0)], **unusual)
    measured = exchange_of(code, attempts=[attempt("http://a", 10.0)], clock_ran=7.5, **unusual)

    assert name not in elapsed(unmeasured)
    assert elapsed(measured)[name] == 7.5


BY_HAND = {"opening": Opening("manual", 9.0), "breaker_state": "open", "attempts": []}


@pytest.mark.parametrize(
    ("code", "unusual", "runbook"),
    [
        pytest.param(
            "stream_stalled",
            {"streamed": True, "detail": "event_gap: no event for 5 s"},
            "event_gap",
            id="bytes without an event",
        ),
        pytest.param("stream_stalled", {"streamed": True}, "stream_stalled", id="a stream"),
        pytest.param("stream_stalled", {}, "body_stalled", id="a plain answer: no heartbeats"),
        pytest.param("circuit_open", BY_HAND, "circuit_by_hand", id="opened by hand"),
        pytest.param("circuit_open", {}, "circuit_open", id="opened by failures"),
    ],
)
def test_the_runbook_follows_from_what_is_proven(exchange_of, code, unusual, runbook) -> None:
    assert runbook_of(exchange_of(code, **unusual)) == runbook


def test_silence_is_counted_from_the_head_where_no_byte_came(exchange_of) -> None:
    assert silence(exchange_of(ended=11.022, bytes_out=0)) == pytest.approx(1.0)
    assert silence(exchange_of(attempts=[], bytes_out=0)) is None
    assert silence(exchange_of(bytes_out=5)) is None
