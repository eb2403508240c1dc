"""One timer for all waits of a connection."""

import asyncio
import math

from proxy.waiter import Waiter

BRIEF = 0.02


def waiter():
    return Waiter(asyncio.get_running_loop())


async def waited(wait):
    loop = asyncio.get_running_loop()
    began = loop.time()
    await wait
    return loop.time() - began


async def test_a_wait_ends_after_its_time():
    assert BRIEF - 0.002 <= await waited(waiter().wait(BRIEF)) < 1


async def test_a_wait_ends_when_woken():
    one = waiter()
    asyncio.get_running_loop().call_soon(one.wake)

    assert await waited(one.wait(5)) < 1


async def test_a_wake_without_a_wait_is_not_kept_for_the_next():
    one = waiter()
    one.wake()

    assert await waited(one.wait(BRIEF)) >= BRIEF - 0.002


async def test_a_longer_wait_after_a_short_one_lasts_its_own_time():
    """The timer of the first is still armed and fires during the second."""
    one = waiter()
    asyncio.get_running_loop().call_soon(one.wake)
    await one.wait(BRIEF)

    assert await waited(one.wait(3 * BRIEF)) >= 3 * BRIEF - 0.002


async def test_a_shorter_wait_after_a_long_one_lasts_its_own_time():
    one = waiter()
    asyncio.get_running_loop().call_soon(one.wake)
    await one.wait(5)

    assert await waited(one.wait(BRIEF)) < 1
    one.close()


async def test_an_endless_wait_ends_when_it_is_shortened():
    one = waiter()
    asyncio.get_running_loop().call_soon(one.shorten, BRIEF)

    assert BRIEF - 0.002 <= await waited(one.wait(math.inf)) < 1


async def test_closing_wakes_and_leaves_no_timer():
    one = waiter()
    asyncio.get_running_loop().call_soon(one.close)
    await one.wait(5)

    assert one._clock._timer is None


async def test_a_cancelled_wait_is_over():
    one = waiter()
    waiting = asyncio.ensure_future(one.wait(5))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    one.wake()

    assert one._waiting is None
    one.close()
