"""Whoever reads the log may stall or leave: traffic must not notice."""

import asyncio
import json
import os
import signal
import time

from tests.house.raw_client import RawClient, fetch

MANY = 1500
"""Events: several times what a pipe holds."""


async def ask_many(port: int) -> None:
    """Many exchanges; one that waits for whoever reads the log waits for ever."""
    async with RawClient(port) as client:
        for _ in range(MANY):
            answer = await client.get("/x", "X-Padding: " + "a" * 100)
            assert 200 == answer.status


async def test_a_reader_that_stalls_slows_nothing(upstream, process):
    read_end, write_end = os.pipe()
    running = await process(stdout=write_end, log={"queue": 100})
    os.close(write_end)
    await ask_many(running.port)
    metrics = (await fetch(running.admin_port, "/metrics")).body.decode()
    dropped = [line for line in metrics.splitlines() if line.startswith("sidelight_log_dropped")]

    assert any(float(line.rsplit(" ", 1)[1]) > 0 for line in dropped), dropped

    lines = await _read_all(read_end, running)
    assert all(json.loads(line) for line in lines), "no line is cut"
    assert any(json.loads(line)["event"] == "log_dropped" for line in lines)


async def _read_all(read_end: int, running) -> list[bytes]:
    """End the process while its log is read at last."""
    running.tell(signal.SIGINT)
    with os.fdopen(read_end, "rb") as reader:
        text = await asyncio.to_thread(reader.read)
    assert 0 == await running.ended()
    return text.splitlines()


async def test_a_reader_that_left_stops_nothing(upstream, process):
    read_end, write_end = os.pipe()
    running = await process(stdout=write_end)
    os.close(write_end)
    os.close(read_end)
    await ask_many(running.port)
    running.tell(signal.SIGTERM)
    running.tell(signal.SIGTERM)

    assert 0 == await running.ended()


async def test_a_stalled_reader_does_not_hold_up_the_end(upstream, process):
    read_end, write_end = os.pipe()
    running = await process(stdout=write_end)
    os.close(write_end)
    await ask_many(running.port)
    began = time.monotonic()
    running.tell(signal.SIGINT)
    code = await running.ended()
    took = time.monotonic() - began
    os.close(read_end)

    assert 0 == code
    assert took < 5
