"""Bar charts."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.admin.json_view import length
from proxy.admin.pages.charts import HEIGHT, Column, chart, nice_step

NUMBER = st.floats(0, 1e7)
BAR = re.compile(
    r'<rect x="([\d.]+)%" width="([\d.]+)%" y="([\d.]+)" height="([\d.]+)" class="(all|bad)"'
)


def columns(*values: float) -> list[Column]:
    return [Column(f"03:0{n}", value) for n, value in enumerate(values)]


def scale(drawn: str) -> list[str]:
    return re.findall("<span>([^<]*)</span>", drawn.partition('<div class="times">')[0])


@pytest.mark.parametrize(
    ("about", "step"), [(1, 1), (1.1, 2), (3, 5), (7, 10), (130, 200), (0.03, 0.05), (4400, 5000)]
)
def test_steps_are_round(about: float, step: float) -> None:
    assert step == pytest.approx(nice_step(about))


@given(st.lists(NUMBER, min_size=1, max_size=60))
def test_every_value_above_nought_has_a_bar_within_the_chart(values: list[float]) -> None:
    bars = BAR.findall(chart(columns(*values), "x"))

    assert len([v for v in values if v > 0]) == len(bars)
    for x, width, y, height, _ in bars:
        assert float(x) + float(width) <= 100
        assert float(y) + float(height) == pytest.approx(HEIGHT)
        assert float(y) >= 13.9, "the value of the largest stands above it"


def test_the_scale_is_round_and_the_largest_value_stands_above_its_bar() -> None:
    drawn = chart(columns(3, 47, 20), "Requests")

    assert ["50", "25", "0"] == scale(drawn)
    assert re.search(r"<text [^>]*>47</text>", drawn)
    assert 'aria-label="Requests; most: 47 at 03:01"' in drawn


def test_a_count_is_never_said_in_halves() -> None:
    assert ["5", "", "0"] == scale(chart(columns(3), "Errors"))


def test_lengths_of_time_are_spelt_as_such() -> None:
    assert ["5.0 s", "2.5 s", "0"] == scale(chart(columns(2100.0), "p95", spell=length))


def test_of_nothing_there_is_a_ground_and_no_scale() -> None:
    drawn = chart(columns(0, 0), "Errors")

    assert ["", "", "0"] == scale(drawn)
    assert 'aria-label="Errors; none"' in drawn
    assert 'aria-label="Errors; none"' in chart([], "Errors")


def test_the_time_axis_stands_below() -> None:
    below = chart(columns(1), "x", ["03:00:00Z", "now"]).partition('<div class="times">')[2]

    assert below.startswith("<span>03:00:00Z</span><span>now</span>")


def test_the_bad_part_stands_before_the_whole_and_is_said() -> None:
    drawn = chart([Column("03:00", 10.0, 5.0)], "x")
    whole, bad = BAR.findall(drawn)

    assert ("all", "bad") == (whole[-1], bad[-1])
    assert float(bad[3]) == pytest.approx(float(whole[3]) / 2)
    assert "<title>10, 5 of them bad, at 03:00</title>" in drawn


def test_where_all_is_bad_it_is_not_said_twice() -> None:
    assert "<title>5 at 03:00</title>" in chart([Column("03:00", 5.0, 5.0)], "x")
