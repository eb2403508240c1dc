"""The table of outcomes is whole, and its columns agree with each other."""

import re
from collections.abc import Callable
from typing import get_args

import pytest

from proxy import outcome as o
from proxy.outcome import OUTCOMES, Category, Cause, Level, Outcome, Result, Signal

BLAMED: dict[str, set[Category]] = {
    "C": {"client"},
    "c": {"client"},
    "U": {"upstream"},
    "u": {"upstream"},
    "P": {"policy"},
    "O": {"operator"},
    "I": {"internal"},
    "-": {"client", "upstream"},
}
STATUSES: dict[str, set[int | None]] = {
    "C": {400, 413, 414, 422, 431, 499, 501, 505, None},
    "c": {408, None},
    "U": {502, None},
    "u": {504, None},
    "P": {204, 403, 404, 405, 415, 426, 429, 502, 503, 508, None},
    "O": {503, None},
    "I": {500},
    "-": {None},
}


def offenders(is_good: Callable[[Outcome], bool]) -> list[str]:
    """Codes of the rows that break a rule."""
    return [code for code, row in OUTCOMES.items() if not is_good(row)]


def test_every_row_stands_under_its_code() -> None:
    assert list(OUTCOMES) == [row.code for row in OUTCOMES.values()]
    assert [] == offenders(lambda row: bool(re.fullmatch(r"[a-z]+(_[a-z]+)*", row.code)))


def test_the_term_is_a_known_who_and_phase() -> None:
    assert [] == offenders(lambda row: bool(re.fullmatch(r"--|[CcUuPOI][RQBCWHFSL*]", row.term)))


def test_who_ended_it_is_who_is_blamed() -> None:
    assert [] == offenders(lambda row: row.category in BLAMED[row.term[0]])


def test_the_status_follows_from_who_ended_it() -> None:
    assert [] == offenders(lambda row: row.status in STATUSES[row.term[0]])


def test_nobody_but_the_upstream_teaches_a_breaker() -> None:
    teachers = [code for code, row in OUTCOMES.items() if row.signal != "neutral"]

    assert {"client", "upstream"} == {OUTCOMES[code].category for code in teachers}
    assert ["completed"] == [code for code in teachers if OUTCOMES[code].category == "client"]


def test_only_what_the_upstream_did_may_be_tried_again() -> None:
    assert [] == offenders(lambda row: row.cause is None or row.category == "upstream")


def test_a_client_and_an_operator_make_no_error() -> None:
    assert [] == offenders(
        lambda row: not (row.is_error and row.category in ("client", "operator"))
    )


def test_what_broke_is_an_error() -> None:
    """A stream without an event did not: that may be all there was to say."""
    assert ["stream_empty"] == offenders(
        lambda row: row.is_error or row.category not in ("upstream", "internal")
    )


def test_whoever_is_answered_is_told_something() -> None:
    silent = [
        "completed",
        "preflight_refused",
        "stream_empty",
        "client_closed_request",
        "client_closed_stream",
        "client_too_slow",
    ]

    assert silent == offenders(lambda row: bool(row.message))


def test_messages_are_sentences_without_internals() -> None:
    words = r"upstream|proxy|sidelight|socket|exception|timeout|endpoint|breaker|circuit|route"

    assert [] == offenders(lambda row: not re.search(words, row.message, re.IGNORECASE))
    assert [] == offenders(lambda row: bool(re.fullmatch(r"|[A-Z].*\.", row.message)))
    assert [] == offenders(lambda row: re.findall(r"\{.*?\}", row.message) in ([], ["{n}"]))


@pytest.mark.parametrize(
    ("words", "used"),
    [
        pytest.param(get_args(Cause), {row.cause for row in OUTCOMES.values()}, id="cause"),
        pytest.param(get_args(Level), {row.level for row in OUTCOMES.values()}, id="level"),
        pytest.param(
            get_args(Category), {row.category for row in OUTCOMES.values()}, id="category"
        ),
    ],
)
def test_every_word_is_used(words: tuple[str, ...], used: set[str]) -> None:
    assert set(words) == used - {None}


@pytest.mark.parametrize(
    ("status", "result", "signal", "outcome"),
    [
        pytest.param(200, "ok", "success", o.COMPLETED, id="200"),
        pytest.param(304, "ok", "success", o.COMPLETED, id="304"),
        pytest.param(399, "ok", "success", o.COMPLETED, id="the last that is no error"),
        pytest.param(400, "status_4xx", "success", o.UPSTREAM_ERROR, id="the first client error"),
        pytest.param(428, "status_4xx", "success", o.UPSTREAM_ERROR, id="428"),
        pytest.param(429, "status_429", "success", o.UPSTREAM_ERROR, id="429: it answers"),
        pytest.param(430, "status_4xx", "success", o.UPSTREAM_ERROR, id="430"),
        pytest.param(499, "status_4xx", "success", o.UPSTREAM_ERROR, id="the last client error"),
        pytest.param(500, "status_5xx", "ratio", o.UPSTREAM_ERROR, id="500: maybe one user's"),
        pytest.param(501, "status_5xx", "ratio", o.UPSTREAM_ERROR, id="501"),
        pytest.param(502, "status_5xx", "failure", o.UPSTREAM_ERROR, id="502: cannot serve"),
        pytest.param(504, "status_5xx", "failure", o.UPSTREAM_ERROR, id="504: cannot serve"),
        pytest.param(505, "status_5xx", "ratio", o.UPSTREAM_ERROR, id="505"),
    ],
)
def test_what_follows_from_an_answers_status(
    status: int, result: Result, signal: Signal, outcome: Outcome
) -> None:
    assert (result, signal) == (o.result_of(status), o.signal_of(status))
    assert outcome is o.of_status(status)


@pytest.mark.parametrize(
    ("outcome", "status", "level"),
    [
        pytest.param(o.UPSTREAM_ERROR, 404, "info", id="an upstream's 4xx"),
        pytest.param(o.UPSTREAM_ERROR, 499, "info", id="the last of them"),
        pytest.param(o.UPSTREAM_ERROR, 500, "error", id="an upstream's 5xx"),
        pytest.param(o.UPSTREAM_ERROR, None, "info", id="an upstream's, never sent"),
        pytest.param(o.BODY_TOO_LARGE, 413, "info", id="our own 4xx"),
        pytest.param(o.STREAM_STALLED, 200, "error", id="a good status, but half an answer"),
        pytest.param(o.CIRCUIT_OPEN, 503, "warning", id="our refusal"),
        pytest.param(o.INTERNAL_ERROR, 500, "critical", id="our fault"),
    ],
)
def test_the_level_of_an_event(outcome: Outcome, status: int | None, level: Level) -> None:
    assert level == o.level_of(outcome, status)


@pytest.mark.parametrize(
    ("outcome", "status", "retryable"),
    [
        pytest.param(o.UPSTREAM_ERROR, 500, False, id="an upstream's 500"),
        pytest.param(o.UPSTREAM_ERROR, 502, True, id="an upstream's 502"),
        pytest.param(o.UPSTREAM_ERROR, 503, True, id="an upstream's 503"),
        pytest.param(o.UPSTREAM_ERROR, 504, True, id="an upstream's 504"),
        pytest.param(o.UPSTREAM_ERROR, None, False, id="an upstream's, of unknown status"),
        pytest.param(o.HEAD_TIMEOUT, 504, True, id="our own 504"),
        pytest.param(o.TLS_FAILURE, 502, False, id="a certificate does not mend itself"),
    ],
)
def test_whether_a_client_may_try_again(
    outcome: Outcome, status: int | None, retryable: bool
) -> None:
    assert retryable == o.retryable_of(outcome, status)
