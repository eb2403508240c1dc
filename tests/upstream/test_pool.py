"""Slots, idle connections and those who wait, over real sockets."""

import asyncio
import socket

import pytest

from proxy.outcome import POOL_TIMEOUT
from proxy.upstream import dns
from proxy.upstream.connection import Connection
from tests.house.raw_client import eventually

SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
BRIEF = 0.02


async def short(peer):
    await peer.answer(SHORT)


async def several(upstream, acquire, count):
    return [await acquire(upstream) for _ in range(count)]


async def used(upstream, acquire, ask, count=1):
    """Connections that were used and lie idle, the last one used last."""
    connections = await several(upstream, acquire, count)
    for connection in connections:
        await ask(connection)
        connection.release()
    return connections


def waiting(upstream, count, pool_wait=5.0):
    return [
        asyncio.ensure_future(upstream.acquire(connect=5, pool_wait=pool_wait))
        for _ in range(count)
    ]


def state(upstream):
    view = upstream.view()
    return view.in_use, view.idle, view.waiting


async def test_the_connection_used_last_is_used_first(scene, acquire, ask):
    upstream = await scene(short)
    connections = await used(upstream, acquire, ask, 3)

    assert list(reversed(connections)) == await several(upstream, acquire, 3)


async def test_a_view_counts_what_is_in_use_idle_and_waiting(scene, acquire, ask):
    upstream = await scene(short, pool={"size": 3})
    await used(upstream, acquire, ask, 3)
    await several(upstream, acquire, 2)

    assert state(upstream) == (2, 1, 0)
    assert upstream.view().size == 3
    assert 0 <= upstream.view().oldest_age < 5


async def test_who_waits_is_served_in_turn_with_the_connection_itself(scene, acquire, ask):
    upstream = await scene(short, pool={"size": 1})
    connection = await acquire(upstream)
    first, second = waiting(upstream, 2)
    await asyncio.sleep(0)

    assert state(upstream) == (1, 0, 2)
    await ask(connection)
    connection.release()
    assert await first is connection
    assert connection.reused
    assert not second.done()
    await ask(connection)
    connection.release()
    assert await second is connection
    assert len(scene.peers) == 1


async def test_who_waits_gets_the_slot_of_a_connection_that_was_closed(scene, acquire):
    upstream = await scene(short, pool={"size": 1})
    connection = await acquire(upstream)
    (waiter,) = waiting(upstream, 1)
    await asyncio.sleep(0)
    connection.abort()
    fresh = await waiter

    assert not fresh.reused
    assert state(upstream) == (1, 0, 0)


async def test_waiting_too_long_is_a_pool_timeout(scene, acquire):
    upstream = await scene(short, pool={"size": 1})
    connection = await acquire(upstream)
    failed = await upstream.acquire(connect=5, pool_wait=BRIEF)

    assert failed.outcome is POOL_TIMEOUT
    assert state(upstream) == (1, 0, 0)
    connection.abort()


async def test_too_many_waiting_are_refused_at_once(scene, acquire):
    upstream = await scene(short, pool={"size": 1, "max_waiting": 1})
    await acquire(upstream)
    (waiter,) = waiting(upstream, 1)
    await asyncio.sleep(0)
    failed = await asyncio.wait_for(upstream.acquire(connect=5, pool_wait=5), 2)

    assert failed.outcome is POOL_TIMEOUT
    waiter.cancel()


async def test_a_cancelled_wait_makes_room_for_the_next(scene, acquire, ask):
    upstream = await scene(short, pool={"size": 1})
    connection = await acquire(upstream)
    first, second = waiting(upstream, 2)
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])

    assert state(upstream) == (1, 0, 1)
    await ask(connection)
    connection.release()
    assert await second is connection


@pytest.mark.parametrize("given", ["connection", "slot"])
async def test_what_is_given_to_one_who_is_cancelled_goes_to_the_next(scene, acquire, ask, given):
    upstream = await scene(short, pool={"size": 1})
    connection = await acquire(upstream)
    first, second = waiting(upstream, 2)
    await ask(connection)
    if given == "connection":
        connection.release()
    else:
        upstream._pool.on_closed(connection)
    first.cancel()
    await asyncio.wait([first])

    assert isinstance(await second, Connection)
    assert state(upstream) == (1, 0, 0)
    connection.abort()


async def test_what_is_given_to_one_who_left_alone_is_kept(scene, acquire, ask):
    upstream = await scene(short, pool={"size": 1})
    connection = await acquire(upstream)
    (waiter,) = waiting(upstream, 1)
    await ask(connection)
    connection.release()
    waiter.cancel()
    await asyncio.wait([waiter])

    assert state(upstream) == (0, 1, 0)


async def test_one_who_has_just_left_is_given_nothing(scene, acquire, ask):
    upstream = await scene(short, pool={"size": 1})
    connection = await acquire(upstream)
    (waiter,) = waiting(upstream, 1)
    await ask(connection)
    waiter.cancel()
    connection.release()  # before the one who left could take itself off the list
    await asyncio.wait([waiter])

    assert state(upstream) == (0, 1, 0)


async def test_a_connection_that_is_being_closed_is_not_taken(scene, acquire, ask):
    upstream = await scene(short)
    (connection,) = await used(upstream, acquire, ask)
    connection.abort()

    assert upstream.take() is None


async def test_a_connection_lost_before_it_was_added_keeps_no_slot(scene, acquire):
    upstream = await scene(short)
    connection = await acquire(upstream)
    connection.abort()
    await asyncio.sleep(BRIEF)
    upstream._pool.reserve(upstream.endpoints.all[0])
    upstream._pool.add(connection)

    assert state(upstream) == (0, 0, 0)


async def test_a_cancelled_connect_gives_its_slot_back(scene, blackhole):
    upstream = scene.upstream(blackhole, pool={"size": 1})
    first, second = waiting(upstream, 2)
    await asyncio.sleep(BRIEF)

    assert state(upstream) == (1, 0, 1)
    first.cancel()
    await asyncio.sleep(BRIEF)
    assert state(upstream) == (1, 0, 0)  # the second connects now
    second.cancel()
    await asyncio.wait([first, second])
    assert state(upstream) == (0, 0, 0)


async def test_a_failed_connect_gives_its_slot_back(scene, refusing):
    upstream = scene.upstream(refusing, pool={"size": 1})
    for _ in range(3):
        await upstream.acquire(connect=5, pool_wait=BRIEF)

    assert state(upstream) == (0, 0, 0)


async def test_never_more_connections_than_slots(scene, acquire, ask):
    upstream = await scene(short, pool={"size": 4})

    async def exchange():
        connection = await acquire(upstream)
        assert upstream.view().in_use <= 4
        body = (await ask(connection))[1]
        connection.release()
        return body

    assert await asyncio.gather(*[exchange() for _ in range(100)]) == [b"hi"] * 100
    assert len(scene.peers) == 4


async def test_an_idle_connection_is_closed_after_its_time(scene, acquire, ask):
    upstream = await scene(short, pool={"keep_alive": "50ms"})
    await used(upstream, acquire, ask, 2)
    await asyncio.wait_for(scene.ended(), 5)

    # the other side may see the end before the loop tells ours
    await eventually(lambda: state(upstream) == (0, 0, 0))


async def test_idle_connections_are_closed_each_in_its_time(scene, acquire, ask):
    upstream = await scene(short, pool={"keep_alive": "400ms"})
    first, second = await several(upstream, acquire, 2)
    await ask(first)
    first.release()
    await asyncio.sleep(0.3)
    await ask(second)
    second.release()
    await asyncio.wait_for(scene.ended(), 1)

    assert state(upstream) == (0, 1, 0)
    await asyncio.wait_for(scene.peers[1].has_ended.wait(), 1)
    assert state(upstream) == (0, 0, 0)


async def test_no_time_to_idle_means_no_reuse(scene, acquire, ask):
    upstream = await scene(short, pool={"keep_alive": "0s"})
    await used(upstream, acquire, ask)

    assert not (await acquire(upstream)).reused


async def test_an_old_connection_is_not_used_again(scene, acquire, ask):
    upstream = await scene(short, pool={"max_age": "30ms"})
    connection = await acquire(upstream)
    await asyncio.sleep(0.04)
    await ask(connection)
    connection.release()

    assert not (await acquire(upstream)).reused


async def test_a_connection_that_gets_old_while_idle_is_not_taken(scene, acquire, ask):
    upstream = await scene(short, pool={"max_age": "30ms"})
    await used(upstream, acquire, ask)
    await asyncio.sleep(0.04)

    assert upstream.take() is None


async def test_an_idle_connection_that_the_upstream_closes_is_forgotten(scene, acquire, ask):
    upstream = await scene(short)
    await used(upstream, acquire, ask)
    await used(upstream, acquire, ask)
    scene.peers[0].writer.close()

    await eventually(lambda: state(upstream) == (0, 0, 0))
    assert upstream.stale_connections == 0


async def test_a_tainted_connection_is_not_handed_to_who_waits(scene, acquire, ask):
    """An answer too many still lies unread in the kernel when the exchange is over."""
    upstream = await scene(short, pool={"size": 1})
    connection = await acquire(upstream)
    (waiter,) = waiting(upstream, 1)
    await ask(connection)
    scene.peers[0].push(SHORT)
    connection.release()

    assert not (await waiter).reused


async def test_closing_idle_ones_spares_those_in_use(scene, acquire, ask):
    upstream = await scene(short)
    await used(upstream, acquire, ask, 2)
    connection = await acquire(upstream)
    upstream.close_idle(connection.target)
    await asyncio.sleep(BRIEF)

    assert state(upstream) == (1, 0, 0)
    assert (await ask(connection))[1] == b"hi"
    connection.release()


async def test_closing_closes_all(scene, acquire, ask):
    upstream = await scene(short)
    await used(upstream, acquire, ask)
    busy = (await several(upstream, acquire, 2))[1]
    await asyncio.wait_for(upstream.close(), 1)

    assert state(upstream) == (0, 0, 0)
    assert busy.is_closed


async def test_a_retired_pool_keeps_nothing_and_lets_those_end_who_have_one(scene, acquire, ask):
    upstream = await scene(short)
    idle, busy = await used(upstream, acquire, ask, 2)
    assert upstream.take() is busy
    private = await acquire(upstream)
    await ask(private)
    private.is_private = True
    assert private.rest()
    upstream.retire()

    assert (True, False, True) == (not idle.is_open, not busy.is_open, not private.is_open)
    await ask(busy)
    busy.release()
    assert not busy.is_open
    again = await acquire(upstream)
    await ask(again)
    again.release()
    await eventually(lambda: (0, 0) == (upstream.view().in_use, upstream.view().idle))


async def test_a_retired_pool_still_serves_who_waits(scene, acquire, ask):
    upstream = await scene(short, pool={"size": 1})
    (held,) = await several(upstream, acquire, 1)
    (waiter,) = waiting(upstream, 1)
    await asyncio.sleep(0)
    upstream.retire()
    await ask(held)
    held.release()

    assert held is await waiter
    held.release()
    assert not held.is_open


async def test_a_retired_upstream_looks_up_no_name_again(scene, acquire, monkeypatch):
    monkeypatch.setattr(dns, "RESOLVE_AGAIN", 0.0)
    asked = []

    async def lookup(host, port):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    port = (await scene.listen(short)).rpartition(":")[2]
    old, new = (scene.upstream(f"http://{name}:{port}", lookup=lookup) for name in ("old", "new"))
    busy = await acquire(old)
    await acquire(new)
    await eventually(lambda: asked.count("old") > 1)
    old.retire()
    await asyncio.sleep(0)
    so_far, others = asked.count("old"), asked.count("new")
    await eventually(lambda: asked.count("new") > others + 5)

    assert so_far == asked.count("old")
    busy.abort()
