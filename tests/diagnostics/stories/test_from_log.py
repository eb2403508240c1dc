"""A story out of the log says what the event says, and nothing else."""

import math
from typing import Any

import pytest

from proxy.admin.story_text import story_text
from proxy.clock import iso
from proxy.diagnostics.stories.from_log import story_from_log
from proxy.diagnostics.stories.story import story_of
from proxy.observation.end_facts import END_FIELDS
from proxy.observation.fault import fault_of
from proxy.observation.record import event_of
from proxy.outcome import OUTCOMES
from proxy.resilience.opening import Opening
from tests.observation.test_end_facts import broken
from tests.records import attempt, fallen_back


def logged(x):
    """The event as it comes back from a line of the log."""
    at = iso(x.started_wall + x.duration)
    return {"timestamp": at, "level": "INFO", "event": "exchange", **event_of(x, worker=2)}


SAME = (
    "request_id", "at", "started", "ended", "method", "path", "client_ip", "user_agent", "fields",
    "code", "term", "level", "category", "status", "upstream_status", "interim", "detail",
    "duration_ms", "overhead_ms", "bytes_in", "bytes_out", "guards", "client", "worker", "runbook",
)  # fmt: skip


@pytest.mark.parametrize("code", OUTCOMES)
def test_what_the_event_says_is_the_same_in_both(exchange_of, code) -> None:
    x = exchange_of(code, user_agent="widget/1", fields={"user": "u1"}, interim=(103, 103))
    told, retold = story_of(x, worker=2), story_from_log(logged(x))

    assert {key: told.get(key) for key in SAME} == {key: retold.get(key) for key in SAME}
    assert retold["source"] == "log"
    assert str(retold["diagnosis"]).endswith(f"See runbook: {told['runbook']}.")


@pytest.mark.parametrize(
    "record",
    [
        fallen_back("static"),
        fallen_back("spare", "spare", attempt(result="ok"), OUTCOMES["stream_stalled"]),
        fallen_back("", "spare", attempt(result="connect_refused")),
    ],
    ids=["static", "an upstream", "neither"],
)
def test_a_fallback_is_the_same_in_both(exchange_of, record) -> None:
    x = exchange_of("circuit_open", fallback=record)
    told: dict[str, Any] = story_of(x)
    retold: dict[str, Any] = story_from_log(logged(x))

    assert told["client"] == retold["client"]
    for key in ("given", "upstream", "result", "code"):
        assert told["fallback"].get(key) == retold["fallback"].get(key)


def test_what_the_event_does_not_say_is_left_out(exchange_of) -> None:
    lost = attempt("http://a", 10.0, reused=True, head=0.1, sent=True, result="reset", pause=0.1)
    x = exchange_of(attempts=[lost, *exchange_of().attempts])
    retold: dict[str, Any] = story_from_log(logged(x))
    first, last = retold["attempts"]

    assert {"at_ms", "sent", "reused"}.isdisjoint(first)
    assert (last["endpoint"], last["reused"], last["head_ms"]) == (
        "http://127.0.0.1:8000",
        False,
        20.0,
    )
    assert "at_ms" not in last
    assert retold["breaker"] == {"after": "closed"}
    assert retold["clocks"] == []
    assert "Attempt 1 ended as reset and was repeated.\n" in retold["diagnosis"]


def test_a_silence_that_was_not_logged_is_not_made_up(exchange_of) -> None:
    x = exchange_of("stream_stalled", streamed=True, reads=3, events=3, last_byte=1.0, ended=60.0)

    event = logged(x)
    del event["last_byte_ms"]

    assert "then nothing for too long;" in story_from_log(event)["diagnosis"]
    assert "silent_ms" not in story_from_log(event)["stream"]


def test_a_fault_is_told_with_its_place(exchange_of) -> None:
    x = exchange_of("internal_error", fault=fault_of(KeyError("secret")))

    assert story_from_log(logged(x))["fault"] == "KeyError"


@pytest.mark.parametrize(
    "odd",
    [
        {"duration_ms": 10**400, "bytes_in": -1, "worker": 10**400, "status": 10**30},
        {"duration_ms": 1e15, "max_gap_ms": 1e308, "head_ms": -1e308},
        {"timestamp": "0001-01-01T00:00:00+23:59"},
        {"timestamp": "9999-12-31T23:59:59-23:59", "duration_ms": 1e15},
        {"attempts": 10**9, "attempt_results": ["reset"] * 100_000},
        {"path": {}, "fields": [], "user_agent": 7, "endpoint": None, "code": ["x"], "term": 3},
    ],
    ids=["huge numbers", "long times", "before all time", "after it", "many attempts", "kinds"],
)
def test_no_event_is_too_odd_to_be_told(exchange_of, odd) -> None:
    assert story_text(story_from_log({**logged(exchange_of()), **odd}))


@pytest.mark.parametrize(
    ("trace_id", "span_id", "told"),
    [
        pytest.param("a" * 32, "b" * 16, ("a" * 32, "b" * 16), id="both"),
        pytest.param("a" * 32, None, ("a" * 32, None), id="a trace alone"),
        pytest.param("a" * 31, "b" * 16, (None, None), id="a digit short"),
        pytest.param("a" * 30, "b" * 16, (None, None), id="two digits short"),
        pytest.param("g" * 32, "b" * 16, (None, None), id="no digits"),
        pytest.param(7, {}, (None, None), id="no text"),
    ],
)
def test_a_trace_is_told_by_its_whole_id(exchange_of, trace_id, span_id, told) -> None:
    event = logged(exchange_of("completed")) | {"trace_id": trace_id, "span_id": span_id}
    story = story_from_log(event)

    assert told == (story.get("trace_id"), story.get("span_id"))


def test_odd_values_count_as_missing() -> None:
    odd = {
        "request_id": 3,
        "code": "no_such",
        "attempt_results": ["?"],
        "duration_ms": "x",
        "status": math.inf,
        "events": math.nan,
    }
    retold = story_from_log({**odd, "timestamp": "yesterday", "worker": True})

    assert retold["code"] == "internal_error"
    assert retold["request_id"] == ""
    assert retold["duration_ms"] == 0


FACTS = (
    "body", "since_event_ms", "round_trip_ms", "stalled_ms", "client_exit", "upgrade", "cors",
    "proven", "likely", "next_check", "runbook",
)  # fmt: skip
OF_ATTEMPT = ("at_ms", "connect_ms", "upload_ms", "head_ms", "sent", "dns", "tls_reason")


@pytest.mark.parametrize("code", ["upstream_reset", "stream_truncated", "client_closed_stream"])
def test_the_facts_of_a_bad_end_are_the_same_in_both(exchange_of, code) -> None:
    detail = "certificate has expired"
    x = broken(exchange_of, code, terms=None, upstream_status=None, detail=detail)
    told: dict[str, Any] = story_of(x)
    retold: dict[str, Any] = story_from_log(logged(x))

    assert {key: told.get(key) for key in FACTS} == {key: retold.get(key) for key in FACTS}
    (tried,), (again,) = told["attempts"], retold["attempts"]
    for key in OF_ATTEMPT:
        assert tried.get(key) == again.get(key), key
    unsaid = ("number", "local", "peer")
    assert again["connection"] == {k: v for k, v in tried["connection"].items() if k not in unsaid}


def test_who_opened_a_circuit_is_the_same_in_both(exchange_of) -> None:
    x = exchange_of("circuit_open", attempts=[], breaker_state="open", ended=20.0)
    x.opening = Opening("manual", 15.0)
    told, retold = story_of(x), story_from_log(logged(x))

    assert "circuit_by_hand" == told["runbook"] == retold["runbook"]
    assert "because it had been opened by hand" in str(retold["proven"])


@pytest.mark.parametrize("value", [None, True, -1, "x", 1e300, [], {"a": 1}, ["a", 1]])
def test_odd_facts_count_as_missing(exchange_of, value) -> None:
    event = logged(exchange_of("head_timeout")) | dict.fromkeys(END_FIELDS, value)

    assert story_text(story_from_log(event))


def test_an_upload_that_a_limit_ended_is_not_said_to_be_ended_by_the_upstream(exchange_of) -> None:
    """A log does not say what the limits were."""
    x = exchange_of("request_timeout", detail="body silent for 1 s", bytes_in=20000)

    assert "the limit ended the wait" in str(story_from_log(logged(x))["proven"])


def test_a_compressed_stream_is_not_said_to_have_had_no_event(exchange_of) -> None:
    x = exchange_of(streamed=True, is_raw=True, reads=2, raw_coding="gzip", first_event=0.023)

    assert "0 events" not in str(story_from_log(logged(x))["proven"])
