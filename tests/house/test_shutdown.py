"""The end: real signals to a real process, with answers and uploads under way."""

import asyncio
import signal
import time

import pytest

from tests.house.fault_upstream import sse
from tests.house.raw_client import RawClient, eventually, fetch, request

QUICK = {"readiness_delay": "200ms", "limit": "3s"}
WORDS = [step for number in range(10) for step in (f"data: {number}\n\n", 0.1)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_idle_process_ends_with_zero_and_a_whole_log(upstream, process, number):
    process = await process(drain=QUICK)
    await fetch(process.port)
    process.tell(number)

    assert 0 == await process.ended()
    assert 1 == len(process.events())
    assert 1 == len(process.events("drain_began")) == len(process.events("drain_ended"))
    assert b"" == process.log.with_suffix(".err").read_bytes()


async def test_sigterm_lets_running_answers_and_uploads_end(upstream, process):
    process = await process(drain=QUICK)
    upstream.on("/stream", sse(*WORDS))
    async with RawClient(process.port) as streaming, RawClient(process.port) as uploading:
        await streaming.send(request("GET", "/stream"))
        await streaming.until(b"data: 0\n\n")
        await uploading.send("POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n", "first")
        process.tell(signal.SIGTERM)
        rest = asyncio.create_task(streaming.rest())
        await asyncio.sleep(0.4)
        await uploading.send("after")
        uploaded = await uploading.answer()
        text, end = await rest

    assert 0 == await process.ended()
    assert (200, "firstafter") == (uploaded.status, uploaded.json()["body"])
    assert text.endswith(b"data: 9\n\n\r\n0\r\n\r\n")
    assert "clean" == end
    assert {"completed"} == {event["code"] for event in process.events()}
    assert "close" == uploaded.header("Connection")


async def test_readiness_goes_before_the_port(upstream, process):
    process = await process(drain={"readiness_delay": "1s", "limit": "1s"})
    process.tell(signal.SIGTERM)
    async with asyncio.timeout(5):
        while await process.is_ready():  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)
    during = await fetch(process.port)
    assert 0 == await process.ended()

    assert 200 == during.status
    assert "close" == during.header("Connection")
    with pytest.raises(ConnectionError):
        await fetch(process.port)


async def test_what_exceeds_the_limit_is_cut_and_says_so(upstream, process):
    process = await process(drain={"readiness_delay": "0s", "limit": "300ms"})
    upstream.on("/", sse("data: one\n\n", 30.0))
    async with RawClient(process.port) as client:
        await client.send(request("GET", "/"))
        await client.until(b"data: one\n\n")
        process.tell(signal.SIGTERM)
        rest, end = await client.rest()
    assert 0 == await process.ended()

    assert end != "silent"
    assert b"event: error" in rest or not rest.endswith(b"0\r\n\r\n")
    assert ["drain_cut"] == [event["code"] for event in process.events()]


async def test_sigint_waits_two_seconds_at_most(upstream, process):
    process = await process(drain={"readiness_delay": "30s", "limit": "60s"})
    upstream.on("/", sse("data: one\n\n", 30.0))
    async with RawClient(process.port) as client:
        await client.send(request("GET", "/"))
        await client.until(b"data: one\n\n")
        began = time.monotonic()
        process.tell(signal.SIGINT)

        assert 0 == await process.ended()
        assert 1.5 < time.monotonic() - began < 4


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_it_at_once(upstream, process, first):
    process = await process(drain={"readiness_delay": "30s", "limit": "60s"})
    upstream.on("/", sse("data: one\n\n", 30.0))
    async with RawClient(process.port) as client:
        await client.send(request("GET", "/"))
        await client.until(b"data: one\n\n")
        process.tell(first)
        await eventually(lambda: process.events("drain_began"))
        process.tell(signal.SIGINT)

        assert 0 == await process.ended()
    (ended,) = process.events("drain_ended")
    assert ended["duration_ms"] < 1500  # shorter than any limit


async def test_idle_keep_alive_connections_are_closed_by_the_drain(upstream, process):
    process = await process(drain=QUICK)
    async with RawClient(process.port) as client:
        await client.get()
        process.tell(signal.SIGTERM)
        rest, end = await client.rest()

    assert (b"", "clean") == (rest, end)
    assert 0 == await process.ended()


async def test_a_port_that_is_taken_is_said_and_ends_with_one(upstream, process):
    first = await process()
    with pytest.raises(AssertionError, match=r"in use|taken"):
        await process(listen={"port": first.port})
