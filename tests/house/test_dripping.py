"""An upload that drips does not hold a connection to the upstream for ever."""

import asyncio
import time

from tests.house.raw_client import RawClient, eventually, request

LENGTH = "Content-Length: 1000000"
WATCHED = 70.0
"""Seconds: the rate is averaged over sixty."""


async def drip(port: int, path: str, every: float, size: int) -> None:
    """Send so many bytes each time, as long as that is taken."""
    async with RawClient(port) as client:
        await client.send(request("POST", path, LENGTH))
        until = time.monotonic() + WATCHED
        ended = asyncio.ensure_future(client.rest(patience=2 * WATCHED))
        while time.monotonic() < until and not ended.done():
            await client.send(b"x" * size)
            await asyncio.wait([ended], timeout=every)
        ended.cancel()


async def pause_and_burst(port: int, path: str) -> None:
    async with RawClient(port) as client:
        await client.send(request("POST", path, LENGTH) + b"x")
        await asyncio.sleep(50)
        await client.send(b"x" * 500_000)
        await asyncio.sleep(WATCHED - 50)


async def stall(port: int, path: str) -> None:
    """Whoever waits for the upstream's turn is not late."""
    async with RawClient(port) as client:
        await client.send(request("POST", path, "Content-Length: 100000000"))
        sending = asyncio.ensure_future(client.send(b"x" * 100_000_000))
        await asyncio.wait([sending], timeout=WATCHED)
        sending.cancel()
        await client.reset()  # an end would wait behind the bytes that nobody reads


async def reads_nothing(turn):
    turn.connection.transport.pause_reading()
    await asyncio.sleep(3 * WATCHED)


async def test_who_drips_is_ended_and_who_is_slow_is_not(upstream, process):
    """One minute and a bit, on both loops at once."""
    upstream.on("/stall", reads_nothing)
    patient = {"request_body_gap": "100s", "gap": "200s"}
    both = [await process(event_loop=loop, timeouts=patient) for loop in ("asyncio", "uvloop")]
    await asyncio.gather(
        *(drip(each.port, "/drip", 1.0, 1) for each in both),
        *(drip(each.port, "/slow", 0.5, 1000) for each in both),
        *(pause_and_burst(each.port, "/burst") for each in both),
        *(stall(each.port, "/stall") for each in both),
    )
    await eventually(lambda: all(len(each.events()) == 4 for each in both))
    for each in both:
        codes = {event["path"]: event["code"] for event in each.events()}
        (dripping,) = (event for event in each.events() if event["path"] == "/drip")

        assert {
            "/drip": "request_timeout",
            "/slow": "client_closed_request",
            "/burst": "client_closed_request",
            "/stall": "client_closed_request",
        } == codes
        assert dripping["detail"].startswith("min_upload_rate: less than 1024 bytes/s")
        assert ("closed", "cR") == (dripping["breaker_state"], dripping["term"])
