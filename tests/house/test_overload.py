"""More to do than can be done: new requests are refused, what is under way goes on."""

import asyncio
import time

import pytest

from tests.house.admin import ask
from tests.house.raw_client import eventually, request

MARK = 0.05
MUCH = 2**50


def is_shedding(house) -> bool:
    return house.app.overload.detail is not None


async def overloaded(house, upstream):
    """A house short of memory, as it is told."""
    house = await house(overload={"loop_lag": None, "memory": "1024GiB"})
    await house.app.memory_watch.stop()  # what it would read is another thing
    house.app.overload.saw_memory(MUCH)
    return house


async def until_late(house) -> None:
    """Block the loop again and again, as too much work does."""
    while not is_shedding(house):
        time.sleep(MARK + 0.15)  # noqa: ASYNC251 - that is the point
        await asyncio.sleep(0)


async def test_a_loop_that_lags_sheds_until_it_is_calm_again(upstream, house):
    house = await house(overload={"loop_lag": f"{int(1000 * MARK)}ms", "memory": None})
    assert 200 == (await house.fetch()).status
    await until_late(house)
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert (503, "overload_shed", "PQ") == (answer.status, event["code"], event["term"])
    assert "overload.loop_lag" in event["detail"]
    await eventually(lambda: not is_shedding(house), patience=60)
    assert 200 == (await house.fetch()).status
    assert "loop_lag" == (await house.event("overload_began"))["cause"]
    assert "loop_lag" == (await house.event("overload_ended"))["cause"]


async def test_who_is_refused_is_told_when_to_come_again(upstream, house):
    house = await overloaded(house, upstream)
    answer = await house.fetch()
    said = answer.json()

    assert (503, "5", "close") == (
        answer.status,
        answer.header("Retry-After"),
        answer.header("Connection"),
    )
    assert ("overload_shed", True, 5) == (said["error"], said["retryable"], said["retry_after"])
    assert [] == upstream.seen


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/api/live"])
async def test_the_admin_port_is_never_refused(upstream, house, path):
    house = await overloaded(house, upstream)

    assert 200 == (await ask(house.app.admin_port, path)).status


async def test_it_is_said_where_one_looks(upstream, house):
    house = await overloaded(house, upstream)
    port = house.app.admin_port
    health = await ask(port, "/health")
    page = await ask(port, "/")
    metrics = await ask(port, "/metrics")
    alerts = house.app.in_process_admin.system_state().overloaded

    assert (503, "degraded") == (health.status, health.json()["status"])
    assert "overload.memory" in health.json()["overload"]
    assert b">new requests are refused</a> (overload.memory" in page.body
    assert b'sidelight_overloaded{cause="memory"} 1.0' in metrics.body
    assert ("memory",) == alerts


async def test_nobody_else_is_blamed(upstream, house):
    house = await overloaded(house, upstream)
    for _ in range(10):
        assert 503 == (await house.fetch()).status
    house.app.overload.saw_memory(0)

    assert 200 == (await house.fetch()).status
    assert "closed" == await house.breaker()
    assert (await ask(house.app.admin_port, "/health")).json()["overload"] is None


async def test_what_is_under_way_is_not_touched(upstream, house):
    house = await overloaded(house, upstream)
    house.app.overload.saw_memory(0)
    gate = asyncio.Event()

    async def half(turn):
        await turn.begin_chunked("Content-Type: text/event-stream")
        await turn.chunk("data: a\n\n")
        await gate.wait()
        await turn.chunk("data: b\n\n")
        await turn.end_chunked()

    upstream.on("/", half)
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await client.until(b"data: a\n\n")
        house.app.overload.saw_memory(MUCH)
        assert 503 == (await house.fetch()).status
        gate.set()
        await client.until(b"data: b\n\n")
        await client.until(b"0\r\n\r\n")


async def test_memory_is_read_by_itself(upstream, house):
    house = await house(overload={"loop_lag": None, "memory": "1KiB"})
    await eventually(lambda: is_shedding(house))

    assert 503 == (await house.fetch()).status
