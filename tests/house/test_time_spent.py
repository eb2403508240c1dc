"""Where the time went, also of a wait that was broken off; and the parts are the whole."""

import asyncio
from typing import Any

import pytest

from proxy.clock import now
from proxy.time_spent import CLIENT, PARTS, PAUSE, QUEUE, UPSTREAM
from proxy.timing.loop_lag import stalled
from tests.house.admin import stories
from tests.house.fault_upstream import Script, Turn, download, never, raw, sse, status
from tests.house.house import House
from tests.house.raw_client import RawClient, eventually, request
from tests.house.streams import stream

WAIT = 0.3
"""Seconds after which the client leaves."""
LARGE = "data: " + "x" * 60_000 + "\n\n"
WAITS = {"queue_ms", "connect_ms", "upstream_ms", "pause_ms", "client_ms"}
LONG_PAUSES = {"first_pause": "5s", "max_pause": "5s"}
HALF = "HTTP/1.1 503 No\r\nContent-Length: 10\r\n\r\nhalf"
HOLD = {"stream": {"hold_first_event": True}}


def upload(length: int) -> bytes:
    """A POST of which the client never sends all."""
    return b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\nxx" % length


async def half_answer(turn: Turn) -> None:
    await turn.send(HALF)
    await turn.gone(60)


def waits_for(house: House, part: int) -> bool:
    return any(x.spent.part == part for x in house.app.observer.running.values())


async def story_of(house: House, **fields: object) -> dict[str, Any]:
    event = await house.event(**fields)
    (story,) = await stories(house.app.admin_port, str(event["request_id"]))
    return story


def is_whole(story: dict[str, Any]) -> None:
    """Each millisecond is in one part, and what is no wait is our own."""
    parts = story["parts"]
    own = sum(took for name, took in parts.items() if name not in WAITS)

    assert sum(parts.values()) == pytest.approx(story["duration_ms"], rel=0.01, abs=0.01)
    assert own == pytest.approx(story["overhead_ms"], abs=0.02)


@pytest.mark.parametrize(
    ("script", "asked", "settings", "part"),
    [
        pytest.param(status(503), request("GET", "/"), {"retry": LONG_PAUSES}, PAUSE, id="a pause"),
        pytest.param(never, request("GET", "/"), {}, UPSTREAM, id="the wait for a head"),
        pytest.param(
            stream(": ping\n\n", then="silent"), request("GET", "/"), {"route": HOLD}, UPSTREAM,
            id="a head that is held",
        ),
        pytest.param(
            half_answer, request("GET", "/"), {}, UPSTREAM, id="an answer that is set aside"
        ),
        pytest.param(
            stream("data: one\n\n", then="silent"), request("GET", "/"), {}, UPSTREAM,
            id="a silent stream",
        ),
        pytest.param(never, upload(1_000_000), {}, CLIENT, id="an upload that is passed on"),
        pytest.param(never, upload(100), {}, CLIENT, id="an upload that is kept"),
        pytest.param(
            stream(*[LARGE] * 4000), request("GET", "/"), {}, CLIENT, id="a stream that is not read"
        ),
        pytest.param(
            download(1 << 30), request("GET", "/"), {}, CLIENT, id="a download that is not read"
        ),
    ],
)  # fmt: skip
async def test_a_wait_that_is_broken_off_counts(
    upstream, house, script: Script, asked: bytes, settings, part: int
):
    house = await house(**settings)
    upstream.on("/", script)
    async with RawClient(house.port, read_ahead=1024) as client:
        await client.send(asked)
        await eventually(lambda: waits_for(house, part))
        began = now()
        await asyncio.sleep(WAIT)
        ended = now()
        assert waits_for(house, part)
        await client.reset()
    story = await story_of(house)
    heard = WAIT - stalled(began, ended)  # a stall of the machine is nobody's wait

    assert story["parts"][f"{PARTS[part]}_ms"] >= 1000 * heard * 0.9
    is_whole(story)


async def test_a_wait_for_a_slot_that_is_broken_off_counts(upstream, house):
    house = await house(upstream={"pool": {"size": 1}}, timeouts={"pool_wait": "30s"})
    upstream.on("/", never)
    async with house.client() as first:
        await first.send(request("GET", "/"))
        await eventually(lambda: upstream.seen)
        async with house.client() as second:
            await second.send(request("GET", "/"))
            await eventually(lambda: waits_for(house, QUEUE))
            began = now()
            await asyncio.sleep(WAIT)
            ended = now()
            await second.leave()
        story = await story_of(house, code="client_closed_request")

    assert story["parts"]["queue_ms"] >= 1000 * (WAIT - stalled(began, ended)) * 0.9
    is_whole(story)


@pytest.mark.parametrize(
    ("script", "asked", "settings", "waited"),
    [
        pytest.param(sse("data: a\n\n", 0.02, "data: b\n\n"), request("GET", "/"), {},
                     {"upstream_ms"}, id="a stream"),
        pytest.param(status(503), request("GET", "/"), {}, {"upstream_ms", "pause_ms"},
                     id="retries"),
        pytest.param(raw(HALF, "no ten"), request("GET", "/"), {}, {"upstream_ms", "pause_ms"},
                     id="answers that are set aside"),
        pytest.param(status(200), request("POST", "/", body=b"x" * 200_000), {}, {"upstream_ms"},
                     id="an upload"),
        pytest.param(status(200), request("GET", "/nowhere", host="h"),
                     {"route": {"match": {"path": "/a"}}}, set(), id="no route"),
    ],
)  # fmt: skip
async def test_the_parts_are_the_whole(upstream, house, script: Script, asked, settings, waited):
    house = await house(**settings)
    upstream.on("/", script)
    async with house.client() as client:
        await client.send(asked)
        await client.answer()
    story = await story_of(house)

    assert waited <= story["parts"].keys()
    is_whole(story)
