"""Where the time of an exchange went: each moment counts once."""

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.clock import now
from proxy.time_spent import CLIENT, OURS, PARSE, PARTS, QUEUE, UPSTREAM, TimeSpent
from proxy.timing.loop_lag import LAG

few = settings(max_examples=100, deadline=None, database=None)
steps = st.lists(
    st.tuples(st.integers(0, len(PARTS) - 1), st.floats(0, 1000), st.booleans()), max_size=30
)


@few
@given(steps)
def test_the_parts_add_up_to_the_whole(taken: list[tuple[int, float, bool]]) -> None:
    """Whatever is waited for, in whatever order, nested or broken off."""
    spent, at = TimeSpent(100.0), 100.0
    for part, lasted, goes_back in taken:
        before = spent.enter(part, at)
        at += lasted
        if goes_back:
            spent.enter(before, at)
    spent.enter(OURS, at)

    assert at - 100.0 == pytest.approx(sum(spent.by_name().values()))
    assert min(spent.by_name().values(), default=0.0) >= 0


def test_it_begins_with_reading_the_request() -> None:
    spent = TimeSpent(1.0)

    assert PARSE == spent.enter(OURS, 1.5)
    assert {"parse": 0.5} == spent.by_name()


@pytest.mark.parametrize("part", range(len(PARTS)))
def test_each_part_is_told_by_its_own_name(part: int) -> None:
    spent = TimeSpent(0.0)
    spent.enter(part, 0.0)
    spent.enter(PARSE, 2.0)

    assert {PARTS[part]: 2.0} == spent.by_name()


def test_a_wait_within_a_wait_is_not_counted_twice() -> None:
    spent = TimeSpent(0.0)
    spent.enter(UPSTREAM, 0.0)
    before = spent.enter(QUEUE, 1.0)
    spent.enter(before, 3.0)
    spent.enter(OURS, 7.0)

    assert {"queue": 2.0, "upstream": 5.0} == spent.by_name()


def test_what_was_waited_for_may_be_known_only_afterwards() -> None:
    spent = TimeSpent(0.0)
    spent.enter(CLIENT, 0.0)
    spent.recount(UPSTREAM)
    spent.enter(OURS, 4.0)

    assert {"upstream": 4.0} == spent.by_name()


def test_a_stall_of_the_loop_is_ours_and_nobodys_wait(monkeypatch) -> None:
    monkeypatch.setattr(LAG, "_stalls", deque())
    at = now()
    spent = TimeSpent(at)
    spent.enter(UPSTREAM, at)
    LAG.record(at + 1.0, at + 3.5)
    spent.enter(OURS, at + 4.0)

    assert {"upstream": 1.5, "ours": 2.5} == pytest.approx(spent.by_name())
