"""What is under way, and how it ends."""

import asyncio

from proxy.drain import Drain


async def test_nothing_under_way_is_finished_at_once() -> None:
    assert await Drain().finished(0.0)


async def test_what_is_under_way_is_waited_for_until_the_limit(line) -> None:
    drain, (client, _) = Drain(), line().client()
    drain.enter(client)

    assert not await drain.finished(0.0)
    assert {client} == drain.running


async def test_the_last_one_to_leave_ends_the_wait(line) -> None:
    drain, line = Drain(), line()
    clients = [line.client()[0] for _ in range(2)]
    for client in clients:
        drain.enter(client)
    waiting = asyncio.ensure_future(drain.finished(30.0))
    await asyncio.sleep(0)
    drain.leave(clients[0])
    await asyncio.sleep(0)
    assert not waiting.done()
    drain.leave(clients[1])

    assert await waiting


async def test_one_that_begins_meanwhile_is_waited_for_too(line) -> None:
    drain, line = Drain(), line()
    first, second = (line.client()[0] for _ in range(2))
    drain.enter(first)
    waiting = asyncio.ensure_future(drain.finished(30.0))
    await asyncio.sleep(0)
    drain.leave(first)
    drain.enter(second)
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()
    drain.leave(second)

    assert await waiting


async def test_who_is_cut_may_still_speak(line) -> None:
    """The exchange is cancelled, and the cut waits for what it does then."""
    drain, (client, _) = Drain(), line().client()
    said = []

    async def exchange() -> None:
        drain.enter(client)
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            said.append("goodbye")
        finally:
            drain.leave(client)

    if client.task is not None:
        client.task.cancel()
    client.task, client.is_serving = asyncio.ensure_future(exchange()), True
    await asyncio.sleep(0)
    await drain.cut()

    assert ["goodbye"] == said
    assert set() == drain.running


async def test_what_is_cut_names_the_limit_and_the_signal() -> None:
    drain = Drain()
    drain.begin("SIGTERM", 30.0)

    assert drain.has_begun
    assert drain.cut_by == "drain limit: 30 s after SIGTERM"
    assert drain.refused_since == "drain after SIGTERM"
