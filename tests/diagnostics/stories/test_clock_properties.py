"""Clocks tell the truth of whatever was recorded, and what is drawn agrees with them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.admin.timeline import lanes_of
from proxy.diagnostics.stories.clocks import RAN_OUT, clocks_of
from proxy.diagnostics.stories.story import story_of
from proxy.settings.load import parse
from tests.conftest import SETTINGS
from tests.recorded import UNCONNECTED, Recorded, recorded

TERMS = parse(SETTINGS).routes[0]
LIMITS = "{ connect: 7s, pool_wait: 7s, head: 7s, first_event: 7s, gap: 7s, total: 7s }"
OTHER_TERMS = parse(
    SETTINGS.replace("upstream: chat }", f"upstream: chat, timeouts: {LIMITS} }}")
).routes[0]
EXCHANGES = recorded(TERMS)
MS = 0.002
"""Milliseconds are told with three decimals."""


def bars(story, lane):
    return [bar for each in lanes_of(story) if each.name == lane for bar in each.bars]


@given(EXCHANGES)
def test_exactly_the_clock_that_ended_it_is_marked(made: Recorded) -> None:
    outcome = made.x.outcome
    assert outcome is not None
    over = RAN_OUT.get(outcome.code)

    assert [over] * (over is not None) == [c.name for c in clocks_of(made.x) if c.ran_out]


@given(EXCHANGES)
def test_the_clock_that_ran_out_says_how_long_was_waited(made: Recorded) -> None:
    for clock in clocks_of(made.x):
        if clock.ran_out:
            assert clock.elapsed == pytest.approx(made.waited)


@given(EXCHANGES)
def test_what_elapsed_does_not_depend_on_the_limit(made: Recorded) -> None:
    told = {clock.name: clock.elapsed for clock in clocks_of(made.x)}
    made.x.terms = OTHER_TERMS
    again = {clock.name: clock.elapsed for clock in clocks_of(made.x)}

    assert told == again
    assert all(value is None or value >= 0 for value in told.values())


@given(EXCHANGES)
def test_the_first_event_is_the_same_wherever_it_is_told(made: Recorded) -> None:
    story = story_of(made.x)
    if made.first_event is not None:
        clocks = {clock.name: clock.elapsed for clock in clocks_of(made.x)}
        stream = story["stream"]
        assert isinstance(stream, dict)
        drawn = bars(story, "Answer")[0]

        assert clocks["first_event"] == pytest.approx(made.first_event)
        assert stream["first_event_ms"] - stream["head_ms"] == pytest.approx(
            made.first_event * 1000, abs=MS
        )
        assert drawn.kind == "wait"
        assert drawn.lasted == pytest.approx(made.first_event * 1000, abs=MS)


@given(EXCHANGES)
def test_a_connection_that_did_not_come_about_is_drawn_with_its_length(made: Recorded) -> None:
    outcome = made.x.outcome
    if outcome is not None and outcome.code in UNCONNECTED:
        (drawn,) = (
            bar
            for bar in bars(story_of(made.x), f"Attempt {len(made.x.attempts)}")
            if bar.kind == "connect"
        )
        assert drawn.lasted == pytest.approx(made.waited * 1000, abs=MS)


@given(EXCHANGES)
def test_silence_is_drawn_as_silence(made: Recorded) -> None:
    """Whatever was waited for at the end and did not come."""
    story = story_of(made.x)
    drawn = [bar for lane in lanes_of(story) for bar in lane.bars if bar.kind == "silence"]
    stream = story.get("stream")
    if isinstance(stream, dict):
        silent = stream["silent_ms"]
        if silent > 0.02 * (made.x.duration * 1000):
            assert drawn[-1].lasted == pytest.approx(silent, abs=MS)
            assert drawn[-1].ended == pytest.approx(made.x.duration * 1000, abs=MS)
    elif made.x.attempts and made.x.attempts[-1].head is not None:
        assert drawn[-1].lasted == pytest.approx(made.x.attempts[-1].head * 1000, abs=MS)


@given(EXCHANGES)
def test_what_is_drawn_lies_within_the_exchange_and_in_order(made: Recorded) -> None:
    end = made.x.duration * 1000
    for lane in lanes_of(story_of(made.x)):
        row = [bar for bar in lane.bars if bar.kind != "gap"]
        for bar in lane.bars:
            assert 0 <= bar.began <= bar.ended <= end + 4 * MS
        for bar, later in pairwise(row):
            assert bar.ended <= later.began + 4 * MS


@given(EXCHANGES, st.sampled_from(("likely", "proven", "next_check")))
def test_whatever_was_recorded_has_a_diagnosis(made: Recorded, part: str) -> None:
    told = story_of(made.x)[part]

    assert isinstance(told, str)
    assert told.endswith((".", "?"))
    assert "None" not in told
