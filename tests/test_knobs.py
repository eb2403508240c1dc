"""Durations and sizes as people write them."""

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from proxy.knobs import Duration, Knobs, Share, Size, as_duration, as_size, seconds, size


class Rule(Knobs):
    wait: Duration = 1.0
    """How long."""
    most: Size = 1024
    part: Share = 0.5


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("300ms", 0.3),
        ("2s", 2.0),
        ("1.5s", 1.5),
        ("10m", 600.0),
        ("1h", 3600.0),
        ("1d", 86400.0),
        ("0s", 0.0),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text, value):
    assert seconds(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("5", "5 has no unit; write 5s or 5ms", id="bare"),
        pytest.param("5.0", "5.0 has no unit; write 5.0s or 5.0ms", id="bare with a point"),
        pytest.param(
            "soon",
            '"soon" is not a duration; write a number and a unit, such as 300ms, 2s or 10m',
            id="no number",
        ),
        pytest.param(
            "-1s",
            '"-1s" is not a duration; write a number and a unit, such as 300ms, 2s or 10m',
            id="negative",
        ),
        pytest.param(
            True,
            '"True" is not a duration; write a number and a unit, such as 300ms, 2s or 10m',
            id="true is no number",
        ),
        pytest.param(
            None,
            '"None" is not a duration; write a number and a unit, such as 300ms, 2s or 10m',
            id="nothing",
        ),
    ],
)
def test_what_is_no_duration_is_refused_with_the_remedy(text, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("0B", 0), ("512B", 512), ("64KiB", 65536), ("10MiB", 10485760), ("1GiB", 1073741824)],
)
def test_a_size_is_a_whole_number_and_a_unit(text, value):
    assert size(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("65536", "65536 has no unit; write 65536B or 65536KiB", id="bare"),
        pytest.param(
            "1.5MiB",
            '"1.5MiB" is not a size; write a whole number and a unit, such as 512B, 64KiB or 10MiB',
            id="not whole",
        ),
        pytest.param(
            "64KB",
            '"64KB" is not a size; write a whole number and a unit, such as 512B, 64KiB or 10MiB',
            id="a unit of 1000",
        ),
        pytest.param(
            True,
            '"True" is not a size; write a whole number and a unit, such as 512B, 64KiB or 10MiB',
            id="true is no number",
        ),
    ],
)
def test_what_is_no_size_is_refused_with_the_remedy(text, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        size(text)


def test_numbers_of_python_are_seconds_and_bytes():
    rule = Rule(wait=5, most=10)

    assert (rule.wait, rule.most) == (5.0, 10)


@pytest.mark.parametrize(
    "unusual",
    [
        pytest.param({"wiat": 1.0}, id="an unknown key"),
        pytest.param({"wait": -1.0}, id="a negative duration"),
        pytest.param({"most": -1}, id="a negative size"),
        pytest.param({"part": 1.1}, id="more than the whole"),
        pytest.param({"part": -0.1}, id="less than nothing"),
        pytest.param({"wait": float("inf")}, id="for ever"),
        pytest.param({"part": float("nan")}, id="no number"),
    ],
)
def test_a_rule_refuses(unusual):
    with pytest.raises(ValidationError):
        Rule(**unusual)


def test_a_rule_never_changes():
    with pytest.raises(ValidationError):
        Rule().wait = 2.0  # type: ignore[misc]


def test_the_text_under_a_field_is_its_description():
    assert Rule.model_fields["wait"].description == "How long."


def test_the_schema_asks_for_text_with_a_unit():
    keys = Rule.model_json_schema()["properties"]

    assert (keys["wait"]["type"], keys["most"]["type"]) == ("string", "string")
    assert keys["wait"]["pattern"].endswith("(ms|s|m|h|d)$")
    assert keys["most"]["pattern"].endswith("(B|KiB|MiB|GiB)$")


def test_json_has_them_as_people_write_them():
    assert Rule(wait=0.25, most=65536).model_dump(mode="json") == {
        "wait": "250ms",
        "most": "64KiB",
        "part": 0.5,
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0s"), (0.1, "100ms"), (0.0005, "0.5ms"), (90, "90s"), (60, "1m"), (7200, "2h")],
)
def test_a_duration_is_written_in_the_largest_whole_unit(value, text):
    assert as_duration(value) == text


@given(st.integers(0, 10**9))
def test_a_duration_written_and_read_is_the_same(milliseconds):
    value = milliseconds / 1000

    assert seconds(as_duration(value)) == pytest.approx(value)


@given(st.integers(0, 10**12))
def test_a_size_written_and_read_is_the_same(value):
    assert size(as_size(value)) == value


def test_a_size_is_written_in_the_largest_whole_unit():
    assert [as_size(1 << 20), as_size(3 << 30), as_size(1536), as_size(0)] == [
        "1MiB",
        "3GiB",
        "1536B",
        "0B",
    ]


def test_a_knob_is_described_by_the_docstring_under_it() -> None:
    """One style for all: `Field(description=…)` would be a second one."""
    described = [
        path.name
        for path in (Path(__file__).parents[1] / "proxy").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Field"
        if any(given.arg == "description" for given in node.keywords)
    ]

    assert [] == described
