"""Drawings."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.admin.pages.drawing import WIDTH, bars, nice_step, timeline
from proxy.admin.pages.errors import by_hour

NUMBER = st.floats(0, 1e7)


@pytest.mark.parametrize(
    ("about", "step"), [(1, 1), (1.1, 2), (3, 5), (7, 10), (130, 200), (0.03, 0.05), (4400, 5000)]
)
def test_steps_are_round(about: float, step: float) -> None:
    assert step == pytest.approx(nice_step(about))


def test_what_has_no_attempts_is_not_drawn() -> None:
    assert timeline({}) is None


@given(NUMBER, NUMBER, NUMBER, NUMBER)
def test_nothing_is_drawn_outside(duration, at, head, pause) -> None:
    attempt = {"at_ms": at, "head_ms": head, "pause_ms": pause, "result": "reset"}
    drawn = timeline({"duration_ms": duration, "attempts": [attempt]})
    ends = [
        float(x) + float(w) for x, w in re.findall(r'<rect x="([\d.]+)".*? width="([\d.]+)"', drawn)
    ]

    assert max(ends) <= WIDTH


def test_a_timeline_says_in_words_what_it_shows(stalled) -> None:
    label = re.search(r'aria-label="([^"]+)"', timeline(stalled) or "")[1]

    assert "Timeline of 22.0 s" in label
    assert "silence 20.0 s" in label


@given(st.lists(NUMBER, min_size=1, max_size=60))
def test_every_value_above_nought_has_a_bar(values: list[float]) -> None:
    drawn = bars(values, [0.0] * len(values), "x")

    assert len([v for v in values if v > 0]) == drawn.count("<rect")


def test_the_bad_part_stands_before_the_whole() -> None:
    assert 'height="42.0"' in bars([10.0], [5.0], "x")
    assert 'height="21.0" class="bad"' in bars([10.0], [5.0], "x")


def test_hours_stand_where_they_belong() -> None:
    counts = by_hour(
        [
            {"hour": "2026-11-22T03:00:00Z", "count": 5},
            {"hour": "2026-11-22T01:00:00Z", "count": 2},
            {"hour": "2026-11-01T01:00:00Z", "count": 9},
            {"hour": "nonsense", "count": 9},
        ],
        1795317000.0,
    )

    assert [2.0, 0.0, 5.0] == counts[-3:]
    assert 7.0 == sum(counts)
