"""Tunnels whose peers misbehave, or cannot close one half: nobody else pays for it."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from statistics import median
from types import SimpleNamespace

import pytest

from proxy.websocket.side import ROOM
from tests.house.fault_upstream import raw
from tests.house.house import House
from tests.house.raw_client import eventually
from tests.house.test_websocket import KEY, OPEN, SWITCH, closing, drain, frame, switched

AT_ONCE = 1.0
"""Seconds; less than a side may linger."""


@pytest.mark.parametrize("held", ["client", "upstream"])
async def test_a_reset_on_both_sides_ends_at_once(upstream, house, held):
    """One side is not read, so its reset is found where the end of the other is passed on."""
    problems = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, problem: problems.append(problem))
    house = await house(route=OPEN)

    async def script(turn):
        if held == "client":
            turn.connection.transport.pause_reading()
        await turn.send(SWITCH)
        while held == "upstream":
            await turn.send(frame(2, bytes(60_000)))
        await turn.gone(30)

    upstream.on("/", script)
    async with house.client() as client:
        await switched(client)
        if held == "client":
            with suppress(TimeoutError):
                await asyncio.wait_for(_send_on(client, frame(2, bytes(60_000), KEY)), 0.3)
        await asyncio.sleep(0.1)
        upstream.connections[0].reset()
        await client.reset()
        left = loop.time()
        await eventually(house.all)
        ended = loop.time()

    assert (await house.event())["code"] in ("client_closed_stream", "stream_reset")
    assert [] == problems
    assert ended - left < AT_ONCE


async def _send_on(to, data):
    while True:
        await to.send(data)


@dataclass
class Counted:
    """What passed, and how many turns the loop took meanwhile."""

    passed: int = 0
    turns: int = 0

    async def pieces(self, read):
        while True:
            self.passed += len(await read(1 << 20))

    async def loop(self):
        while True:
            self.turns += 1
            await asyncio.sleep(0)

    async def share_of(self, doing):
        """Bytes in a turn while something else is done."""
        passed, turns = self.passed, self.turns
        await doing
        return (self.passed - passed) / (self.turns - turns)


@pytest.mark.parametrize("who", ["client", "upstream"])
async def test_a_flood_of_empty_frames_gets_one_read_in_a_turn_of_the_loop(upstream, house, who):
    """What is counted is the flood's share while others wait, and not how long they do."""
    house, counted = await house(route=OPEN), Counted()

    async def script(turn):
        await turn.send(SWITCH)
        if who == "upstream":
            await _send_on(turn, frame(10, b"") * 40_000)
        await counted.pieces(turn.connection.some)

    upstream.on("/", script)
    upstream.on("/other", raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    async with house.client() as client, house.client() as other:
        await switched(client)
        if who == "client":
            flooding = _send_on(client, frame(2, b"", KEY) * 40_000)
        else:
            flooding = counted.pieces(client._reader.read)
        tasks = [asyncio.create_task(work) for work in (flooding, counted.loop())]
        await eventually(lambda: counted.passed > 1 << 20)
        shares = [await counted.share_of(other.get("/other")) for _ in range(20)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    assert median(shares) <= 1.5 * len(ROOM)


# TLS, which cannot close one half.


@pytest.fixture
async def tls(server_tls):
    """The proxy in front of a server that echoes one read by TLS, then does as it is told."""
    houses, servers = [], []

    async def start(then):
        async def serve(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(SWITCH)
            writer.write(await reader.read(1 << 16))
            try:
                await then(reader, writer)
            except ConnectionError:
                pass
            finally:
                writer.transport.abort()

        servers.append(await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_tls))
        port = servers[0].sockets[0].getsockname()[1]
        at = SimpleNamespace(url=f"https://127.0.0.1:{port}")
        houses.append(await House.start(at, route=OPEN, upstream={"tls": {"verify": False}}))
        return houses[0]

    yield start
    for house in houses:
        await house.stop()
    for server in servers:
        server.close()
        await server.wait_closed()


async def test_bytes_pass_by_tls_in_reads_of_any_size(tls):
    said = bytes(range(256)) * 4096

    async def then(reader, writer):
        writer.write(said)
        await reader.read(1)

    house = await tls(then)
    async with house.client() as client:
        await switched(client)
        await client.send(frame(1, b"hello", KEY))
        heard = await client._exactly(len(said) + 11)

    assert frame(1, b"hello", KEY) + said == heard


async def test_a_tls_upstream_that_ends_ends_the_tunnel(tls):
    async def then(_reader, writer):
        writer.write(frame(8, b"\x0f\xa1"))
        writer.close()

    house = await tls(then)
    async with house.client() as client:
        await switched(client)
        await client.send(b"\x81\x80" + KEY)
        rest = await client.rest()
    event = await house.event()

    assert (b"\x81\x80" + KEY + frame(8, b"\x0f\xa1"), "clean") == rest
    assert ("completed", "closed by the upstream with 4001") == (event["code"], event["detail"])


async def test_a_client_that_ends_one_half_ends_both_before_a_tls_upstream(tls):
    gone = asyncio.Event()

    async def then(reader, _writer):
        await reader.read(-1)
        gone.set()

    house = await tls(then)
    async with house.client() as client:
        await switched(client)
        await client.send(b"\x81\x80" + KEY)
        await client.until(KEY)
        client._writer.write_eof()
        rest = await client.rest()
        await asyncio.wait_for(gone.wait(), 2)

    assert (b"", "clean") == rest
    assert "client_closed_stream" == (await house.event())["code"]


async def test_a_drain_says_goodbye_by_tls_as_well(tls):
    said = bytearray()

    async def then(reader, _writer):
        while data := await reader.read(1 << 16):
            said.extend(data)

    house = await tls(then)
    async with house.client() as client:
        await switched(client)
        await client.send(b"\x81\x80" + KEY)
        await client.until(KEY)
        await drain(house)
        rest, _ = await client.rest()

    assert 1001 == closing(rest, masked=False)[0]
    assert 1001 == closing(bytes(said), masked=True)[0]
