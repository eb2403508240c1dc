"""What is told of a fallback."""

import pytest

from proxy.diagnostics.stories.diagnosis import diagnose
from proxy.diagnostics.stories.fallbacks import fallback_of, fallback_words
from proxy.outcome import STREAM_STALLED
from tests.records import attempt, fallen_back

TRIED = attempt("http://s:1", 11.0, connect=0.001, head=0.02, status=503, result="status_5xx")


def test_without_one_nothing_is_told(exchange_of) -> None:
    x = exchange_of("circuit_open")

    assert (None, "") == (fallback_of(x), fallback_words(x))


def test_the_attempt_is_told_with_its_times(exchange_of) -> None:
    x = exchange_of("circuit_open", fallback=fallen_back("static", "spare", TRIED), started=10.0)

    assert {
        "given": "static",
        "upstream": "spare",
        "endpoint": "http://s:1",
        "at_ms": 1000.0,
        "connect_ms": 1.0,
        "head_ms": 20.0,
        "status": 503,
        "result": "status_5xx",
    } == fallback_of(x)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        pytest.param(
            fallen_back("static"),
            "The client was given the fixed answer instead, with status 200.",
            id="a fixed answer",
        ),
        pytest.param(
            fallen_back("spare", "spare", attempt(status=200, result="ok"), STREAM_STALLED),
            "The client was given the answer of the upstream spare instead, with status 200. "
            "That answer itself ended as stream_stalled.",
            id="another upstream that broke",
        ),
        pytest.param(
            fallen_back("", "spare", attempt(result="connect_refused")),
            "The upstream spare was asked instead, to no avail (connect_refused).",
            id="nothing to be had",
        ),
        pytest.param(
            fallen_back("", "spare"),
            "The upstream spare was asked instead, to no avail.",
            id="no connection to be had",
        ),
    ],
)
def test_sentences(exchange_of, record, words: str) -> None:
    x = exchange_of("circuit_open", fallback=record, status=200)

    assert words == fallback_words(x)
    assert words in diagnose(x)["diagnosis"]
