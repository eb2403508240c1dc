"""As many at once as may be; who must wait takes turns, and who leaves makes room."""

import asyncio

import pytest

from proxy.clock import now
from proxy.timing.loop_lag import stalled
from tests.house.raw_client import eventually, request


@pytest.fixture
def held(upstream):
    """Answers that end when they are told to."""
    gate = asyncio.Event()

    async def hold(turn) -> None:
        await gate.wait()
        await turn.answer()

    upstream.on("/", hold)
    return gate


def places(house):
    return house.app.routes[0].concurrency.places


async def begins(house, number: int, *headers: str) -> list[asyncio.Task]:
    """So many requests, of which as many as may be are under way or in the queue."""
    before = places(house).in_use + places(house).waiting
    tasks = [asyncio.create_task(house.fetch("/", *headers)) for _ in range(number)]
    await eventually(lambda: places(house).in_use + places(house).waiting == before + number)
    return tasks


async def test_no_more_are_passed_on_than_may_be_and_the_rest_wait(upstream, house, held):
    house = await house(route={"concurrency": {"limit": 3, "queue": 50, "wait": "5s"}})
    tasks = await begins(house, 10)
    await eventually(lambda: len(upstream.seen) == 3)

    assert (3, 7) == (places(house).in_use, places(house).waiting)
    held.set()
    assert [200] * 10 == [(await task).status for task in tasks]
    assert 10 == len(upstream.seen)
    await eventually(lambda: places(house).in_use == 0)


async def test_where_the_queue_is_full_one_more_is_refused_at_once(upstream, house, held):
    house = await house(route={"concurrency": {"limit": 1, "queue": 1, "wait": "5s"}})
    tasks = await begins(house, 2)
    refused = await house.fetch()
    event = await house.event_of(refused)
    held.set()

    assert (503, "concurrency_limited", True) == (
        refused.status,
        refused.json()["error"],
        refused.json()["retryable"],
    )
    assert ("concurrency_limited", "PQ") == (event["code"], event["term"])
    assert "1 under way and 1 in the queue" == event["detail"]
    assert [200, 200] == [(await task).status for task in tasks]


async def test_who_has_waited_long_enough_is_told_so(upstream, house, held):
    house = await house(route={"concurrency": {"limit": 1, "wait": "100ms"}})
    first = await begins(house, 1)
    began = now()
    late = await house.fetch()
    waited = 0.1 - stalled(began, now())  # a stall of the machine is nobody's wait
    event = await house.event_of(late)
    held.set()

    assert (503, "queue_timeout") == (late.status, late.json()["error"])
    assert event["queue_ms"] >= 1000 * waited * 0.9
    assert 0 == places(house).waiting
    assert 200 == (await first[0]).status


async def test_a_client_has_no_more_than_it_may_have(upstream, house, held):
    rule = {"per_client": 1, "by": {"header": "X-Key"}}
    house = await house(route={"concurrency": rule})
    tasks = [*await begins(house, 1, "X-Key: ann"), *await begins(house, 1, "X-Key: bob")]
    refused = await house.fetch("/", "X-Key: ann")
    event = await house.event_of(refused)
    held.set()

    assert (429, "Please wait for the current answer to finish.") == (
        refused.status,
        refused.json()["message"],
    )
    assert "client_concurrency_limited" == event["code"]
    assert event["detail"].startswith("1 under way already, by header X-Key ")
    assert [200, 200] == [(await task).status for task in tasks]
    assert 200 == (await house.fetch("/", "X-Key: ann")).status


async def test_a_client_that_leaves_the_queue_frees_its_place_at_once(upstream, house, held):
    house = await house(route={"concurrency": {"limit": 1, "queue": 1, "wait": "5s"}})
    first = await begins(house, 1)
    async with house.client() as client:
        await client.send(request("GET", "/", "X-Request-ID: left"))
        await eventually(lambda: places(house).waiting == 1)
    await eventually(lambda: places(house).waiting == 0)
    event = await house.event(request_id="left")
    second = await begins(house, 1)
    held.set()

    assert ("client_closed_request", "CQ") == (event["code"], event["term"])
    assert [200, 200] == [(await task).status for task in (*first, *second)]
    assert 2 == len(upstream.seen)


async def test_a_client_that_leaves_its_place_gives_it_to_the_next(upstream, house, held):
    house = await house(route={"concurrency": {"limit": 1, "wait": "5s"}})
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await eventually(lambda: len(upstream.seen) == 1)
        waiting = await begins(house, 1)
    await eventually(lambda: len(upstream.seen) == 2)
    held.set()

    assert 200 == (await waiting[0]).status


async def test_one_greedy_client_does_not_keep_others_out(upstream, house):
    """Twenty of one client wait before one of another, which is served second."""
    served, gates = [], [asyncio.Event() for _ in range(22)]

    async def hold(turn) -> None:
        served.append(turn.request.header("X-Key"))
        await gates[len(served) - 1].wait()
        await turn.answer()

    upstream.on("/", hold)
    rule = {"limit": 1, "queue": 50, "wait": "10s", "by": {"header": "X-Key"}}
    house = await house(route={"concurrency": rule})
    greedy = await begins(house, 21, "X-Key: greedy")
    other = await begins(house, 1, "X-Key: other")
    for gate in gates:
        gate.set()
    answers = [await task for task in (*greedy, *other)]

    assert {200} == {answer.status for answer in answers}
    assert 2 >= served.index("other")


async def test_all_routes_together_have_a_limit_of_which_health_knows_nothing(
    upstream, house, held
):
    house = await house(listen={"concurrency": 1})
    first = asyncio.create_task(house.fetch())
    await eventually(lambda: len(upstream.seen) == 1)
    refused = await house.fetch()
    health = await house.admin("/livez")
    metrics = (await house.admin("/metrics")).body.decode().splitlines()
    held.set()

    assert (503, "concurrency_limited") == (refused.status, refused.json()["error"])
    assert "listen.concurrency: 1 under way" == (await house.event_of(refused))["detail"]
    assert 200 == health.status
    assert 'sidelight_concurrency_in_use{scope="*"} 1.0' in metrics
    assert 200 == (await first).status


async def test_who_waits_when_the_drain_begins_is_served(upstream, house, held):
    house = await house(route={"concurrency": {"limit": 1, "wait": "10s"}})
    tasks = await begins(house, 2)
    drain = asyncio.create_task(house.app.drain(delay=0, limit=10, cause="test"))
    await eventually(lambda: house.app.forward.drain.refuses)
    held.set()

    assert [200, 200] == [(await task).status for task in tasks]
    await drain
