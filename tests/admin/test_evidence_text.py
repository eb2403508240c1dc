"""Connections, bodies and clients in words."""

import pytest

from proxy.admin.evidence_text import connection_words, evidence_lines


def test_a_connection_is_said_in_one_line() -> None:
    link = {
        "number": 7, "local": "10.0.0.3:40312", "peer": "10.0.0.1:80", "age_ms": 31000.0,
        "use": 12, "idle_ms": 4000.0, "end": "reset by the upstream",
    }  # fmt: skip

    assert connection_words({"connection": link}) == (
        "connection 7 from 10.0.0.3:40312 to 10.0.0.1:80, use 12, 31.0 s old, "
        "idle for 4.0 s before, reset by the upstream"
    )
    assert connection_words({}) == ""


@pytest.mark.parametrize(
    ("story", "said"),
    [
        pytest.param({"body": {"framing": "length", "received": 4, "announced": 10}},
                     ("Body", "4 bytes of 10 announced"), id="a length"),
        pytest.param({"body": {"framing": "chunked", "received": 4, "last_chunk": False}},
                     ("Body", "4 bytes in chunks, no last chunk"), id="chunks"),
        pytest.param({"body": {"framing": "close", "received": 1}},
                     ("Body", "1 byte, length not announced"), id="until close"),
        pytest.param({"client_exit": "fin"}, ("Client left", "it closed its side (FIN)"), id="fin"),
        pytest.param({"client_exit": "reset"}, ("Client left", "its connection broke (RST)"),
                     id="reset"),
        pytest.param({"round_trip_ms": 30.0}, ("Round trip", "30 ms to the client"), id="rtt"),
        pytest.param({"cors": "https://a may not read the answer"},
                     ("CORS", "https://a may not read the answer"), id="cors"),
    ],
)  # fmt: skip
def test_a_fact_is_a_line(story, said) -> None:
    assert list(evidence_lines(story)) == [said]


def test_comments_after_the_last_event_are_said() -> None:
    story = {"stream": {"silent_ms": 100.0}, "since_event_ms": 5000.0}

    ((name, said),) = evidence_lines(story)
    assert name == "Silence"
    assert said.endswith("comments came after the last event")


def test_an_upgrade_says_what_was_asked_and_what_came_back() -> None:
    story = {"upgrade": {"asked": {"upgrade": "websocket"}, "answered": {}}}

    assert list(evidence_lines(story)) == [
        ("Upgrade", "asked: upgrade: websocket"), ("Answered", "no field of an upgrade"),
    ]  # fmt: skip
