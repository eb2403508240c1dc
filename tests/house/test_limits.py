"""What a client may take: bytes, lines, time. Beyond it the documented answer, and one event."""

import asyncio

import pytest

from tests.house.fault_upstream import status
from tests.house.raw_client import eventually, request


def lines(count: int, length: int = 1) -> list[str]:
    return [f"X-{number}: {'a' * length}" for number in range(count)]


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        pytest.param(request("GET", "/" + "a" * 20_000), 414, "uri_too_long", id="a long target"),
        pytest.param(b"GET /" + b"a" * 40_000, 414, "uri_too_long", id="a line that does not end"),
        pytest.param(request("GET", "/", *lines(1, 40_000)), 431, "headers_too_large",
                     id="a long line"),
        pytest.param(request("GET", "/", *lines(500)), 431, "headers_too_large", id="many lines"),
        pytest.param(request("GET", "/", *lines(60, 1000)), 431, "headers_too_large",
                     id="many bytes"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: " + b"a" * 60_000, 431, "headers_too_large",
            id="a header that does not end",
        ),
        pytest.param(b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505, "http_version_not_supported",
                     id="HTTP/2.0"),
        pytest.param(b"GET / HTTP/0.9\r\nHost: h\r\n\r\n", 505, "http_version_not_supported",
                     id="HTTP/0.9"),
        pytest.param(b"CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n", 501, "not_implemented",
                     id="CONNECT"),
        pytest.param(request("POST", "/", "Transfer-Encoding: gzip, chunked"), 501,
                     "not_implemented", id="a coding we do not know"),
        pytest.param(request("GET", "/", "Upgrade: websocket", "Connection: Upgrade"), 426,
                     "upgrade_not_allowed", id="an upgrade"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00", 400, "bad_request", id="TLS on a plain port"),
    ],
)  # fmt: skip
async def test_beyond_the_limit_is_the_documented_answer(upstream, house, raw, status, code):
    house = await house()
    async with house.client() as client:
        await client.send(raw)
        answer = await client.answer()
    event = await house.event_of(answer)

    assert (status, code) == (answer.status, answer.json()["error"])
    assert (code, "INFO") == (event["code"], event["level"])
    assert event["request_id"] == answer.json()["request_id"]
    assert 1 == len(house.all())
    assert [] == upstream.seen
    assert {"exchange"} == {event["event"] for event in house.events} - {
        "started", "config_loaded"
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/" + "a" * 8000])
async def test_within_the_limit_passes(upstream, house, path):
    house = await house()
    answer = await house.fetch(path, *lines(100, 100))

    assert 200 == answer.status


@pytest.mark.parametrize("framing", ["announced", "counted"])
async def test_bodies_over_the_limit(upstream, house, framing):
    house = await house(max_body="10KiB")
    async with house.client() as client:
        if framing == "announced":
            await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 20000\r\n\r\n")
        else:
            await client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            await client.send(b"4e20\r\n" + b"x" * 20_000 + b"\r\n0\r\n\r\n")
        answer = await client.answer()
    event = await house.event_of(answer)

    assert (413, "body_too_large") == (answer.status, answer.json()["error"])
    assert "body_too_large" == event["code"]
    assert not any(seen.whole for seen in upstream.seen)
    if framing == "announced":
        assert [] == upstream.connections


async def test_bodies_at_the_limit_pass(upstream, house):
    house = await house(max_body="10KiB")

    assert 200 == (await house.fetch(method="POST", body=b"x" * 10_240)).status


@pytest.mark.parametrize("begun", ["G", "GET / HTTP/1.1\r\nHo", "GET / HTTP/1.1\r\nHost: h\r\n"])
async def test_slow_heads_are_cut(upstream, house, begun):
    house = await house(listen={"request_head": "150ms"})
    async with house.client() as client:
        for piece in begun:
            await client.send(piece)
        answer = await client.answer()
        rest, end = await client.rest()
    event = await house.event_of(answer)

    assert (408, "request_timeout") == (answer.status, answer.json()["error"])
    assert (b"", "clean") == (rest, end)
    assert ("request_timeout", "cR", 408) == (event["code"], event["term"], event["status"])


async def test_a_dripping_head_does_not_buy_time(upstream, house):
    house = await house(listen={"request_head": "200ms"})
    async with house.client() as client:
        await client.send("GET / HTTP/1.1\r\n")
        dripping = asyncio.create_task(_drip(client))
        answer = await client.answer(patience=2)
        dripping.cancel()

    assert 408 == answer.status


async def _drip(client) -> None:
    try:
        for number in range(200):
            await client.send(f"X-{number}: a\r\n")
            await asyncio.sleep(0.02)
    except ConnectionError:
        pass  # it was cut, as it should be


async def test_idle_connections_are_closed_silently(upstream, house):
    house = await house(listen={"request_head": "100ms", "keep_alive": "150ms"})
    async with house.client() as fresh, house.client() as used:
        await used.get()
        ends = [await fresh.rest(), await used.rest()]
    await house.event()

    assert [(b"", "clean")] * 2 == ends
    assert 1 == len(house.all())


@pytest.mark.parametrize(
    "framing", ["Content-Length: 100", "Content-Length: 1000000", "Transfer-Encoding: chunked"]
)
async def test_silent_bodies_are_cut(upstream, house, framing):
    house = await house(timeouts={"request_body_gap": "150ms"})
    async with house.client() as client:
        await client.send(f"POST / HTTP/1.1\r\nHost: h\r\n{framing}\r\n\r\n", "5\r\nfirst\r\n")
        answer = await client.answer()
    event = await house.event_of(answer)

    assert (408, "request_timeout") == (answer.status, answer.json()["error"])
    assert ("cR", 0) == (event["term"], len([seen for seen in upstream.seen if seen.whole]))
    assert "closed" == await house.breaker()


async def test_a_malformed_chunk_in_a_later_segment_does_not_hang(upstream, house):
    house = await house(timeouts={"request_body_gap": "5s"})
    async with house.client() as client:
        await client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
                          "5\r\nfirst\r\n", "zz\r\nwrong\r\n")  # fmt: skip
        answer = await client.answer(patience=2)
    event = await house.event_of(answer)

    assert (400, "bad_request") == (answer.status, event["code"])
    assert not any(seen.whole for seen in upstream.seen)
    assert "closed" == await house.breaker()


async def test_at_the_limit_of_connections_the_oldest_idle_one_is_closed(upstream, house):
    house = await house(listen={"max_connections": 2})
    async with house.client() as one, house.client() as two:
        await one.get()
        await two.get()
        await one.get()  # now the other one has been idle for longer
        async with house.client() as three:
            assert 200 == (await three.get()).status
            assert (b"", "clean") == await two.rest()
            assert 200 == (await one.get()).status


async def test_where_no_connection_is_idle_the_new_one_is_closed(upstream, house):
    house = await house(listen={"max_connections": 2})
    release = asyncio.Event()

    async def held(turn):
        await release.wait()
        await turn.answer()

    upstream.on("/", held)
    async with house.client() as one, house.client() as two:
        await one.send(request("GET", "/"))
        await two.send(request("GET", "/"))
        await eventually(lambda: 2 == len(upstream.seen))
        for _ in range(3):
            async with house.client() as three:
                assert (b"", "clean") == await three.rest()
        release.set()
        assert [200, 200] == [(await one.answer()).status, (await two.answer()).status]
    await eventually(lambda: house.all("connections_refused"))
    shed = 'sidelight_connections_shed_total{cause="connection_limit",port="traffic"} 3'
    assert shed in (await house.admin("/metrics")).body.decode()


async def test_unfinished_heads_are_held_within_a_bound(upstream, house):
    """One client's heads without end cost the next one nothing but its own."""
    house = await house(listen={"unread_bytes": "64KiB"})
    part = b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 30_000
    async with house.client() as one, house.client() as two, house.client() as three:
        await one.send(part)
        await two.send(part)
        await eventually(lambda: 60_000 < house.app.listener.server.clients.held_bytes)
        await three.send(part)
        answer = await three.answer()
        event = await house.event_of(answer)
        await one.send("\r\n\r\n")
        assert 200 == (await one.answer()).status
    await eventually(lambda: not house.app.listener.server.clients.held_bytes)

    assert (503, "overload_shed", "WARNING") == (answer.status, event["code"], event["level"])


async def test_405_says_what_is_allowed(upstream, house):
    house = await house(route={"match": {"path": "/only", "methods": ["GET", "POST"]}})
    answer = await house.fetch("/only", method="DELETE")

    assert (405, "method_not_allowed") == (answer.status, answer.json()["error"])
    assert {"GET", "HEAD", "POST"} >= set(answer.header("Allow").split(", ")) >= {"GET", "POST"}


async def test_a_flood_of_bad_requests_writes_one_event_each_and_no_traceback(upstream, house):
    house = await house()
    for _ in range(20):
        async with house.client() as client:
            await client.send("GET / HTTP/1.1\r\nX : a\r\n\r\n")
            await client.answer()
    upstream.on("/", status(200))
    await house.fetch()
    async with asyncio.timeout(5):
        while len(house.all()) < 21:  # noqa: ASYNC110 - the log has no signal
            await asyncio.sleep(0.01)

    assert "Traceback" not in str(house.events)
    assert {"exchange", "started", "config_loaded"} >= {event["event"] for event in house.events}
