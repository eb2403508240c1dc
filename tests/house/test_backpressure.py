"""A reader that stands still costs a bounded number of bytes, and the upstream stands still too."""

import asyncio

import pytest

from proxy.streams.framing import MAX_HELD
from tests.house.fault_upstream import Script, Turn, download
from tests.house.raw_client import RawClient, eventually, request
from tests.house.streams import NDJSON, stream

LIMIT = 256 * 1024
EVENT = "data: " + "x" * 990 + "\n\n"
LARGE = "data: " + "x" * 60_000 + "\n\n"


def buffered(house) -> int:
    """Bytes that wait in the proxy: for clients, and from upstreams."""
    clients = house.app.listener.server.connections
    queued = sum(client.output.queued for client in clients)
    pool = house.app.upstreams["chat"]._pool
    return queued + sum(one.protocol.reader.buffered for one in pool._connections)


async def half_an_event_after_many(turn: Turn) -> None:
    await turn.begin_chunked("Content-Type: text/event-stream")
    while True:
        await turn.chunk(LARGE + "data: " + "y" * 30_000)
        await turn.chunk("y" * 30_000 + "\n\n")


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(stream(*[EVENT] * 200_000), id="small events"),
        pytest.param(stream(*[LARGE] * 4000), id="large events"),
        pytest.param(half_an_event_after_many, id="events that come in halves"),
        pytest.param(stream(*['{"n": 1}\n' * 500] * 40_000, kind=NDJSON), id="lines"),
        pytest.param(stream(*["x" * 60_000] * 4000, kind="text/plain"), id="no stream"),
        pytest.param(download(1 << 30), id="a download"),
    ],
)
async def test_a_reader_that_stands_still_costs_a_quarter_of_a_mebibyte(
    upstream, house, script: Script
):
    house = await house()
    upstream.on("/", script)
    most = 0
    async with RawClient(house.port, read_ahead=1024) as client:
        await client.send(request("GET", "/"))
        await client.head()
        sent, still = -1, 0
        while still < 10:
            most = max(most, buffered(house))
            await asyncio.sleep(0.01)
            still = still + 1 if upstream.connections[0].sent == sent else 0
            sent = upstream.connections[0].sent
        most = max(most, buffered(house))

    assert most + MAX_HELD <= LIMIT
    await eventually(lambda: not buffered(house))
