"""Who wants a connection asks here."""

import asyncio

import pytest

from proxy.outcome import CONNECT_REFUSED
from proxy.upstream.choice import Choice
from proxy.upstream.connection import Connection
from proxy.upstream.dns import ask_system

SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


async def short(peer):
    await peer.answer(SHORT)


async def exchange(upstream, acquire, ask, **options):
    connection = await acquire(upstream, **options)
    await ask(connection)
    connection.release()
    return connection


async def test_endpoints_take_turns_and_keep_their_connections(scene, acquire, ask):
    urls = [await scene.listen(short) for _ in range(2)]
    upstream = scene.upstream(*urls, balance="round_robin")
    used = [await exchange(upstream, acquire, ask) for _ in range(4)]

    assert [connection.endpoint for connection in used] == urls * 2
    assert used[0] is used[2]
    assert [connection.reused for connection in used] == [True] * 4
    assert used[1] is used[3]


async def test_the_endpoint_that_just_failed_is_avoided(scene, acquire, ask):
    urls = [await scene.listen(short) for _ in range(2)]
    upstream = scene.upstream(*urls, balance="round_robin")
    choice = Choice()
    used = [await exchange(upstream, acquire, ask, choice=choice) for _ in range(2)]

    assert [connection.endpoint for connection in used] == urls
    assert "elsewhere" == choice.chosen.why


async def test_an_endpoint_that_refuses_is_down_until_it_is_reached_again(
    scene, acquire, ask, refusing
):
    good = await scene.listen(short)
    upstream = scene.upstream(refusing, good, balance="round_robin")

    assert (await acquire(upstream)).outcome is CONNECT_REFUSED
    for _ in range(3):
        assert (await exchange(upstream, acquire, ask)).endpoint == good
    assert scene.changes == [(refusing, "down")]


async def test_an_endpoint_that_is_reached_again_is_up(scene, acquire, ask):
    upstream = await scene(short)
    endpoint = upstream.endpoints.all[0]
    upstream.passive.unreachable(endpoint, "why", 0.0)
    connection = await acquire(upstream)

    assert scene.changes == [(endpoint.url, "down"), (endpoint.url, "up")]
    assert endpoint.is_up
    connection.abort()


async def test_when_full_an_idle_connection_of_another_endpoint_serves(scene, acquire, ask):
    urls = [await scene.listen(short) for _ in range(2)]
    upstream = scene.upstream(*urls, balance="round_robin", pool={"size": 1})
    first = await exchange(upstream, acquire, ask)
    second = await exchange(upstream, acquire, ask)

    assert second is first


async def test_a_connection_lost_as_soon_as_it_was_made_takes_no_slot(scene, acquire, ask):
    upstream = await scene(lambda peer: peer.gone(), pool={"size": 1})
    connection = await acquire(upstream)
    connection.abort()
    again = await acquire(upstream)

    assert isinstance(again, Connection)
    again.abort()


async def test_closing_ends_a_lookup(scene):
    asked = asyncio.Event()

    async def lookup(host, port):
        asked.set()
        await asyncio.sleep(5)

    upstream = scene.upstream("http://nowhere", lookup=lookup)
    waiting = asyncio.ensure_future(upstream.acquire(connect=5, pool_wait=5))
    await asked.wait()
    await upstream.close()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert upstream.view().in_use == 0


async def test_a_retired_one_follows_the_dns_no_more_though_it_is_in_use(scene, acquire):
    url = await scene.listen(short)
    port = url.rpartition(":")[2]
    upstream = scene.upstream(
        f"http://chat:{port}", lookup=lambda _, port: ask_system("127.0.0.1", port)
    )
    connection = await acquire(upstream)
    (name,) = upstream.endpoints._names
    assert name.addresses._timer is not None
    upstream.retire()

    assert name.addresses._timer is None
    connection.abort()


async def test_after_closing_nothing_new_is_kept(scene, acquire):
    upstream = await scene(short)
    await upstream.close()
    connection = await acquire(upstream)

    assert not connection.is_open
    await upstream.close()


async def test_who_waits_is_given_no_connection_to_an_endpoint_that_failed_it(scene, acquire, ask):
    """It gets the slot, for another endpoint."""
    urls = [await scene.listen(short) for _ in range(2)]
    upstream = scene.upstream(*urls, balance="round_robin", pool={"size": 1})
    held = await acquire(upstream)
    choice = Choice()
    choice.tried.append(held.target)
    waiting = asyncio.ensure_future(acquire(upstream, choice=choice))
    await asyncio.sleep(0)
    await ask(held)
    held.release()
    given = await waiting

    assert not held.is_open
    assert [url for url in urls if url != held.endpoint] == [given.endpoint]
    given.abort()


async def test_who_waited_connects_to_the_endpoint_that_has_room(scene, acquire):
    urls = [await scene.listen(short) for _ in range(2)]
    upstream = scene.upstream(*urls, balance="round_robin", pool={"size": 2})
    one, other = [await acquire(upstream) for _ in range(2)]
    waiting = [asyncio.ensure_future(acquire(upstream)) for _ in range(2)]
    await asyncio.sleep(0)
    other.abort()
    first = await waiting[0]
    one.abort()
    second = await waiting[1]

    assert [other.endpoint, one.endpoint] == [first.endpoint, second.endpoint]
    assert [1, 1] == [endpoint.slots for endpoint in upstream.endpoints.all]
    first.abort()
    second.abort()


async def test_an_ejected_endpoint_keeps_no_idle_connection(scene, acquire, ask):
    urls = [await scene.listen(short) for _ in range(2)]
    upstream = scene.upstream(*urls, balance="round_robin")
    held = await acquire(upstream)
    await exchange(upstream, acquire, ask)
    held.target.ejection.eject(30, "why", 0)
    upstream.endpoints.refresh(0)
    await ask(held)
    held.release()

    assert not held.is_open
    assert [0, 1] == [len(endpoint.idle) for endpoint in upstream.endpoints.all]


async def test_the_least_recently_used_idle_one_makes_room_for_another_endpoint(
    scene, acquire, ask
):
    urls = [await scene.listen(short) for _ in range(2)]
    upstream = scene.upstream(*urls, balance="round_robin", pool={"size": 1})
    first = await exchange(upstream, acquire, ask)
    choice = Choice()
    choice.tried.append(first.target)
    second = await acquire(upstream, choice=choice)

    assert not first.is_open
    assert second.endpoint != first.endpoint
    second.abort()
