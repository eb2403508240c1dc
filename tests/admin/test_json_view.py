"""Reading JSON that others made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.admin import json_view as told

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(JSON)
def test_whatever_stands_there_nothing_raises(value: object) -> None:
    there = {"x": value}
    for read in (told.text, told.as_number, told.part, told.rows, told.texts):
        read(there, "x")
        read({}, "x")


@pytest.mark.parametrize(
    ("value", "number"), [(1, 1.0), (0.5, 0.5), (True, None), ("1", None), (None, None)]
)
def test_only_numbers_are_numbers(value: object, number: float | None) -> None:
    assert number == told.as_number({"x": value}, "x")


def test_what_is_of_another_kind_reads_as_nothing() -> None:
    assert [] == told.rows({"x": "text"}, "x")
    assert [] == told.texts({"x": 1}, "x")
    assert {} == told.part({"x": []}, "x")
    assert 0 == told.as_count({"x": "5"}, "x")
    assert [{"a": 1}] == told.rows({"x": [1, {"a": 1}, None]}, "x")


@pytest.mark.parametrize(
    ("ms", "words"), [(0, "0 ms"), (0.42, "0.4 ms"), (310.4, "310 ms"), (20000, "20.0 s")]
)
def test_short_times_keep_a_tenth(ms: float, words: str) -> None:
    assert words == told.length(ms)
    assert words == told.milliseconds({"x": ms}, "x")


def test_a_time_that_is_not_there_is_a_dash() -> None:
    assert "—" == told.milliseconds({}, "x")
