"""One peer that sends as much as it can, in the smallest pieces: nobody else waits for it.

What is counted is the flood's share of a turn of the loop while others wait, and not how long they
wait: a read in crumbs is 8 KiB, and any other ends with its turn as well.
"""

import asyncio
from statistics import median

import pytest

from tests.house.fault_upstream import raw
from tests.house.raw_client import eventually, request
from tests.house.test_tunnel_faults import Counted, _send_on

OTHER = raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
SHARE = 16 * 1024
"""Bytes."""


async def shares(counted: Counted, flooding, other) -> list[float]:
    """What the flood got in each turn while another client was served."""
    tasks = [asyncio.create_task(work) for work in (*flooding, counted.loop())]
    try:
        await eventually(lambda: counted.passed > 1 << 17)
        return [await counted.share_of(other.get("/other")) for _ in range(20)]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("kind", ["text/event-stream", "application/x-ndjson", "text/plain"])
async def test_a_flood_of_tiny_events_gets_one_read_in_a_turn_of_the_loop(upstream, house, kind):
    house, counted = await house(), Counted()

    async def script(turn):
        await turn.begin_chunked(f"Content-Type: {kind}")
        await _send_on(turn, b"3\r\n:\n\n\r\n" * 40_000)

    upstream.on("/", script)
    upstream.on("/other", OTHER)
    async with house.client() as client, house.client() as other:
        await client.send(request("GET", "/"))
        found = await shares(counted, [counted.pieces(client._reader.read)], other)

    assert median(found) <= SHARE


@pytest.mark.parametrize("chunk", [b"1\r\nx\r\n", b"c\r\nxxxxxxxxxxxx\r\n"])
async def test_an_upload_in_tiny_chunks_gets_one_read_in_a_turn_of_the_loop(upstream, house, chunk):
    house, counted = await house(max_body="1GiB"), Counted()

    async def script(turn):
        await counted.pieces(turn.connection.some)

    upstream.on("/", script)
    upstream.on("/other", OTHER)
    async with house.client() as client, house.client() as other:
        await client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        found = await shares(counted, [_send_on(client, chunk * 40_000)], other)

    assert median(found) <= SHARE


async def test_requests_sent_ahead_get_one_answer_in_a_turn_of_the_loop(upstream, house):
    """Also where an answer is our own, for which nobody waits."""
    house = await house(route={"match": {"path": "/other"}})
    counted = Counted()
    upstream.on("/other", OTHER)
    async with house.client() as client, house.client() as other:
        flooding = _send_on(client, request("GET", "/nowhere") * 1000)
        reading = counted.pieces(client._reader.read)
        found = await shares(counted, [flooding, reading], other)
        one = len((await other.get("/nowhere")).head) + 512

    assert median(found) <= one
