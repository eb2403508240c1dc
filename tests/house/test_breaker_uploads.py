"""Uploads that probe a half-open circuit: the upstream never has two whole probes at a time."""

import asyncio

import pytest

from tests.house.fault_upstream import status
from tests.house.raw_client import RawClient, eventually, request

SIZE = 70 * 1024
"""Larger than a body that is kept for a repeat."""


class Work:
    """What the upstream does: it reads to the end, and works until it is told how to answer."""

    def __init__(self) -> None:
        self.whole = 0
        self.most_whole = 0
        self.begun = 0
        self.received = 0
        self.answers: asyncio.Queue[int] = asyncio.Queue()

    async def __call__(self, turn) -> None:
        self.begun += 1
        async for piece in turn.pieces():
            self.received += len(piece)
        self.whole += 1
        self.most_whole = max(self.whole, self.most_whole)
        code = await self.answers.get()
        self.whole -= 1
        await turn.answer(code)


def begin_upload(framing: str) -> bytes:
    if framing == "announced":
        return request("POST", "/", f"Content-Length: {SIZE}") + b"x" * (SIZE - 1)
    return request("POST", "/", "Transfer-Encoding: chunked") + b"3\r\nxxx\r\n"


LAST = {"announced": b"x", "chunked": b"0\r\n\r\n"}
BEGUN = {"announced": SIZE - 1, "chunked": 3}


class Scene:
    """A half-open circuit, with an upload that lacks its end and a whole request behind it."""

    def __init__(self, house, client: RawClient, work: Work, probing) -> None:
        self.house = house
        self.client = client
        self.work = work
        self.probing = probing


@pytest.fixture
async def scene(upstream, house):
    clients = []

    async def start(framing="announced", cool_down=0.05, **timeouts) -> Scene:
        breaker = {"consecutive": 1, "cool_down": f"{cool_down}s", "jitter": 0.0}
        one = await house(retry={"attempts": 1}, breaker=breaker, timeouts=timeouts)
        upstream.on("/", status(502), work := Work())
        assert 502 == (await one.fetch()).status
        await asyncio.sleep(cool_down + 0.01)
        client = await one.client().__aenter__()
        clients.append(client)
        await client.send(begin_upload(framing))
        await eventually(lambda: work.received == BEGUN[framing])
        probing = asyncio.create_task(one.fetch())
        await eventually(lambda: work.whole == 1)
        await client.send(LAST[framing])
        assert [503] * 3 == [(await one.fetch()).status for _ in range(3)]
        return Scene(one, client, work, probing)

    yield start
    for client in clients:
        await client.leave()


@pytest.mark.parametrize("framing", LAST)
async def test_an_upload_waits_with_its_end_for_the_whole_probe_that_is_out(scene, framing):
    scene = await scene(framing)
    assert 1 == scene.work.whole

    scene.work.answers.put_nowait(200)
    scene.work.answers.put_nowait(200)

    assert [200, 200] == [(await scene.probing).status, (await scene.client.answer()).status]
    assert 1 == scene.work.most_whole
    event = await scene.house.event(method="POST")
    assert event["queue_ms"] > 0


async def test_an_upload_behind_a_probe_that_failed_is_refused_with_its_end_not_sent(scene):
    scene = await scene(cool_down=1)
    scene.work.answers.put_nowait(502)
    answer = await scene.client.answer()
    event = await scene.house.event_of(answer)

    assert 502 == (await scene.probing).status
    assert (503, "circuit_open", "PB") == (answer.status, event["code"], event["term"])
    assert answer.header("Retry-After") in ("1", "2")
    assert 1 == scene.work.most_whole
    assert "the circuit opened during the upload" in event["detail"]


async def test_an_upload_waits_no_longer_than_for_a_connection(scene):
    scene = await scene(pool_wait="20ms")
    answer = await scene.client.answer()
    event = await scene.house.event_of(answer)

    assert (503, "circuit_open", "PB") == (answer.status, event["code"], event["term"])
    assert "1" == answer.header("Retry-After")
    scene.work.answers.put_nowait(200)
    assert 200 == (await scene.probing).status


async def test_a_client_that_leaves_while_it_waits_keeps_nobody_from_probing(scene):
    scene = await scene()
    await scene.client.leave()
    await scene.house.event(code="client_closed_request")
    scene.work.answers.put_nowait(200)

    assert 200 == (await scene.probing).status
    assert "closed" == await scene.house.breaker()
