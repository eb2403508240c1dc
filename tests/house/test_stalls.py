"""The process does not run for a while: stopped, frozen, without CPU. Nobody else is to blame.

Clocks of silence are a second, the stall takes three; what the upstream sends meanwhile lies in the
kernel, or comes a moment later.
"""

import asyncio
import signal
import time

import pytest

from tests.house.fault_upstream import Turn
from tests.house.raw_client import Answer, RawClient, eventually, request
from tests.house.streams import stream

STALL = 3.0
STREAMS = 10
CALLS = 5
EVENT = 'data: {"word": "and"}\n\n'
TIMEOUTS = {
    "head": "1s", "first_event": "1s", "gap": "1s", "event_gap": "1s", "client_write": "1s",
    "connect": "1s", "pool_wait": "1s", "request_body_gap": "1s",
}  # fmt: skip
SETTINGS = {
    "timeouts": TIMEOUTS,
    "retry": {"attempts": 1},
    "breaker": {"consecutive": 1},
}
LONG = stream(*[step for _ in range(26) for step in (EVENT, 0.2)], "data: [DONE]\n\n")
"""An event each 200 ms, for about five seconds."""


def block(seconds: float) -> None:
    """Keep the loop from running."""
    time.sleep(seconds)


async def late_head(turn: Turn) -> None:
    await asyncio.sleep(0.7)
    await turn.answer(200, body=b"late, but in time")


async def ask(port: int, path: str) -> Answer:
    async with RawClient(port) as client:
        await client.send(request("GET", path))
        return await client.answer(patience=20)


def asked(port: int) -> list[asyncio.Task[Answer]]:
    paths = ["/stream"] * STREAMS + ["/call"] * CALLS
    return [asyncio.create_task(ask(port, path)) for path in paths]


async def all_begun(upstream, of: int = STREAMS + CALLS) -> None:
    await eventually(lambda: len(upstream.seen) == of)


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
async def test_a_process_that_was_stopped_blames_nobody(upstream, process, loop):
    upstream.on("/stream", LONG)
    upstream.on("/call", late_head)
    running = await process(**SETTINGS, event_loop=loop)
    tasks = asked(running.port)
    await all_begun(upstream)
    running.tell(signal.SIGSTOP)
    await asyncio.sleep(STALL)
    running.tell(signal.SIGCONT)
    answers = await asyncio.gather(*tasks)
    await eventually(lambda: len(running.events()) == len(answers))
    events = running.events()

    assert {("completed", 200)} == {(event["code"], event["status"]) for event in events}
    assert {b"late, but in time"} == {answer.body for answer in answers[STREAMS:]}
    assert {26} == {answer.body.count(EVENT.encode()) for answer in answers[:STREAMS]}
    assert [] == running.events("breaker_opened")

    (told,) = running.events("loop_stalled")
    assert told["stalls"] == 1
    assert told["stalled_ms"] >= 1000 * (STALL - 0.2)
    assert all(event["overhead_ms"] >= 1000 * (STALL - 0.2) for event in events), "it is our own"
    assert all(event["upstream_ms"] < 1000 * STALL for event in events if event["path"] == "/call")
    assert all(event["max_gap_ms"] < 1000 for event in events if event["path"] == "/stream")


async def test_a_callback_that_blocks_blames_nobody(upstream, house):
    upstream.on("/stream", LONG)
    upstream.on("/call", late_head)
    house = await house(**SETTINGS)
    tasks = asked(house.port)
    await all_begun(upstream)
    block(STALL)
    answers = await asyncio.gather(*tasks)
    await eventually(lambda: len(house.all()) == len(answers))

    assert {("completed", 200)} == {(event["code"], event["status"]) for event in house.all()}
    assert {26} == {answer.body.count(EVENT.encode()) for answer in answers[:STREAMS]}
    assert "closed" == await house.breaker()
    assert 1 == (await house.event("loop_stalled"))["stalls"]


async def test_an_upstream_that_is_silent_after_a_stall_is_found_out(upstream, house):
    """The stall is subtracted once: silence that was observed still ends a stream."""
    upstream.on("/", stream(EVENT, 60.0))
    house = await house(**SETTINGS)
    task = asyncio.create_task(ask(house.port, "/"))
    await all_begun(upstream, 1)
    block(1.5)
    event = await house.event_of(await task)

    assert "stream_stalled" == event["code"]


@pytest.mark.parametrize(
    ("beginning", "rest"),
    [
        pytest.param("GET /call HT", "TP/1.1\r\nHost: a\r\n\r\n", id="in mid-head"),
        pytest.param(
            "POST /call HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\nx",
            "x" * 199_999,
            id="in mid-body",
        ),
    ],
)
async def test_a_request_that_came_during_a_stall_is_taken(upstream, process, beginning, rest):
    running = await process(**SETTINGS, listen={"request_head": "1s"})
    async with RawClient(running.port) as client:
        await client.send(beginning)
        await asyncio.sleep(0.3)
        running.tell(signal.SIGSTOP)
        await asyncio.sleep(0.3)
        await client.send(rest[:100])
        await asyncio.sleep(STALL)
        running.tell(signal.SIGCONT)
        await client.send(rest[100:])
        answer = await client.answer()

    assert 200 == answer.status


async def test_who_waits_for_a_connection_during_a_stall_still_gets_it(upstream, process):
    upstream.on("/call", late_head)
    running = await process(**SETTINGS, upstream={"pool": {"size": 1}})
    tasks = [asyncio.create_task(ask(running.port, "/call")) for _ in range(2)]
    await all_begun(upstream, 1)
    running.tell(signal.SIGSTOP)
    await asyncio.sleep(STALL)
    running.tell(signal.SIGCONT)

    assert {200} == {answer.status for answer in await asyncio.gather(*tasks)}


async def test_what_came_in_time_is_taken_although_total_has_run_out(upstream, process):
    """`total` is real time, and judges only when nothing lies in the kernel."""
    upstream.on("/call", late_head)
    running = await process(timeouts={"total": "2s"}, retry={"attempts": 1})
    task = asyncio.create_task(ask(running.port, "/call"))
    await all_begun(upstream, 1)
    running.tell(signal.SIGSTOP)
    await asyncio.sleep(STALL)
    running.tell(signal.SIGCONT)

    assert 200 == (await task).status
