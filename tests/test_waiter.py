"""Waiting with one timer: ended by a wake, by time, or with the connection."""

import asyncio
import socket
import time
from math import inf

import pytest

from proxy.waiter import Waiter
from tests.client.fakes import turns


class Loop:
    """A loop whose clock stands still until it is moved."""

    def __init__(self) -> None:
        self.real = asyncio.get_running_loop()
        self.create_future = self.real.create_future
        self.call_soon = self.real.call_soon
        self.now = 0.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when, callback, *args):
        self.timers.append(Timer(self, when, callback))
        return self.timers[-1]

    async def move(self, to: float) -> None:
        """Time goes on, and timers fire."""
        await turns()
        self.now = to
        for timer in list(self.timers):
            if timer.when <= to:
                timer.cancel()
                timer.callback()
        await turns()


class Timer:
    def __init__(self, loop, when, callback) -> None:
        self.loop, self.when, self.callback = loop, when, callback

    def cancel(self) -> None:
        if self in self.loop.timers:
            self.loop.timers.remove(self)


@pytest.fixture
async def loop() -> Loop:
    return Loop()


async def test_a_wake_ends_the_wait_and_leaves_the_timer(loop) -> None:
    waiter = Waiter(loop)
    for _ in range(3):
        waiting = asyncio.create_task(waiter.wait(5))
        await turns()
        waiter.wake()
        await waiting

    assert 1 == len(loop.timers)


async def test_time_ends_the_wait_at_its_own_end_and_not_at_an_earlier_one(loop) -> None:
    waiter = Waiter(loop)
    first = asyncio.create_task(waiter.wait(5))
    await turns()
    waiter.wake()
    await loop.move(3)
    second = asyncio.create_task(waiter.wait(5))
    await loop.move(5)
    assert (True, False) == (first.done(), second.done())
    await loop.move(8)
    assert second.done()


async def test_a_shorter_wait_moves_the_timer(loop) -> None:
    waiter = Waiter(loop)
    first = asyncio.create_task(waiter.wait(50))
    await turns()
    waiter.wake()
    await first
    second = asyncio.create_task(waiter.wait(5))
    await loop.move(5)

    assert second.done()


async def test_a_wait_without_end_waits_for_one(loop) -> None:
    waiter = Waiter(loop)
    waiting = asyncio.create_task(waiter.wait(inf))
    await loop.move(1000)
    assert [] == loop.timers
    waiter.shorten(5)
    await loop.move(1005)

    assert waiting.done()


async def test_nothing_is_shortened_or_woken_where_nobody_waits(loop) -> None:
    waiter = Waiter(loop)
    waiter.shorten(5)
    waiter.wake()
    waiting = asyncio.create_task(waiter.wait(9))
    await loop.move(5)

    assert not waiting.done()
    waiting.cancel()


async def test_the_end_of_a_connection_ends_wait_and_timer(loop) -> None:
    waiter = Waiter(loop)
    waiting = asyncio.create_task(waiter.wait(5))
    await turns()
    waiter.close()
    await waiting
    waiter.close()

    assert [] == loop.timers


async def test_a_cancelled_wait_does_not_end_the_next_one(loop) -> None:
    """An upload that is cancelled lets go only after whoever follows has begun to wait."""
    waiter = Waiter(loop)
    upload = asyncio.create_task(waiter.wait(5))
    await turns()
    following = asyncio.create_task(waiter.wait(9))
    upload.cancel()
    await turns()
    assert upload.cancelled()
    waiter.wake()
    await turns()

    assert following.done()


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
