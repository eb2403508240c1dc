"""The client leaves in any phase: the upstream's connection is closed at once."""

import asyncio
import socket
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.house.fault_upstream import Script, Turn, never
from tests.house.raw_client import at_once, eventually, request
from tests.house.streams import NDJSON, compressed, stream

ONE, PING = "data: one\n\n", ": ping\n\n"
LONG = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000


async def answer_early(turn: Turn) -> None:
    """Streams while the request is still on its way up."""
    await turn.begin_chunked("Content-Type: text/event-stream")
    await turn.chunk(ONE)
    await turn.gone(60)


@pytest.mark.parametrize(
    ("script", "asked", "mark", "settings", "ended"),
    [
        pytest.param(
            never, request("GET", "/"), b"", {}, (499, "client_closed_request", "CH"),
            id="waiting for the head",
        ),
        pytest.param(
            stream(PING, then="silent"), request("GET", "/"), b"",
            {"route": {"stream": {"hold_first_event": True}}},
            (499, "client_closed_request", "CF"),
            id="waiting for the first event",
        ),
        pytest.param(
            stream(ONE, then="silent"), request("GET", "/"), b"one\n\n", {},
            (200, "client_closed_stream", "CS"),
            id="streaming",
        ),
        pytest.param(
            stream(ONE, then="silent"), request("GET", "/"), b"one\n\n",
            {"route": {"stream": {"heartbeat": "20ms"}}},
            (200, "client_closed_stream", "CS"),
            id="streaming with heartbeats",
        ),
        pytest.param(
            stream('{"n": 1}\n', kind=NDJSON, then="silent"), request("GET", "/"), b"}\n", {},
            (200, "client_closed_stream", "CS"),
            id="streaming lines",
        ),
        pytest.param(
            compressed(ONE, then="silent"), request("GET", "/"), b"\x1f\x8b", {},
            (200, "client_closed_stream", "CS"),
            id="streaming compressed",
        ),
        pytest.param(
            never, LONG, b"", {}, (499, "client_closed_request", "CW"), id="uploading"
        ),
        pytest.param(
            answer_early, LONG, b"one\n\n", {}, (200, "client_closed_stream", "CS"),
            id="uploading and streaming",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("how", ["close", "reset"])
async def test_the_upstream_is_let_go_at_once(
    upstream, house, script: Script, asked, mark, settings, ended, how
):
    house = await house(**settings)
    upstream.on("/", script)
    async with house.client() as client:
        await client.send(asked)
        await eventually(lambda: upstream.seen)
        await client.until(mark) if mark else await asyncio.sleep(0.03)
        await (client.reset() if how == "reset" else client.leave())
    await at_once(lambda: upstream.connections[0].gone.is_set())
    event = await house.event()

    assert ended == (event["status"], event["code"], event["term"])
    assert "INFO" == event["level"]
    assert "closed" == await house.breaker()


async def test_the_time_that_took_is_measured(upstream, house):
    house = await house()
    upstream.on("/", stream(ONE, then="silent"))
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await client.until(b"one\n\n")
    await house.event()
    metrics = (await house.admin("/metrics")).body.decode().splitlines()

    assert 'sidelight_upstream_cancel_seconds_count{route="all"} 1.0' in metrics
    assert 'sidelight_client_disconnects_total{phase="S",route="all"} 1.0' in metrics


async def test_left_during_the_tls_handshake(upstream, house):
    upstream.blackhole()
    house = await house(
        upstream={"endpoints": [f"https://127.0.0.1:{upstream.port}"], "tls": {"verify": False}}
    )
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await eventually(lambda: upstream.connections and upstream.connections[0].total)
        await client.leave()
    await at_once(lambda: upstream.connections[0].gone.is_set())
    event = await house.event()

    assert (499, "client_closed_request", "CC") == (event["status"], event["code"], event["term"])


@contextmanager
def full_house():
    """A port at which connecting hangs: its queue of connections is full."""
    with socket.socket() as listening, socket.socket() as first, socket.socket() as second:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for sock in (first, second):
            sock.setblocking(False)
            sock.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


def connecting_to(port: int) -> int:
    """Sockets of this machine in SYN-SENT to that port."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == "02" for row in rows)


async def test_left_while_connecting(upstream, house):
    with full_house() as port:
        house = await house(upstream={"endpoints": [f"http://127.0.0.1:{port}"]})
        others = connecting_to(port)
        async with house.client() as client:
            await client.send(request("GET", "/"))
            await eventually(lambda: connecting_to(port) == others + 1)
            await client.leave()
        await at_once(lambda: connecting_to(port) == others)
        event = await house.event()
        metrics = (await house.admin("/metrics")).body.decode()

        assert 'sidelight_upstream_cancel_seconds_count{route="all"} 1.0' in metrics
        assert (499, "client_closed_request", "CC") == (
            event["status"],
            event["code"],
            event["term"],
        )


async def test_left_in_the_queue_for_a_connection(upstream, house):
    house = await house(upstream={"pool": {"size": 1}}, timeouts={"pool_wait": "5s"})
    upstream.on("/", never)
    async with house.client() as first:
        await first.send(request("GET", "/"))
        await eventually(lambda: upstream.seen)
        async with house.client() as second:
            await second.send(request("GET", "/"))
            await eventually(lambda: house.app.upstreams["chat"].view().waiting)
        await at_once(lambda: not house.app.upstreams["chat"].view().waiting)
        event = await house.event()

        assert ("client_closed_request", "CC") == (event["code"], event["term"])
        assert 1 == len(upstream.seen)
