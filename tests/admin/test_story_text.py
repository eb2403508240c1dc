"""A story as text."""

from proxy.admin.story_text import breaker_line, circuit, group_line, story_text, then
from tests.admin.conftest import BREAKER, GROUP


def test_the_diagnosis_stands_first_and_all_evidence_after_it(stalled) -> None:
    told = story_text(stalled)

    for evidence in (
        "req-1",
        "POST /api/chat  200 → stream_stalled (uS)  22.0 s",
        "then nothing for 20.0 s",
        "silence 20.0 s → stream_stalled",
        "Attempt 1: http://10.0.0.1:80, reused connection, nothing sent, reset; retried (reset)",
        "closed before the head",
        "retry budget 19 left",
        "chat → model (the path is /api/chat)",
        "closed, 4 of 10 attempts failed in 30.0 s",
        "192.0.2.7 got in band error: The answer stopped arriving.",
        "user_id=u-7",
        "c0ffee, worker 0",
        "20.0 s of 20.0 s  ← ran out",
        "Runbook: stream_stalled",
    ):
        assert evidence in told
    assert told.index("then nothing") < told.index("Attempt 1") < told.index("Runbook")
    assert "event_gap" not in told, "a clock that did not run"


def test_a_guard_that_refused_is_named(stalled) -> None:
    stalled["guards"] = [{"guard": "route_limits", "decision": "refused"}]

    assert "Refused:   by route limits" in story_text(stalled)


def test_what_an_attempt_needed_of_the_dns_and_its_connection_is_told(stalled) -> None:
    stalled["user_agent"] = "app/1"
    stalled["attempts"][0] |= {
        "dns": {"addresses": ["10.0.0.9"], "before": ["10.0.0.1"], "changed_ms": 5000.0},
        "connection": {"use": 2, "end": "reset by the upstream", "since_sent_ms": 40.0},
    }
    told = story_text(stalled)

    assert "Agent:     app/1" in told
    assert "DNS: 10.0.0.9, changed 5.0 s before from 10.0.0.1" in told
    assert (
        "connection, use 2, reset by the upstream 40 ms after the last byte of the request was sent"
    ) in told


def test_an_almost_empty_story_is_told_as_well() -> None:
    assert "req-2" in story_text({"request_id": "req-2"})


def test_what_a_log_does_not_say_is_not_guessed(stalled) -> None:
    stalled["attempts"] = [{"number": 1, "result": "reset"}]
    stalled["breaker"] = {"after": "open"}
    told = story_text(stalled)

    assert "Attempt 1: ?, reset; ended\n" in told
    assert "Circuit:   open\n" in told
    assert "at once" not in told


def test_what_followed_an_attempt() -> None:
    assert "stopped (not idempotent)" == then({"then": "stopped", "why": "not_idempotent"})
    assert "ended" == then({})
    assert "retried (connect) after 90 ms" == then(
        {"then": "retried", "why": "connect", "pause_ms": 90}
    )
    assert "retried (connect) at once" == then({"then": "retried", "why": "connect", "pause_ms": 0})


def test_a_circuit_that_changed_shows_both_states() -> None:
    assert "closed → open" == circuit({"before": "closed", "after": "open"})


def test_a_group_and_a_breaker_are_a_line_each() -> None:
    assert "5 in 24 h" in group_line(GROUP)
    assert group_line(GROUP).endswith("chat/model  0123456789ab  req-1")
    assert "open       4 of 10 attempts failed  probe in 12 s" in breaker_line(BREAKER)
    assert "(consecutive)" in breaker_line(BREAKER)
    assert "none" in breaker_line({**BREAKER, "enabled": False})


def test_where_the_time_went_is_told_as_far_as_it_can_be_seen(stalled) -> None:
    assert "Time:      upstream 22.0 s, relay 0.4 ms\n" in story_text(stalled)
    assert "Time:" not in story_text({"request_id": "req-2"})
