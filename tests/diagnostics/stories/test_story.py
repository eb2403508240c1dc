"""A story holds everything that was recorded about an exchange, as JSON and without secrets."""

import json

import pytest

from proxy.diagnostics.stories.story import brief_of, story_of, summary_of
from proxy.observation.recorded import redact_in_place
from proxy.outcome import OUTCOMES, UPSTREAM_RESET
from tests.records import attempt, exchange

CANARY = "sk-canary1234567890"
ENDPOINT = "http://127.0.0.1:8000"


def test_identity_times_and_end_are_told(exchange_of) -> None:
    story = story_of(exchange_of(fields={"user": "u1"}, host="h", config_hash="c0ffee"), worker=3)

    assert story["request_id"] == "id-1"
    assert story["at"] == "2001-09-09T01:46:40.000Z"
    assert (story["started"], story["ended"]) == (1e9, 1e9 + 0.025)
    assert (story["code"], story["term"], story["level"]) == ("completed", "--", "info")
    assert (story["duration_ms"], story["bytes_in"], story["bytes_out"]) == (25.0, 10, 2000)
    assert (story["worker"], story["config_hash"]) == (3, "c0ffee")
    assert (story["fields"], story["host"]) == ({"user": "u1"}, "h")
    assert story["times"] == {"upstream_ms": 24.0}


def test_the_route_and_why_it_fits_are_told(exchange_of) -> None:
    assert story_of(exchange_of())["route"] == {
        "name": "chat",
        "upstream": "chat",
        "policy": "default",
        "why": "the path is /api/chat; the method is POST",
        "match": {
            "host": None,
            "path": "/api/chat",
            "methods": ["POST"],
            "headers": {},
            "query": {},
        },
    }


def test_each_attempt_says_what_followed_and_why(exchange_of) -> None:
    lost = attempt(
        ENDPOINT,
        10.0,
        reused=True,
        head=0.1,
        sent=True,
        result="reset",
        outcome=UPSTREAM_RESET,
        detail="closed",
        pause=0.1,
        budget_left=19.2,
    )
    last = attempt(
        ENDPOINT, 10.2, connect=0.001, queued=0.003, head=0.2, sent=True, status=503,
        result="status_5xx",
    )  # fmt: skip
    story = story_of(
        exchange_of("upstream_error", attempts=[lost, last], retry_stopped="budget_spent")
    )

    assert story["attempts"] == [
        {
            "number": 1,
            "endpoint": ENDPOINT,
            "reused": True,
            "at_ms": 0.0,
            "head_ms": 100.0,
            "sent": True,
            "result": "reset",
            "code": "upstream_reset",
            "detail": "closed",
            "then": "retried",
            "why": "reset",
            "pause_ms": 100.0,
            "budget_left": 19.2,
        },
        {
            "number": 2,
            "endpoint": ENDPOINT,
            "reused": False,
            "at_ms": 200.0,
            "queue_ms": 3.0,
            "connect_ms": 1.0,
            "head_ms": 200.0,
            "sent": True,
            "status": 503,
            "result": "status_5xx",
            "then": "stopped",
            "why": "budget_spent",
        },
    ]
    assert story["retry_stopped"] == "budget_spent"


def test_an_answer_that_was_retried_names_its_status_as_cause(exchange_of) -> None:
    bad = attempt(ENDPOINT, 10.0, status=503, result="status_5xx")

    assert story_of(exchange_of(attempts=[bad, bad]))["attempts"][0]["why"] == "status"


def test_the_breaker_is_told_before_and_after(exchange_of) -> None:
    story = story_of(exchange_of("upstream_reset", breaker_state="open", breaker_counts=(5, 5)))

    assert story["breaker"] == {
        "before": "closed",
        "after": "open",
        "failures": 5,
        "attempts": 5,
        "window_ms": 30000.0,
    }


def test_the_stream_is_told_with_its_longest_gap_and_its_end(exchange_of) -> None:
    x = exchange_of(
        "stream_stalled",
        streamed=True,
        events=3,
        reads=4,
        first_event=0.5,
        max_gap=2.0,
        max_gap_at=1.0,
        last_byte=5.0,
        held=7,
        inband_error=True,
        ended=45.0,
    )

    assert story_of(x)["stream"] == {
        "head_ms": 22.0,
        "first_event_ms": 500.0,
        "events": 3,
        "reads": 4,
        "max_gap_ms": 2000.0,
        "max_gap_at_ms": 1000.0,
        "last_byte_ms": 5000.0,
        "silent_ms": 30000.0,
        "held_bytes": 7,
        "raw": False,
        "tunnel": False,
        "told": True,
    }


def test_what_the_client_got_is_told(exchange_of) -> None:
    x = exchange_of("circuit_open", attempts=[], upstream_status=None, status=503, retry_in=21.0)

    assert story_of(x)["client"] == {
        "got": "own_answer",
        "status": 503,
        "code": "circuit_open",
        "message": "The service is temporarily unavailable. Please try again in 21 s.",
        "retry_after": 21.0,
    }


def test_a_request_that_was_never_read_has_a_story_too() -> None:
    bare = exchange(method="", target="", outcome=OUTCOMES["bad_request"], ended=1.5)

    assert story_of(bare)["code"] == "bad_request"
    assert "route" not in story_of(bare)


def test_no_secret_is_in_any_story(exchange_of) -> None:
    x = exchange_of(
        "upstream_reset",
        target=f"/a?api_key={CANARY}&q={CANARY}",
        request_id=CANARY,
        client_request_id=CANARY,
        upstream_request_id=CANARY,
        user_agent=f"x {CANARY}",
        host=CANARY,
        method=CANARY,
        fields={"user": CANARY},
        detail=CANARY,
    )
    x.attempts[0].detail = CANARY

    redact_in_place(x)

    assert "canary" not in json.dumps(story_of(x))


def test_without_an_attempt_there_was_none_to_repeat(exchange_of) -> None:
    story = story_of(exchange_of("pool_timeout", attempts=[], retry_stopped="not_retryable"))

    assert "retry_stopped" not in story


def test_a_summary_says_which_route_and_how_many_attempts(exchange_of) -> None:
    assert summary_of(story_of(exchange_of())) == {
        "request_id": "id-1",
        "at": "2001-09-09T01:46:40.000Z",
        "ended": 1e9 + 0.025,
        "method": "POST",
        "path": "/api/chat",
        "status": 200,
        "code": "completed",
        "term": "--",
        "level": "info",
        "duration_ms": 25.0,
        "client_ip": "192.0.2.7",
        "endpoint": "http://127.0.0.1:8000",
        "route": "chat",
        "upstream": "chat",
        "attempts": 1,
    }


@pytest.mark.parametrize(
    "unusual",
    [
        {},
        {"fields": {"user": "u1"}},
        {"route": "", "upstream": "", "attempts": [], "status": None},
        {"request_id": CANARY, "target": f"/a?key={CANARY}"},
    ],
)
def test_a_summary_from_the_record_is_that_of_its_story(exchange_of, unusual) -> None:
    x = exchange_of("upstream_reset", **unusual)

    assert brief_of(x, "pod-1") == summary_of(story_of(x, instance="pod-1"))


def test_the_parts_of_the_duration_are_told_in_milliseconds(exchange_of) -> None:
    x = exchange_of(queued=0.25, upstream_wait=1.5)

    assert {"queue_ms": 250.0, "upstream_ms": 1500.0} == story_of(x)["parts"]
