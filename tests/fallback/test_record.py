"""The code of an exchange is that of the failure, whatever becomes of its fallback."""

import pytest

from proxy.outcome import (
    CIRCUIT_OPEN,
    CLIENT_CLOSED_STREAM,
    COMPLETED,
    INTERNAL_ERROR,
    STREAM_STALLED,
    Outcome,
)
from tests.records import exchange, fallen_back


@pytest.mark.parametrize(
    ("ends", "own"),
    [
        pytest.param((COMPLETED,), None, id="well"),
        pytest.param((STREAM_STALLED,), STREAM_STALLED, id="broken"),
        pytest.param((COMPLETED, CLIENT_CLOSED_STREAM), CLIENT_CLOSED_STREAM, id="left"),
    ],
)
def test_how_it_ends_is_kept_apart(ends: tuple[Outcome, ...], own: Outcome | None) -> None:
    x = exchange()
    x.end(CIRCUIT_OPEN, "why")
    x.fallback = fallen_back("spare")
    for outcome in ends:
        x.end(outcome, "another")

    assert (CIRCUIT_OPEN, "why") == (x.outcome, x.detail)
    assert own is x.fallback.outcome


def test_a_fault_of_ours_is_the_end_whatever_was_given() -> None:
    x = exchange(outcome=CIRCUIT_OPEN, fallback=fallen_back("spare"))
    x.end(INTERNAL_ERROR)

    assert INTERNAL_ERROR is x.outcome


def test_as_long_as_none_is_given_the_last_word_stands() -> None:
    x = exchange(outcome=CIRCUIT_OPEN, fallback=fallen_back(""))
    x.end(CLIENT_CLOSED_STREAM)

    assert CLIENT_CLOSED_STREAM is x.outcome
