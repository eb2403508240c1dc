"""The timeline of a story."""

import re

from hypothesis import given
from hypothesis import strategies as st

from proxy.admin.pages.drawing import timeline

NUMBER = st.floats(0, 1e7)
RECT = re.compile(r'<rect x="([\d.]+)%" y="[\d.]+" width="([\d.]+)%"')


def test_what_has_no_attempts_is_not_drawn() -> None:
    assert timeline({}) is None


@given(NUMBER, NUMBER, NUMBER, NUMBER)
def test_nothing_is_drawn_outside(duration, at, head, pause) -> None:
    attempt = {"at_ms": at, "head_ms": head, "pause_ms": pause, "result": "reset"}
    drawn = timeline({"duration_ms": duration, "attempts": [attempt]}) or ""
    bars = RECT.findall(drawn)

    assert drawn.count("<rect") == len(bars) > 0
    assert all(float(x) + float(width) <= 100.02 for x, width in bars)
    assert all(float(width) >= 1 for _, width in bars), "what took no time is seen all the same"


def test_a_timeline_says_in_words_what_it_shows(stalled) -> None:
    label = re.search(r'aria-label="([^"]+)"', timeline(stalled) or "")[1]

    assert "Timeline of 22.0 s" in label
    assert "silence 20.0 s" in label


def test_its_end_stands_at_the_right_and_its_axis_has_a_scale(stalled) -> None:
    drawn = timeline(stalled) or ""

    assert re.search(r'x="100%" y="\d+" text-anchor="end" class="end">stream_stalled<', drawn)
    ticks = re.findall(r'text-anchor="(\w+)" class="tick">([^<]+)<', drawn)
    assert [("start", "0"), ("middle", "5.0 s"), ("middle", "10.0 s")] == ticks[:3]


def test_what_stands_at_the_edges_does_not_go_beyond_them() -> None:
    attempt = {"at_ms": 0.0, "head_ms": 10_000.0, "result": "head_timeout"}
    drawn = timeline({"duration_ms": 10_000.0, "attempts": [attempt]}) or ""

    assert 'x="0.00%" y="73" text-anchor="start" class="tick">0<' in drawn
    assert 'x="100.00%" y="73" text-anchor="end" class="tick">10.0 s<' in drawn


def test_a_bar_is_named_where_it_has_room_for_it(stalled) -> None:
    drawn = timeline(stalled) or ""

    assert 'class="words silence">silence 20.0 s<' in drawn
    assert ">pause 90 ms<" not in drawn, "its title has it"
    stalled["stream"]["last_byte_ms"] = 6000.0
    assert 'class="words events roomy">148 events<' in (timeline(stalled) or "")
