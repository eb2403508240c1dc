"""One timer for all waits of a connection."""

import asyncio
import math
import socket
import time

from proxy.timing.waiter import Waiter
from tests.client.fakes import turns

BRIEF = 0.02


def waiter():
    return Waiter(asyncio.get_running_loop())


async def waits(waiter, silence):
    await waiter.wait(silence)


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


async def test_nothing_is_shortened_where_nobody_waits():
    one = waiter()
    one.shorten(BRIEF)
    waiting = one.wait(5)
    await asyncio.sleep(3 * BRIEF)

    assert not waiting.done()
    waiting.cancel()
    one.close()


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
    waiting = one.wait(5)
    waiting.cancel()
    one.wake()
    one.shorten(BRIEF)

    assert waiting.cancelled()
    assert await waited(one.wait(BRIEF)) >= BRIEF - 0.002
    one.close()


async def test_a_cancelled_wait_does_not_end_the_next_one() -> None:
    """An upload that is cancelled lets go only after whoever follows has begun to wait."""
    waiter = Waiter(asyncio.get_running_loop())
    upload = asyncio.create_task(waits(waiter, 5))
    await turns()
    following = asyncio.create_task(waits(waiter, 9))
    upload.cancel()
    await turns()
    assert upload.cancelled()
    waiter.wake()
    await turns()

    assert following.done()
    waiter.close()


class Stalling(asyncio.Protocol):
    """Holds the loop while bytes for `other` arrive and the time of a wait runs out."""

    def __init__(self, other: socket.socket) -> None:
        self.other = other

    def data_received(self, data):
        self.other.send(b"in time")
        time.sleep(0.02)


class Remembering(asyncio.Protocol):
    def __init__(self) -> None:
        self.seen = b""

    def data_received(self, data):
        self.seen += data


async def test_what_came_in_time_is_seen_before_time_is_up() -> None:
    """After a stall of the process loops run their timers before they read."""
    loop = asyncio.get_running_loop()
    (first, trigger), (second, other) = socket.socketpair(), socket.socketpair()
    stalling, _ = await loop.create_connection(lambda: Stalling(other), sock=first)
    reading, remembering = await loop.create_connection(Remembering, sock=second)

    async def look() -> bytes:
        await Waiter(loop).wait(0.01)
        return remembering.seen

    looking = asyncio.create_task(look())
    await asyncio.sleep(0)
    trigger.send(b"now")
    seen = await looking
    for one in (stalling, reading, trigger, other):
        one.close()
    await turns()

    assert b"in time" == seen
