"""Slow is not stuck: who takes a little all the time is waited for, who takes nothing is not."""

import asyncio
import socket
import time

import pytest

from proxy.timing.progress import unacknowledged
from tests.house.fault_upstream import download
from tests.house.raw_client import RawClient, eventually, request

PATIENCE = "2500ms"
WATCHED = 9.0
TURN = 0.05
"""Seconds between two reads of a slow peer."""


async def take(sock: socket.socket, rate: int, watched: float = WATCHED) -> None:
    """Read at `rate` bytes a second for a while, as long as the other side is there."""
    loop, until = asyncio.get_running_loop(), time.monotonic() + watched
    while time.monotonic() < until:
        await asyncio.sleep(TURN)
        try:
            if rate and not await loop.sock_recv(sock, int(rate * TURN)):
                return
        except ConnectionError:
            return


async def read_down(port: int, path: str, rate: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.setblocking(False)
        sock.send(request("GET", path))
        await take(sock, rate)


async def test_a_client_that_reads_slowly_is_never_cut_and_one_that_does_not_read_is(
    upstream, process
):
    running = await process(timeouts={"client_write": PATIENCE})
    rates = {"/fast": 500_000, "/slow": 40_000, "/crawling": 10_000, "/stuck": 0}
    for path in rates:
        upstream.on(path, download(1 << 28))
    await asyncio.gather(*(read_down(running.port, *each) for each in rates.items()))
    await eventually(lambda: len(running.events()) == len(rates))
    codes = {event["path"]: event["code"] for event in running.events()}

    assert {
        "/fast": "client_closed_stream",
        "/slow": "client_closed_stream",
        "/crawling": "client_closed_stream",
        "/stuck": "client_too_slow",
    } == codes


@pytest.mark.parametrize(
    ("rate", "code"),
    [
        pytest.param(1_000_000, "client_closed_request", id="one that takes a little"),
        pytest.param(10_000, "client_closed_request", id="one that takes very little"),
        pytest.param(0, "upstream_write_failed", id="one that takes nothing"),
    ],
)
async def test_an_upstream_that_reads_slowly_is_waited_for(upstream, process, rate, code):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        running = await process(
            timeouts={"gap": PATIENCE}, upstream={"endpoints": [url]}, max_body="1GiB"
        )
        async with RawClient(running.port) as client:
            sending = asyncio.create_task(client.send(request("POST", "/", body=b"x" * (64 << 20))))
            sock, _ = await asyncio.get_running_loop().sock_accept(server)
            with sock:
                taking = asyncio.create_task(take(sock, rate, 2 * WATCHED))
                await asyncio.sleep(WATCHED)
                sending.cancel()
                await client.reset()  # an end would wait behind the bytes
                await eventually(running.events)
                taking.cancel()

    assert [code] == [event["code"] for event in running.events()]


async def test_the_kernel_holds_little_for_a_client_that_does_not_read(upstream, house):
    house = await house()
    upstream.on("/", download(1 << 28))
    async with RawClient(house.port, read_ahead=1024) as client:
        await client.send(request("GET", "/"))
        await client.head()
        (connection,) = house.app.listener.server.connections
        await eventually(lambda: connection.output.is_full)
        await asyncio.sleep(0.5)  # the kernel's own limits grow with what is taken

        assert 0 < unacknowledged(connection.transport) < 512 * 1024
