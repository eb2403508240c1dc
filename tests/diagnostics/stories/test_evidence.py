"""What was found out at the end of an exchange, as its story says it."""

import pytest

from proxy.diagnostics.stories.evidence import connection_of, evidence_told
from proxy.evidence.record import Evidence
from proxy.upstream.link import Link
from tests.records import attempt


def evidence(**facts: object) -> Evidence:
    found = Evidence()
    for name, value in facts.items():
        getattr(found, name)
        setattr(found, name, value)
    return found


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param(
            {"framing": "length", "announced": 10, "received": 4},
            {"body": {"framing": "length", "received": 4, "announced": 10}}, id="a body cut short",
        ),
        pytest.param(
            {"framing": "chunked", "received": 4},
            {"body": {"framing": "chunked", "received": 4, "last_chunk": False}}, id="chunks",
        ),
        pytest.param({"since_event": 0.5}, {"since_event_ms": 500.0}, id="silence by events"),
        pytest.param({"round_trip": 0.03}, {"round_trip_ms": 30.0}, id="the client's round trip"),
        pytest.param({"stalled": 2.0}, {"stalled_ms": 2000.0}, id="our own pause"),
        pytest.param({"client_exit": "reset"}, {"client_exit": "reset"}, id="how it left"),
        pytest.param(
            {"handshake": {"upgrade": "websocket"}, "switched": {}},
            {"upgrade": {"asked": {"upgrade": "websocket"}, "answered": {}}}, id="an upgrade",
        ),
        pytest.param({"cors": "https://a may read"}, {"cors": "https://a may read"}, id="CORS"),
    ],
)  # fmt: skip
def test_each_fact_is_told(exchange_of, facts, told) -> None:
    assert evidence_told(exchange_of(evidence=evidence(**facts))) == told


def test_the_connection_of_an_attempt_that_failed_says_how_it_ended(exchange_of) -> None:
    link = Link(5.0, ("10.0.0.3", 40312), ("10.0.0.1", 80))
    first = attempt(started=8.0)
    first.carried_by(link, 8.0)
    link.rested_at = 9.0
    tried = attempt(started=10.0, outcome=exchange_of("upstream_reset").outcome)
    tried.carried_by(link, 10.0)
    link.end = "reset"
    x = exchange_of("upstream_reset", attempts=[first, tried])

    assert connection_of(x, tried) == {
        "number": link.number, "local": "10.0.0.3:40312", "peer": "10.0.0.1:80",
        "age_ms": 5000.0, "use": 2, "idle_ms": 1000.0, "end": "reset by the upstream",
    }  # fmt: skip
    told = connection_of(x, first)
    assert told is not None
    assert (told["use"], "idle_ms" in told, "end" in told) == (1, False, False)


def test_an_attempt_without_a_connection_tells_of_none(exchange_of) -> None:
    assert connection_of(exchange_of(), attempt()) is None
