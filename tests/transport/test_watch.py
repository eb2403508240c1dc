"""One timer for all waits of a connection."""

import asyncio
import math

from proxy.transport.watch import Watch

BRIEF = 0.02


def watch():
    return Watch(asyncio.get_running_loop())


async def waited(wait):
    loop = asyncio.get_running_loop()
    began = loop.time()
    await wait
    return loop.time() - began


async def test_a_wait_ends_after_its_time():
    assert BRIEF - 0.002 <= await waited(watch().wait(BRIEF)) < 1


async def test_a_wait_ends_when_woken():
    watching = watch()
    asyncio.get_running_loop().call_soon(watching.wake)

    assert await waited(watching.wait(5)) < 1


async def test_a_wake_without_a_wait_is_not_kept_for_the_next():
    watching = watch()
    watching.wake()

    assert await waited(watching.wait(BRIEF)) >= BRIEF - 0.002


async def test_a_longer_wait_after_a_short_one_lasts_its_own_time():
    """The timer of the first is still armed and fires during the second."""
    watching = watch()
    asyncio.get_running_loop().call_soon(watching.wake)
    await watching.wait(BRIEF)

    assert await waited(watching.wait(3 * BRIEF)) >= 3 * BRIEF - 0.002


async def test_a_shorter_wait_after_a_long_one_lasts_its_own_time():
    watching = watch()
    asyncio.get_running_loop().call_soon(watching.wake)
    await watching.wait(5)

    assert await waited(watching.wait(BRIEF)) < 1
    watching.close()


async def test_an_endless_wait_ends_when_it_is_hurried():
    watching = watch()
    asyncio.get_running_loop().call_soon(watching.hurry, BRIEF)

    assert BRIEF - 0.002 <= await waited(watching.wait(math.inf)) < 1


async def test_closing_wakes_and_leaves_no_timer():
    watching = watch()
    asyncio.get_running_loop().call_soon(watching.close)
    await watching.wait(5)

    assert watching._timer is None


async def test_a_cancelled_wait_is_over():
    watching = watch()
    waiting = asyncio.ensure_future(watching.wait(5))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    watching.wake()

    assert watching._waiter is None
    watching.close()
