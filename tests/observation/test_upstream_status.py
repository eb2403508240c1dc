"""What the traffic shows about an upstream."""

import pytest

from proxy.attempt_record import Attempt
from proxy.observation.upstream_status import (
    AttemptHistory,
    AttemptResult,
    UpstreamHealth,
    circuit_open,
    is_plain_success,
    of_checks,
    results_of,
)
from proxy.outcome import (
    CIRCUIT_OPEN,
    CLIENT_CLOSED_REQUEST,
    CLIENT_CLOSED_STREAM,
    COMPLETED,
    CONNECT_REFUSED,
    STALE_CONNECTION,
    STREAM_STALLED,
    UPSTREAM_ERROR,
    Signal,
)
from proxy.upstream.health.view import EndpointView
from tests.records import attempt

ENDED = 10.0251234


def _attempt(**unusual) -> Attempt:
    return attempt("http://a:1", 10.0, **unusual)


@pytest.mark.parametrize(
    ("unusual", "signal", "cause"),
    [
        pytest.param({}, "success", "status_200", id="an answer: it works"),
        pytest.param(
            {"outcome": CONNECT_REFUSED, "attempts": [_attempt(outcome=CONNECT_REFUSED)]},
            "failure",
            "connect_refused",
            id="refused: it fails",
        ),
        pytest.param(
            {"outcome": STREAM_STALLED},
            "failure",
            "stream_stalled",
            id="an answer that stalled: it fails",
        ),
        pytest.param(
            {"outcome": UPSTREAM_ERROR, "attempts": [_attempt(status=503)]},
            "failure",
            "status_503",
            id="503: it fails",
        ),
        pytest.param(
            {"outcome": UPSTREAM_ERROR, "attempts": [_attempt(status=500)]},
            "ratio",
            "status_500",
            id="500 may be one user's poison",
        ),
        pytest.param(
            {"outcome": CLIENT_CLOSED_STREAM}, "success", "status_200", id="an answer had begun"
        ),
        pytest.param(
            {"outcome": CIRCUIT_OPEN, "attempts": [_attempt(outcome=CONNECT_REFUSED)]},
            "failure",
            "connect_refused",
            id="a failed attempt before a refusal",
        ),
    ],
)
def test_an_attempt_shows(exchange, unusual, signal: Signal, cause: str) -> None:
    assert [AttemptResult(ENDED, signal, cause)] == list(results_of(exchange(**unusual)))


@pytest.mark.parametrize(
    "unusual",
    [
        pytest.param({"outcome": CIRCUIT_OPEN, "attempts": []}, id="no attempt"),
        pytest.param(
            {"outcome": CLIENT_CLOSED_REQUEST, "attempts": [_attempt()]}, id="client left"
        ),
        pytest.param(
            {"outcome": STALE_CONNECTION, "attempts": [_attempt(outcome=STALE_CONNECTION)]},
            id="a stale connection blames nobody",
        ),
        pytest.param({"outcome": None}, id="no outcome"),
    ],
)
def test_an_exchange_shows_nothing(exchange, unusual) -> None:
    assert [] == list(results_of(exchange(**unusual)))


@pytest.mark.parametrize("outcome", [COMPLETED, UPSTREAM_ERROR, None])
@pytest.mark.parametrize("status", [200, 204, 304, 404, 429, 500, 503, None])
def test_a_plain_success_is_told_as_its_results_would_tell_it(exchange, outcome, status) -> None:
    x = exchange(outcome=outcome, attempts=[_attempt(status=status)])
    shown = [(result.at, result.signal) for result in results_of(x)]

    assert is_plain_success(x) == (outcome is COMPLETED and shown == [(ENDED, "success")])


def test_every_attempt_of_an_exchange_counts_when_it_ended(exchange) -> None:
    attempts = [
        attempt("http://a:1", 10.0, outcome=CONNECT_REFUSED),
        attempt("http://a:1", 10.01, status=200),
    ]

    assert [
        AttemptResult(10.01, "failure", "connect_refused"),
        AttemptResult(ENDED, "success", "status_200"),
    ] == list(results_of(exchange(attempts=attempts)))


GOOD, BAD, POISON = "success", "failure", "ratio"


@pytest.mark.parametrize(
    ("results", "now", "health"),
    [
        pytest.param([], 0, UpstreamHealth("unknown", "no attempt yet"), id="nothing yet"),
        pytest.param([(0, GOOD)], 60, UpstreamHealth("connected"), id="it worked"),
        pytest.param(
            [(0, GOOD)],
            60.1,
            UpstreamHealth("unknown", "no attempt in the last 60 s"),
            id="too long ago",
        ),
        pytest.param(
            [(0, GOOD), (1, BAD), (2, GOOD)], 2, UpstreamHealth("connected"), id="one among good"
        ),
        pytest.param(
            [(0, GOOD), (1, BAD), (2, BAD)],
            2,
            UpstreamHealth("connected", None, 1, 2),
            id="two after a good one",
        ),
        pytest.param(
            [(0, GOOD), (1, BAD), (2, BAD), (3, BAD)],
            3,
            UpstreamHealth("failing", "reset", 1, 3),
            id="three in a row",
        ),
        pytest.param(
            [(0, BAD), (100, BAD), (200, BAD)],
            800,
            UpstreamHealth("failing", "reset", 0, 3),
            id="the last three, however slowly they came",
        ),
        pytest.param(
            [(0, BAD), (1, BAD), (2, BAD)],
            602.1,
            UpstreamHealth("unknown", "no attempt in the last 60 s", 0, 3),
            id="nobody has tried for ten minutes",
        ),
        pytest.param(
            [(0, BAD), (1, BAD), (2, BAD), (3, GOOD)], 3, UpstreamHealth("connected"), id="it heals"
        ),
        pytest.param(
            [(0, BAD), (1, POISON), (2, BAD), (3, POISON), (4, BAD)],
            4,
            UpstreamHealth("failing", "reset", 0, 3),
            id="a 500 neither lengthens nor ends the row",
        ),
        pytest.param([(0, POISON)], 1, UpstreamHealth("connected"), id="a 500 is an answer"),
        pytest.param(
            [(0, BAD)],
            1,
            UpstreamHealth("unknown", "the last attempt failed: reset", 0, 1),
            id="the only one failed",
        ),
        pytest.param(
            [(0, GOOD), (61, BAD), (62, BAD)],
            62,
            UpstreamHealth("failing", "reset", 61, 2),
            id="two, and none was good within the window",
        ),
        pytest.param(
            [(0, BAD), (61, BAD)],
            61,
            UpstreamHealth("unknown", "the last attempt failed: reset", 0, 2),
            id="two, but not within the window",
        ),
    ],
)
def test_failing_takes_more_than_one_failure(
    results: list[tuple[float, Signal]], now: float, health: UpstreamHealth
) -> None:
    history = AttemptHistory()
    for at, signal in results:
        history.add(AttemptResult(at, signal, "reset"))

    assert health == history.health(now)


def test_an_open_circuit_is_a_failing_upstream() -> None:
    connected = UpstreamHealth("connected", None, 1.0, 2)
    failing = UpstreamHealth("failing", "reset", 1.0, 3)

    assert UpstreamHealth("failing", "circuit of chat is open", 5.0, 2) == circuit_open(
        "chat", 5.0, connected
    )
    assert failing == circuit_open("chat", 5.0, failing)


DOWN = EndpointView("http://a", None, "down", "3 checks in a row: status 500", since=5.0)
UP = EndpointView("http://b", None, "up", "1 check in a row: status 200", since=1.0)
BACK = EndpointView("http://b", None, "up", "2 checks in a row: status 200", since=8.0)
USABLE = EndpointView("http://c", None, "usable")


@pytest.mark.parametrize(
    ("views", "before", "after"),
    [
        pytest.param((UP,), ("unknown", "no attempt yet"), ("connected", None), id="no traffic"),
        pytest.param((BACK,), ("failing", "x"), ("connected", None), id="back since then"),
        pytest.param(
            (DOWN,),
            ("unknown", "no attempt yet"),
            ("failing", "no endpoint is healthy: 3 checks in a row: status 500"),
            id="dead without traffic",
        ),
        pytest.param(
            (DOWN, DOWN),
            ("connected", None),
            ("failing", "no endpoint is healthy: 3 checks in a row: status 500"),
            id="dead since the last good attempt",
        ),
        pytest.param((DOWN, UP), ("connected", None), ("connected", None), id="one is left"),
        pytest.param((UP,), ("failing", "x"), ("failing", "x"), id="traffic fails all the same"),
        pytest.param((USABLE,), ("unknown", "x"), ("unknown", "x"), id="nothing is checked"),
        pytest.param((), ("unknown", "x"), ("unknown", "x"), id="no endpoint"),
    ],
)
def test_checks_speak_where_there_is_no_traffic(views, before, after) -> None:
    told = of_checks(views, UpstreamHealth(*before), last=7.0)

    assert after == (told.status, told.reason)


def test_an_upstream_without_a_healthy_endpoint_fails_since_the_last_one_went() -> None:
    later = EndpointView("http://b", None, "down", "x", since=9.0)

    assert 9.0 == of_checks((later, DOWN), UpstreamHealth("connected"), 0.0).since
