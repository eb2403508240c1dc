"""Healthy traffic is never harmed: zero errors of ours, every circuit closed.

Clocks are scaled by a hundred: 300 ms here are the 30 s of the defaults.
"""

import asyncio

import pytest

from tests.house.fault_upstream import PATTERN, download, pattern_digest, sse, status
from tests.house.raw_client import fetch, request

SCALED = {
    "connect": "500ms",
    "head": "300ms",
    "gap": "300ms",
    "total": "600ms",
    "request_body_gap": "300ms",
    "client_write": "300ms",
    "max_stream": "9s",
}
OURS = {"upstream_error", "completed"}
"""Codes of exchanges in which Sidelight had no part but passing them on."""


async def unharmed(house, count: int) -> None:
    """Every exchange so far passed through, and nothing is held against the upstream."""
    async with asyncio.timeout(5):
        while len(house.all()) < count:  # noqa: ASYNC110 - the log has no signal
            await asyncio.sleep(0.01)
    assert {event["code"] for event in house.all()} <= OURS
    assert count == len(house.all())
    assert "closed" == await house.breaker()


async def test_a_model_that_thinks_for_long_and_pings_by_comment(upstream, house):
    """90 s of thinking with a comment every 20 s, longer than every clock but `max_stream`."""
    pings = [step for _ in range(5) for step in (0.2, ": ping\n\n")]
    house = await house(timeouts=SCALED)
    upstream.on("/", sse("data: one\n\n", *pings, "data: two\n\n"))
    answer = await house.fetch("/", "Accept: text/event-stream", method="POST", body=b"hi")

    assert answer.body.startswith(b"data: one\n\n: ping\n\n")
    assert answer.body.endswith(b"data: two\n\n")
    assert "clean" == answer.end
    await unharmed(house, 1)
    assert house.all()[0]["duration_ms"] > 900


async def test_a_long_stream_of_words(upstream, house):
    words = [step for number in range(60) for step in (f"data: {number}\n\n", 0.02)]
    house = await house(timeouts=SCALED)
    upstream.on("/", sse(*words))
    answer = await house.fetch("/")

    assert 60 == answer.body.count(b"data: ")
    await unharmed(house, 1)


async def test_a_long_download(upstream, house):
    """Twice as long as `total`, which ends at the commit."""
    size = 1 << 20
    house = await house(timeouts=SCALED)
    upstream.on("/", download(size, pieces=1 << 15, pause=0.04))
    answer = await house.fetch("/")

    assert size == len(answer.body)
    await unharmed(house, 1)
    assert house.all()[0]["duration_ms"] > 1200


async def test_a_long_upload(upstream, house):
    """Twice as long as `head` and `total`, which begin when the request is sent."""
    size = 24 * len(PATTERN)
    house = await house(timeouts=SCALED, retry={"replay_body": "1KiB"})
    async with house.client() as client:
        await client.send(f"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n")
        for _ in range(24):
            await client.send(PATTERN)
            await asyncio.sleep(0.05)
        answer = await client.answer()

    assert 200 == answer.status
    assert (size, pattern_digest(size)) == (upstream.seen[0].size, upstream.seen[0].digest)
    await unharmed(house, 1)


async def test_a_slow_small_upload(upstream, house):
    """One that is kept for replay: the clocks of the attempt have not begun."""
    house = await house(timeouts=SCALED)
    async with house.client() as client:
        await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n")
        for _ in range(8):
            await client.send("x")
            await asyncio.sleep(0.1)
        answer = await client.answer()

    assert (200, b"xxxxxxxx") == (answer.status, upstream.seen[0].body)
    await unharmed(house, 1)


async def test_a_reader_that_is_slow_but_reads(upstream, house):
    size = 12 << 20
    house = await house(timeouts=SCALED)
    upstream.on("/", download(size))
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await client.head()
        got = await client.digest(1 << 20)
        for _ in range(11):
            await asyncio.sleep(0.1)
            got = await client.digest(1 << 20)

    assert got
    await unharmed(house, 1)


@pytest.mark.parametrize("code", [429, 500])
async def test_one_users_trouble_is_not_everybodys(upstream, house, code):
    """Every fourth request is one user's, and always ends badly."""
    house = await house(timeouts=SCALED)
    upstream.on("/bad", status(code, "Retry-After: 30"))
    for number in range(40):
        answer = await house.fetch("/bad" if number % 4 == 0 else "/good")
        assert (code if number % 4 == 0 else 200) == answer.status

    await unharmed(house, 40)
    assert 40 == len(upstream.seen)


async def test_many_at_once_share_connections_and_nothing_else(upstream, house):
    house = await house(timeouts=SCALED | {"total": "5s"})
    upstream.on("/stream", sse("data: one\n\n", 0.1, "data: two\n\n"))

    async def user(number: int) -> None:
        for turn in range(5):
            path = "/stream" if (number + turn) % 3 == 0 else f"/{number}/{turn}"
            answer = await house.fetch(path, f"X-Request-ID: {number}-{turn}")
            assert f"{number}-{turn}" == answer.header("X-Request-ID")
            assert path == "/stream" or path == answer.json()["target"]

    await asyncio.gather(*(user(number) for number in range(30)))

    await unharmed(house, 150)
    assert len(upstream.connections) < 60


async def test_keep_alive_clients_may_pause_between_requests(upstream, house):
    house = await house(timeouts=SCALED, upstream={"pool": {"keep_alive": "100ms"}})
    async with house.client() as client:
        for _ in range(4):
            assert 200 == (await client.get()).status
            await asyncio.sleep(0.15)

    await unharmed(house, 4)
    assert all(event["attempts"] == 1 for event in house.all())


async def test_the_admin_port_is_never_in_the_way(upstream, house):
    house = await house(timeouts=SCALED)
    for path in ("/metrics", "/metrics.json", "/health", "/livez", "/readyz"):
        answers = await asyncio.gather(
            *(fetch(house.app.admin_port, path) for _ in range(5)), house.fetch("/")
        )
        assert {200} == {answer.status for answer in answers}

    await unharmed(house, 5)
