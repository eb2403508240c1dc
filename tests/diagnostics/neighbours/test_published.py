"""Rows that instances publish to each other come back as they were, and bounded."""

import pytest

from proxy.diagnostics.neighbours.published import (
    BAD,
    GOOD,
    MOST_ROWS,
    SLOT,
    from_texts,
    slot_of,
    to_text,
)
from proxy.diagnostics.neighbours.rows import RowMaker


@pytest.fixture
def published(happen):
    """What others read of rows that were published."""

    def make(*ends, at_least=False):
        maker = RowMaker(("user_id",))
        rows = [maker.row(happen(at, **unusual)) for at, unusual in ends]
        text = to_text(maker.fields, rows, 1e9, at_least=at_least)
        (slot,) = from_texts("chat", [("pod-1", text)], "")
        return rows, slot

    return make


def test_what_is_compared_comes_back(published) -> None:
    failed = {"code": "head_timeout", "status": None, "user": "u9", "took": 0.25}
    (row,), slot = published((100.5, failed), at_least=True)
    ((found, had),) = slot.rows

    assert ("pod-1", True, {"head_timeout": 1}) == (slot.instance, slot.at_least, slot.counts)
    assert ("u9", "/api/chat", None) == (had["user_id"], had["path"], had["stream"])
    assert (row.values, row.kind, row.request_id) == (found.values, found.kind, found.request_id)
    assert (row.route, row.upstream, row.is_cut) == (found.route, found.upstream, found.is_cut)
    assert pytest.approx((1e9 + 100.5, 0.25, 0.25)) == (found.ended, found.lasted, found.pace)


def test_the_pace_of_a_stream_is_that_of_its_first_event(published) -> None:
    _, slot = published((100.0, {"streamed": True, "first_event": 0.07, "took": 3.0}))
    ((found, _),) = slot.rows

    assert pytest.approx((True, 0.07, 3.0)) == (found.streamed, found.pace, found.lasted)


def test_of_very_many_some_are_kept_and_all_are_counted(published) -> None:
    good = [(100 + n / 1000, {}) for n in range(500)]
    bad = [(101 + n / 1000, {"code": "upstream_reset"}) for n in range(300)]
    _, slot = published(*good, *bad)

    assert {"": 500, "upstream_reset": 300} == slot.counts
    assert GOOD + BAD == len(slot.rows)


def test_those_that_are_kept_do_not_follow_the_turns_of_the_endpoints(published) -> None:
    _, slot = published(*((100 + n / 1000, {"endpoint": f"http://{n % 2}"}) for n in range(128)))
    ones = [had["endpoint"] for _, had in slot.rows]

    assert 16 < ones.count("http://1") < 48


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"fields": [], "counts": {}, "rows": [[1]]}'])
def test_what_is_no_piece_is_passed_over(text: str) -> None:
    assert [] == from_texts("chat", [("pod-1", text)], "")


def test_of_many_instances_some_rows_are_taken_and_that_which_is_asked_for(happen) -> None:
    maker, many = RowMaker(), 70
    rows = [maker.row(happen(100 + n / 100, id=f"id-{n}")) for n in range(GOOD)]
    text = to_text(maker.fields, rows, 1e9, at_least=False)
    slots = from_texts("chat", [(f"pod-{n}", text) for n in range(many)], "id-7")
    taken = [row.request_id for slot in slots for row, _ in slot.rows]

    assert MOST_ROWS / 3 < len(taken) <= MOST_ROWS
    assert many == taken.count("id-7")
    assert {GOOD} == {slot.counts[""] for slot in slots}


def test_a_piece_is_ten_seconds_long() -> None:
    assert 1 == slot_of(12.0) == slot_of(2 * SLOT - 0.001)
