"""The diagnosis says in plain words what the record says, for every way to end."""

import re
from typing import get_args

import pytest

from proxy.diagnostics.stories.client_end import Got
from proxy.diagnostics.stories.diagnosis import HAPPENED, TOLD, WHY_NOT, diagnose
from proxy.observation.recorded import redact_in_place
from proxy.outcome import OUTCOMES, NotRetried
from tests.records import attempt

ENDPOINT = "http://127.0.0.1:8000"


def test_every_code_has_a_sentence() -> None:
    assert set(OUTCOMES) == set(HAPPENED)


def test_every_reason_and_every_end_for_the_client_has_words() -> None:
    assert set(get_args(NotRetried)) == set(WHY_NOT)
    assert set(get_args(Got)) == set(TOLD)


@pytest.mark.parametrize("code", OUTCOMES)
@pytest.mark.parametrize("is_bare", [False, True], ids=["a full record", "a bare record"])
def test_every_code_has_a_paragraph_that_names_its_runbook(exchange_of, code, is_bare) -> None:
    """Also where next to nothing is known."""
    bare = {"attempts": [], "terms": None, "route": "", "upstream": "", "breaker_state": None}
    said = diagnose(exchange_of(code, **(bare if is_bare else {})))["diagnosis"]

    runbook = "body_stalled" if code == "stream_stalled" else code
    assert said.endswith(f" See runbook: {runbook}.")
    assert re.fullmatch(r"Proven: [A-Z][^{}]*\.", said)
    assert "None" not in said


STALLED = {
    "streamed": True,
    "events": 148,
    "first_event": 1.9,
    "last_byte": 20.0,
    "ended": 60.0,
    "inband_error": True,
    "breaker_counts": (4, 10),
}


@pytest.mark.parametrize(
    ("code", "unusual", "sentence"),
    [
        pytest.param(
            "stream_stalled",
            STALLED,
            f"The endpoint {ENDPOINT} of the chat upstream accepted the request and sent "
            "148 events (head after 22 ms, first event after 1.9 s), then nothing for 30.0 s; "
            "the gap limit of 30 s ended the answer. "
            "The client was told inside the stream. "
            "The circuit stayed closed (4 of 10 attempts failed in 30 s).\nLikely: ",
            id="a stream that fell silent",
        ),
        pytest.param(
            "stream_reset",
            {"bytes_out": 1},
            "and sent 1 byte (head after 22 ms), then the connection was reset. The connection to "
            "the client was broken off, so that half an answer does not look like a whole one.",
            id="a body that broke and could not say so",
        ),
        pytest.param(
            "circuit_open",
            {
                "attempts": [],
                "upstream_status": None,
                "status": 503,
                "retry_in": 21.0,
                "breaker_before": "open",
                "breaker_state": "open",
                "breaker_counts": (6, 10),
            },
            "The circuit of the route chat was open, so the "
            "chat upstream was not asked. The client was asked to wait 21.0 s. "
            "The client got 503 circuit_open. "
            "The circuit stayed open (6 of 10 attempts failed in 30 s).",
            id="an open circuit",
        ),
        pytest.param(
            "head_timeout",
            {
                "attempts": [attempt(ENDPOINT, 10.0, head=30.0, sent=True)],
                "upstream_status": None,
                "status": 504,
                "breaker_state": "open",
                "breaker_counts": (5, 5),
                "retry_stopped": "not_idempotent",
            },
            f"The endpoint {ENDPOINT} was sent the request and had no head of an answer after "
            "30.0 s; the head limit of 30 s ended the attempt. "
            "No further attempt was made after 1 attempt: the request may have arrived, and to "
            "repeat it is not safe. The client got 504 head_timeout. "
            "The circuit went from closed to open (5 of 5 attempts failed in 30 s).",
            id="a failure that opened the circuit and was not repeated",
        ),
        pytest.param(
            "client_closed_request",
            {"status": 499, "committed": None, "phase": "H", "ended": 12.0},
            "The client left after 2.0 s, while the head of the answer was awaited, before it had "
            "an answer.\nLikely: Its user gave up, or it has a timeout of its own.\nNext check: ",
            id="a client that left",
        ),
        pytest.param(
            "completed",
            {"attempts": [], "upstream_status": None, "status": 204},
            "Sidelight answered 204 itself; no upstream was needed.",
            id="a preflight",
        ),
        pytest.param(
            "completed",
            {"status": 101, "upstream_status": 101, "streamed": True, "detail": "silent for 600 s"},
            "It was a tunnel (silent for 600 s): 10 bytes from the client, 2000 bytes to it.",
            id="a tunnel",
        ),
    ],
)
def test_the_paragraph_is_true_to_the_record(exchange_of, code, unusual, sentence) -> None:
    assert sentence in diagnose(exchange_of(code, **unusual))["diagnosis"]


def test_attempts_that_were_repeated_are_told_in_order(exchange_of) -> None:
    lost = attempt(ENDPOINT, 10.0, reused=True, head=0.1, sent=True, result="reset", pause=0.1)
    unsent = attempt(ENDPOINT, 10.2, result="connect_refused", pause=0.2)
    x = exchange_of(attempts=[lost, unsent, *exchange_of().attempts])

    assert (
        f"Attempt 1 at {ENDPOINT} ended as reset after 100 ms and was repeated 100 ms later. "
        f"Attempt 2 at {ENDPOINT} ended as connect_refused, nothing sent and was repeated "
        "200 ms later."
    ) in diagnose(x)["diagnosis"]


def test_a_secret_in_a_detail_is_not_repeated(exchange_of) -> None:
    x = exchange_of("upstream_reset", detail="Bearer abcdef123456", method="sk-abcdef123")
    redact_in_place(x)

    assert "abcdef123" not in diagnose(x)["diagnosis"]
