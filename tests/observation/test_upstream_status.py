"""What the traffic shows about an upstream."""

import pytest

from proxy.exchange import Attempt
from proxy.observation.upstream_status import (
    Lesson,
    UpstreamHealth,
    health_after,
    lesson_of,
)
from proxy.outcome import (
    CIRCUIT_OPEN,
    CLIENT_CLOSED_REQUEST,
    CLIENT_CLOSED_STREAM,
    CONNECT_REFUSED,
    STALE_CONNECTION,
    STREAM_STALLED,
    UPSTREAM_ERROR,
)
from tests.records import attempt


def _attempt(**unusual) -> Attempt:
    return attempt("http://a:1", 10.0, **unusual)


@pytest.mark.parametrize(
    ("unusual", "lesson"),
    [
        pytest.param({}, Lesson(10.0251234, None), id="an answer: it works"),
        pytest.param(
            {
                "outcome": CONNECT_REFUSED,
                "attempts": [_attempt(outcome=CONNECT_REFUSED)],
            },
            Lesson(10.0251234, "connect_refused"),
            id="refused: it fails",
        ),
        pytest.param(
            {"outcome": STREAM_STALLED},
            Lesson(10.0251234, "stream_stalled"),
            id="an answer that stalled: it fails",
        ),
        pytest.param(
            {"outcome": UPSTREAM_ERROR, "attempts": [_attempt(status=503)]},
            Lesson(10.0251234, "status_503"),
            id="503: it fails",
        ),
        pytest.param(
            {"outcome": UPSTREAM_ERROR, "attempts": [_attempt(status=500)]},
            Lesson(10.0251234, None),
            id="500 may be one user's poison",
        ),
        pytest.param(
            {"attempts": [_attempt(outcome=CONNECT_REFUSED), _attempt(status=200)]},
            Lesson(10.0251234, None),
            id="the last attempt counts",
        ),
        pytest.param(
            {"outcome": CLIENT_CLOSED_STREAM}, Lesson(10.0251234, None), id="an answer had begun"
        ),
        pytest.param(
            {
                "outcome": CIRCUIT_OPEN,
                "attempts": [_attempt(outcome=CONNECT_REFUSED)],
            },
            Lesson(10.0251234, "connect_refused"),
            id="a failed attempt before a refusal",
        ),
        pytest.param({"outcome": CIRCUIT_OPEN, "attempts": []}, None, id="no attempt"),
        pytest.param(
            {"outcome": CLIENT_CLOSED_REQUEST, "attempts": [_attempt()]}, None, id="client left"
        ),
        pytest.param(
            {"outcome": STALE_CONNECTION, "attempts": [_attempt(outcome=STALE_CONNECTION)]},
            None,
            id="a stale connection blames nobody",
        ),
        pytest.param({"outcome": None}, None, id="no outcome"),
    ],
)
def test_an_exchange_teaches(exchange, unusual, lesson: Lesson | None) -> None:
    assert lesson == lesson_of(exchange(**unusual))


@pytest.mark.parametrize(
    ("lesson", "now", "health"),
    [
        pytest.param(None, 0.0, UpstreamHealth("unknown", "no attempt yet"), id="nothing yet"),
        pytest.param(Lesson(0.0, None), 60.0, UpstreamHealth("connected"), id="it worked"),
        pytest.param(
            Lesson(0.0, "reset"), 60.0, UpstreamHealth("failing", "reset"), id="it failed"
        ),
        pytest.param(
            Lesson(0.0, "reset"),
            60.1,
            UpstreamHealth("unknown", "no attempt in the last 60 s"),
            id="too long ago",
        ),
    ],
)
def test_a_lesson_holds_for_a_while(lesson, now: float, health: UpstreamHealth) -> None:
    assert health == health_after(lesson, now)
