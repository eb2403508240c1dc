"""Clocks of silence: nobody is judged by a clock that was late."""

import asyncio
import socket
import time

import pytest

from proxy.clock import now
from proxy.timing.loop_lag import LAG
from proxy.timing.silence import SilenceClock, SilenceTimeout

BRIEF = 0.02
STALL = 0.2


def block(seconds: float) -> None:
    """Keep the loop from running."""
    time.sleep(seconds)


async def ran_out_after(silence: float, limit: float = 9.0, stall: float = 0.0) -> float:
    """Seconds until the clock has run out, where the loop did not run for the first `stall`."""
    over = asyncio.Event()
    clock = SilenceClock(asyncio.get_running_loop(), over.set)
    began = now()
    clock.start(silence, limit)
    if stall:
        LAG.record(began, began + stall)
    await over.wait()
    return now() - began


async def test_a_clock_runs_out_after_its_time():
    assert BRIEF <= await ran_out_after(BRIEF) < 1


async def test_time_in_which_the_loop_did_not_run_is_not_counted():
    assert BRIEF + STALL <= await ran_out_after(BRIEF, stall=STALL)


async def test_a_limit_is_real_time():
    assert 3 * BRIEF <= await ran_out_after(BRIEF, 3 * BRIEF, stall=STALL) < STALL


async def test_which_of_both_it_was_is_said():
    over = asyncio.Event()
    clock = SilenceClock(asyncio.get_running_loop(), over.set)
    said = []
    for silence, limit in ((BRIEF, 5.0), (5.0, BRIEF)):
        over.clear()
        clock.start(silence, limit)
        await over.wait()
        said.append(clock.limit_passed)

    assert [False, True] == said
    clock.close()


async def test_what_lies_in_the_kernel_is_read_before_the_verdict():
    """Even where the clock was due before the bytes could be read: loops run timers first."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    verdicts: list[str] = []
    clock = SilenceClock(asyncio.get_running_loop(), lambda: verdicts.append("silent"))

    async def read() -> None:
        await reader.readexactly(1)
        clock.stop()
        verdicts.append("heard")

    reading = asyncio.ensure_future(read())
    await asyncio.sleep(0)
    clock.start(BRIEF)
    theirs.send(b"x")
    block(2 * BRIEF)
    await reading

    assert ["heard"] == verdicts
    clock.close()
    writer.close()
    theirs.close()


async def test_a_clock_that_is_stopped_does_not_run_out():
    said: list[str] = []
    clock = SilenceClock(asyncio.get_running_loop(), lambda: said.append("over"))
    clock.start(BRIEF)
    clock.stop()
    await asyncio.sleep(3 * BRIEF)

    assert [] == said


async def test_a_timeout_raises_and_cancels_what_it_bounds():
    with pytest.raises(TimeoutError):
        async with SilenceTimeout(BRIEF):
            await asyncio.sleep(9)


async def test_a_timeout_is_late_by_what_the_loop_did_not_run():
    began = now()
    LAG.record(began, began + STALL)
    with pytest.raises(TimeoutError):
        async with SilenceTimeout(BRIEF):
            await asyncio.sleep(9)

    assert BRIEF + STALL <= now() - began


async def test_what_ends_in_time_is_left_alone():
    async with SilenceTimeout(9):
        await asyncio.sleep(0)

    assert not asyncio.current_task().cancelling()
