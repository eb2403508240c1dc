"""A row has what is compared of an exchange, cut to a bounded size."""

import pytest

from proxy.diagnostics.neighbours.rows import (
    FIELDS,
    LONGEST,
    MOST_FIELDS,
    MOST_VALUES,
    RowMaker,
    kind_of_end,
    pace_of,
    size_class,
    tries_of,
)
from tests.diagnostics.neighbours.conftest import A, B
from tests.records import attempt


def values(row):
    return dict(zip((*FIELDS, "user_id"), row.values, strict=True))


def test_every_field_of_the_record_that_may_tell_them_apart_is_there(happen) -> None:
    row = RowMaker(("user_id",)).row(happen(1.0, path="/api/chat?q=1", config_hash="c1"))

    assert values(row) == {
        "path": "/api/chat", "endpoint": A, "connection": "reused", "client": "192.0.2.1",
        "agent": "widget/1", "method": "GET", "host": None, "size": "no body", "stream": "plain",
        "settings": "c1", "user_id": "u1",
    }  # fmt: skip


def test_what_is_missing_is_a_value_of_its_own(happen) -> None:
    x = happen(1.0, attempts=[], code="circuit_open", agent="")
    x.fields = {}
    row = values(RowMaker(("user_id",)).row(x))

    for name in ("endpoint", "connection", "stream", "agent", "user_id", "settings"):
        assert row[name] is None


def test_two_long_values_with_the_same_beginning_stay_two(happen) -> None:
    maker = RowMaker()
    one, other = (maker.row(happen(1.0, path="/" + "a" * 200 + end)) for end in "xy")

    assert one.values[0] != other.values[0]
    assert (len(one.values[0] or ""), one.is_cut) == (LONGEST, True)
    assert not maker.row(happen(1.0)).is_cut


def test_a_value_that_many_have_is_kept_once(happen) -> None:
    maker = RowMaker()
    one, other = (maker.row(happen(1.0, path="".join(["/a", "b"]))) for _ in range(2))

    assert one.values[0] is other.values[0]


def test_the_values_that_are_kept_are_bounded(happen) -> None:
    maker = RowMaker()
    for n in range(MOST_VALUES + 10):
        maker.row(happen(1.0, path=f"/{n}"))

    assert len(maker._known) <= MOST_VALUES


def test_no_more_than_the_first_fields_are_compared() -> None:
    assert len(RowMaker(tuple(f"f{n}" for n in range(30))).own) == MOST_FIELDS


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("completed", 200, ""),
        ("upstream_error", 500, "upstream_error 500"),
        ("head_timeout", None, "head_timeout"),
    ],
)
def test_the_kind_is_how_it_ended(happen, code, status, kind) -> None:
    assert kind_of_end(happen(1.0, code=code, status=status)) == kind


def test_a_stream_is_as_slow_as_its_first_event(happen) -> None:
    assert pace_of(happen(9.0, took=5.0)) == 5.0
    assert pace_of(happen(9.0, took=5.0, streamed=True, first_event=0.2)) == 0.2


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "no body"), (1, "up to 1 KiB"), (1025, "up to 16 KiB"), (5 << 20, "more than 4 MiB")],
)
def test_sizes_are_compared_by_class(size, words) -> None:
    assert size_class(size) == words


def test_attempts_are_kept_where_one_failed_or_there_were_several(happen) -> None:
    lost = attempt(A, 1.0, result="reset")
    good = attempt(B, 1.0, result="ok")

    assert tries_of(happen(2.0, attempts=[lost, good])) == ((A, "reset"), (B, "ok"))
    assert tries_of(happen(2.0, attempts=[lost])) == ((A, "reset"),)
    assert tries_of(happen(2.0, attempts=[good])) == ()
