"""Interim responses of the upstream (1xx) reach the client, and commit to nothing."""

import asyncio

import pytest

from tests.house.admin import stories
from tests.house.fault_upstream import raw, reset_before_head, status
from tests.house.raw_client import parse_head, request

OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HINTS = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n"


async def test_an_early_hint_arrives_before_the_answer_is_made(upstream, house):
    house = await house()
    go_on = asyncio.Event()

    async def script(turn):
        await turn.body()
        await turn.send(HINTS)
        await go_on.wait()
        await turn.send(OK)

    upstream.on("/x", script)
    async with house.client() as client:
        await client.send(request("GET", "/x"))
        hint = parse_head(await client.until(b"\r\n\r\n"))
        go_on.set()
        answer = await client.answer()

    assert (103, "Early Hints") == (hint.status, hint.reason)
    assert [("Link", "</a.css>; rel=preload")] == hint.headers[:1]
    assert ["link", "via"] == [name.lower() for name, _ in hint.headers]
    assert (200, b"ok") == (answer.status, answer.body)


async def test_what_concerns_one_connection_stops_here(upstream, house):
    house = await house()
    head = (
        "HTTP/1.1 103 E\r\nConnection: X-Mine, close\r\nX-Mine: 1\r\nKeep-Alive: 5\r\n"
        "X-Request-ID: theirs\r\nX-Sidelight-Y: 1\r\nContent-Length: 5\r\nLink: a\r\n\r\n"
    )
    upstream.on("/x", raw(head, OK))
    async with house.client() as client:
        await client.send(request("GET", "/x"))
        hint = parse_head(await client.until(b"\r\n\r\n"))
        answer = await client.answer()

    assert ["link", "via"] == [name.lower() for name, _ in hint.headers]
    assert (200, "clean") == (answer.status, answer.end)


async def test_they_are_on_the_record_and_in_the_story(upstream, house):
    house = await house()
    upstream.on("/x", raw(HINTS, "HTTP/1.1 102 P\r\n\r\n", CONTINUE, HINTS + OK))
    answer = await house.fetch("/x")
    event = await house.event_of(answer)
    (story,) = await stories(house.app.admin_port, event["request_id"])

    assert [103, 102, 103] == answer.interim
    assert ((103, 102, 103), "completed", 200) == (event["interim"], event["code"], event["status"])
    assert [103, 102, 103] == story["interim"]


async def test_a_client_is_given_eight_at_most(upstream, house):
    house = await house()
    upstream.on("/x", raw(HINTS * 20 + OK))
    answer = await house.fetch("/x")

    assert ([103] * 8, 200) == (answer.interim, answer.status)


async def test_a_client_of_http_1_0_is_given_none(upstream, house):
    house = await house()
    upstream.on("/x", raw(HINTS, OK))
    async with house.client() as client:
        await client.send("GET /x HTTP/1.0\r\nHost: house\r\n\r\n")
        answer = await client.answer()
    event = await house.event_of(answer)

    assert ([], 200, b"ok") == (answer.interim, answer.status, answer.body)
    assert "interim" not in event


async def test_a_100_that_nobody_asked_for_is_read_over(upstream, house):
    house = await house()
    upstream.on("/x", raw(CONTINUE, OK))
    answer = await house.fetch("/x")

    assert ([], 200, b"ok") == (answer.interim, answer.status, answer.body)


async def test_a_100_that_was_asked_for_is_ours_and_comes_once(upstream, house):
    house = await house()
    upstream.on("/x", raw(CONTINUE + HINTS, OK))
    async with house.client() as client:
        await client.send(request("POST", "/x", "Expect: 100-continue", "Content-Length: 100000"))
        first = parse_head(await client.until(b"\r\n\r\n"))
        await client.send(b"x" * 100_000)
        answer = await client.answer()

    assert (100, [103], 200) == (first.status, answer.interim, answer.status)


@pytest.mark.parametrize(
    ("then", "code"),
    [
        pytest.param(status(200), 200, id="a good answer"),
        pytest.param(reset_before_head, 502, id="an error of our own"),
    ],
)
async def test_a_retry_may_follow(upstream, house, then, code):
    house = await house()

    async def hint_and_reset(turn):
        await turn.body()
        await turn.send(HINTS)
        await asyncio.sleep(0.05)  # RST overtakes bytes that were not yet read
        turn.reset()

    upstream.on("/x", hint_and_reset, then)
    answer = await house.fetch("/x")
    event = await house.event_of(answer)

    assert ([103], code) == (answer.interim, answer.status)
    assert "reset" == event["attempt_results"][0]
    assert event["attempts"] > 1


async def test_the_connections_carry_the_next_exchange(upstream, house):
    house = await house()
    upstream.on("/x", raw(HINTS, OK))
    async with house.client() as client:
        answers = [await client.get("/x") for _ in range(3)]

    assert [([103], 200)] * 3 == [(each.interim, each.status) for each in answers]
    assert 1 == len(upstream.connections)


async def test_before_a_websocket_they_pass_as_well(upstream, house):
    house = await house(route={"websocket": True})
    switch = "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"
    upstream.on("/x", raw(HINTS, switch, then="close"))
    ask = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")  # fmt: skip
    async with house.client() as client:
        await client.send(request("GET", "/x", *ask))
        statuses = [parse_head(await client.until(b"\r\n\r\n")).status for _ in range(2)]

    assert [103, 101] == statuses


@pytest.mark.parametrize("version", ["1.2", "1.9"])
async def test_a_later_minor_version_is_taken_as_1_1(upstream, house, version):
    house = await house()
    answer = f"HTTP/{version} 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    upstream.on("/x", raw(*answer, between=0.0), raw(answer))
    async with house.client() as client:
        answers = [await client.get("/x") for _ in range(2)]

    assert [(200, b"ok", "clean")] * 2 == [(each.status, each.body, each.end) for each in answers]
    assert 1 == len(upstream.connections)


@pytest.mark.parametrize("version", ["2.0", "3.0"])
async def test_another_major_version_is_a_protocol_error(upstream, house, version):
    house = await house()
    upstream.on("/x", raw(f"HTTP/{version} 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    answer = await house.fetch("/x")

    assert 502 == answer.status
    assert "upstream_protocol_error" == (await house.event_of(answer))["code"]
