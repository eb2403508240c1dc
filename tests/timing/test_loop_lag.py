"""What the loop was not there to see."""

import asyncio
import time
from collections import deque

import pytest

from proxy.clock import now
from proxy.timing.loop_lag import EVERY, LAG, LEAST, LoopLag, stalled, waited
from tests.house.raw_client import eventually


def block(seconds: float) -> None:
    """Keep the loop from running."""
    time.sleep(seconds)


@pytest.fixture
def lag() -> LoopLag:
    """With a stall from 10 to 13, and one from 20 to 21."""
    one = LoopLag()
    one.record(10.0, 13.0)
    one.record(20.0, 21.0)
    return one


@pytest.mark.parametrize(
    ("since", "until", "seconds"),
    [
        pytest.param(5.0, 30.0, 4.0, id="both"),
        pytest.param(14.0, 30.0, 1.0, id="the last one"),
        pytest.param(12.0, 30.0, 2.0, id="what was left of one"),
        pytest.param(5.0, 12.0, 2.0, id="what had been of one"),
        pytest.param(21.0, 30.0, 0.0, id="none, just behind it"),
        pytest.param(14.0, 19.0, 0.0, id="none, between them"),
    ],
)
def test_a_stall_counts_as_far_as_it_lies_within(lag, since, until, seconds):
    assert seconds == lag.stalled(since, until)


def test_a_wait_is_what_was_observed_of_it(monkeypatch):
    monkeypatch.setattr(LAG, "_stalls", deque())
    at = now()
    LAG.record(at - 3.0, at - 1.0)

    assert 2.0 == pytest.approx(waited(at - 4.0, at))
    assert 2.0 == pytest.approx(stalled(at - 4.0, at))


async def test_a_stall_that_goes_on_is_no_wait():
    LAG.watch(asyncio.get_running_loop(), print)
    began = now()
    block(4 * EVERY)
    until = now()
    seen = waited(began, until)
    LAG.unwatch(print)

    assert seen <= until - began - 3 * EVERY + 0.01


def test_a_wait_that_is_short_is_not_looked_at():
    at = now()
    LAG.record(at - LEAST / 2, at)

    assert LEAST / 2 == pytest.approx(waited(at - LEAST / 2, at))


async def test_a_callback_that_blocks_is_a_stall_and_is_told():
    lag, told = LoopLag(), []
    lag.watch(asyncio.get_running_loop(), told.append)
    began = now()
    block(4 * EVERY)
    until = now()
    seen = lag.stalled(began, until)
    await eventually(lambda: told)
    lag.unwatch(told.append)

    assert 3 * EVERY - 0.01 <= seen <= until - began, "while it goes on"
    assert 3 * EVERY - 0.01 <= told[0]
    assert lag.stalled(began, now()) >= 3 * EVERY - 0.01, "afterwards as well"


async def test_who_no_longer_watches_is_told_nothing_and_leaves_no_timer():
    lag, told = LoopLag(), []
    lag.watch(asyncio.get_running_loop(), told.append)
    lag.unwatch(told.append)
    block(2 * EVERY)
    await asyncio.sleep(EVERY)

    assert [] == told
    assert 0 == lag.stalled(0.0, now())


async def test_two_that_watch_one_loop_do_not_count_it_twice():
    lag, one, other = LoopLag(), [], []
    lag.watch(asyncio.get_running_loop(), one.append)
    lag.watch(asyncio.get_running_loop(), other.append)
    await eventually(lambda: one and other)
    lag.unwatch(one.append)
    lag.unwatch(other.append)

    assert one == other
