"""What is said about an exchange."""

from proxy.attempt_record import Attempt
from proxy.fallback.record import FallbackRecord
from proxy.observation.end_facts import END_FIELDS
from proxy.observation.fault import fault_of, fault_place
from proxy.observation.record import FIELDS, RESERVED, event_of, ms
from proxy.outcome import CONNECT_REFUSED, INTERNAL_ERROR, STREAM_STALLED
from proxy.upstream.chosen import Chosen
from tests.records import attempt, fallen_back


def _fallback() -> FallbackRecord:
    return fallen_back("spare", "spare", attempt("http://s:1", result="ok"), STREAM_STALLED)


def _failed() -> Attempt:
    return attempt("http://a:1", 10.0, outcome=CONNECT_REFUSED, result="connect_refused")


def test_a_good_exchange_is_told_in_the_order_of_the_docs(exchange) -> None:
    event = event_of(exchange(config_hash="c0ffee"), worker=1)

    assert {
        "request_id": "id-1",
        "trace_id": "a" * 32,
        "span_id": "b" * 16,
        "route": "chat",
        "upstream": "backend",
        "endpoint": "http://127.0.0.1:8000",
        "method": "GET",
        "path": "/api/chat",
        "status": 200,
        "upstream_status": 200,
        "code": "completed",
        "term": "--",
        "attempts": 1,
        "attempt_results": ["ok"],
        "connection_reused": True,
        "breaker_state": "closed",
        "head_ms": 20.0,
        "duration_ms": 25.123,
        "upstream_ms": 25.1,
        "overhead_ms": 0.023,
        "bytes_in": 10,
        "bytes_out": 2000,
        "client_ip": "192.0.2.7",
        "user_agent": "widget/1",
        "config_hash": "c0ffee",
        "worker": 1,
    } == event
    assert [name for name in FIELDS if name in event] == list(event)


def test_every_field_can_occur_and_stands_in_its_place(exchange) -> None:
    x = exchange(
        client_request_id="theirs",
        client_cert="ann.example",
        upstream_request_id="other",
        upstream_ids={"A-ID": "other", "B-ID": "b"},
        interim=(103, 102),
        detail="why",
        fallback=_fallback(),
        would_refuse="rate_limit chat",
        fault=fault_of(KeyError("x")),
        attempts=[
            _failed(),
            attempt(
                "http://b:1",
                10.0,
                connect=0.001,
                head=0.1,
                result="ok",
                retry_after=2.5,
                address="10.0.0.1",
                chosen=Chosen("elsewhere", 0, 2, ()),
            ),
        ],
        retry_stopped="committed",
        streamed=True,
        reads=3,
        events=2,
        first_event=0.2,
        end_marker=True,
        inband_error=True,
        max_gap=0.5,
        queued=0.25,
    )
    x.config_hash = "c0ffee"
    event = event_of(x)

    assert [name for name in FIELDS if name not in END_FIELDS] == list(event)


def test_a_fallback_says_what_was_tried_and_given(exchange) -> None:
    event = event_of(exchange(outcome=CONNECT_REFUSED, fallback=_fallback()))

    assert ("spare", "spare", "ok", "stream_stalled", "connect_refused") == tuple(
        event[name]
        for name in ("fallback", "fallback_upstream", "fallback_result", "fallback_code", "code")
    )


def test_what_did_not_happen_is_left_out(exchange) -> None:
    x = exchange(
        attempts=[], route="", upstream="", status=None, upstream_status=None, breaker_state=None,
        user_agent="", trace_id="", span_id="", upstream_wait=0.0,
    )  # fmt: skip

    assert {
        "request_id", "method", "path", "code", "term", "duration_ms", "overhead_ms", "bytes_in",
        "bytes_out", "client_ip", "worker",
    } == set(event_of(x))  # fmt: skip


def test_attempts_are_told_one_by_one(exchange) -> None:
    x = exchange(
        attempts=[
            _failed(),
            attempt(
                "http://b:1",
                10.0,
                connect=0.001,
                head=0.1,
                result="ok",
                retry_after=2.5,
                address="10.0.0.1",
                chosen=Chosen("elsewhere", 0, 2, ()),
            ),
        ]
    )
    event = event_of(x)

    assert 2 == event["attempts"]
    assert ["connect_refused", "ok"] == event["attempt_results"]
    assert "http://b:1" == event["endpoint"]
    assert 1.0 == event["connect_ms"]
    assert event["connection_reused"] is False


def test_the_longest_gap_is_told_of_streams_only(exchange) -> None:
    assert 500.0 == event_of(exchange(streamed=True, max_gap=0.5))["max_gap_ms"]
    assert "max_gap_ms" not in event_of(exchange(max_gap=0.5))


def test_the_term_names_the_phase_where_the_outcome_leaves_it_open(exchange) -> None:
    assert "US" == str(event_of(exchange(outcome=STREAM_STALLED))["term"]).upper()
    assert "IB" == event_of(exchange(outcome=INTERNAL_ERROR, phase="B"))["term"]


def test_a_field_of_the_teams_own_takes_no_name_of_ours(exchange) -> None:
    event = event_of(exchange(fields=dict.fromkeys(RESERVED, "mine")))

    assert "mine" not in event.values()


def test_milliseconds_have_three_decimals_at_most() -> None:
    assert 1.235 == ms(0.00123456)


def test_a_fault_is_told_by_type_and_place_without_its_text() -> None:
    try:
        raise KeyError("secret")
    except KeyError as fault:
        place = fault_place(fault)

    assert place.startswith("KeyError at test_record.py:")
    assert place.endswith(" in test_a_fault_is_told_by_type_and_place_without_its_text")


def test_a_fault_that_was_never_raised_has_no_place() -> None:
    assert "KeyError" == fault_place(KeyError("x"))
