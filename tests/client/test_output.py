"""What waits for a client, and for how long."""

import asyncio

import pytest

from proxy.client.output import HIGH_WATER, Output
from tests.client.fakes import Transport, turns


async def run_out(output: Output) -> None:
    """The clock of the wait runs out."""
    await turns()
    output._let_go()
    await turns()


def full(unread: int = 9) -> tuple[Output, Transport]:
    transport = Transport()
    output = Output(asyncio.get_running_loop())
    output.begin(transport)
    output.is_full, transport.unread = True, unread
    return output, transport


async def test_the_loop_says_when_too_much_waits() -> None:
    output, transport = full(3)

    assert (HIGH_WATER, 3) == (transport.high, output.queued)


async def test_nothing_is_waited_for_where_there_is_room() -> None:
    output, _ = full()
    output.is_full = False

    assert await output.drained(9)


async def test_a_client_that_reads_ends_the_wait() -> None:
    output, _ = full()
    waiting = asyncio.create_task(output.drained(9))
    await turns()
    assert not waiting.done()
    output.resumed()

    assert await waiting
    assert not output.is_full


async def test_a_client_that_leaves_ends_the_wait() -> None:
    output, _ = full()
    waiting = asyncio.create_task(output.drained(9))
    await turns()
    output.lost()

    assert await waiting
    assert 0 == output.queued


@pytest.mark.parametrize("unread", [9, 10])
async def test_a_client_that_takes_nothing_is_too_slow(unread: int) -> None:
    output, transport = full(9)
    waiting = asyncio.create_task(output.drained(9))
    await turns()
    transport.unread = unread
    await run_out(output)

    assert not await waiting


async def test_a_client_that_takes_something_is_waited_for() -> None:
    output, transport = full(9)
    waiting = asyncio.create_task(output.drained(9))
    for left in (8, 7):
        await turns()
        transport.unread = left
        await run_out(output)
    assert not waiting.done()
    output.resumed()

    assert await waiting


async def test_who_takes_something_is_too_slow_all_the_same_in_the_end() -> None:
    output, transport = full(9)
    waiting = asyncio.create_task(output.drained(9, 0.01))
    await turns()
    transport.unread = 1

    assert not await waiting


@pytest.mark.parametrize("reset", [False, True])
async def test_breaking_off_needs_a_transport(reset: bool) -> None:
    output, transport = full()
    output.abort(reset=reset)
    output.lost()
    output.abort(reset=reset)

    assert ["abort"] == transport.done
