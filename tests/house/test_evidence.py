"""Facts that decide between causes: each brought about, and looked for in the story."""

import pytest

from tests.house.admin import stories
from tests.house.fault_upstream import (
    close_before_head,
    never,
    raw,
    reset_before_head,
    sse,
    status,
)
from tests.house.raw_client import eventually, request

OK = "HTTP/1.1 200 OK\r\n"


async def story_of(house, answer):
    (story,) = await stories(house.app.admin_port, answer.header("x-request-id"))
    return story


@pytest.mark.parametrize(
    ("script", "end"),
    [(close_before_head, "closed by the upstream"), (reset_before_head, "reset by the upstream")],
)
async def test_who_ended_the_connection_and_how_is_told(upstream, house, script, end) -> None:
    house = await house()
    upstream.on("/", script)
    answer = await house.fetch("/", method="POST")
    connection = (await story_of(house, answer))["attempts"][0]["connection"]

    assert (end, 1) == (connection["end"], connection["use"])
    assert connection["local"].startswith("127.0.0.1:")


async def test_a_reused_connection_says_its_use_and_how_long_it_was_idle(upstream, house) -> None:
    house = await house()
    upstream.on("/", status(200), status(500))
    await house.fetch("/")
    answer = await house.fetch("/", method="POST")
    connection = (await story_of(house, answer))["attempts"][0]["connection"]

    assert 2 == connection["use"]
    assert connection["age_ms"] >= connection["idle_ms"] >= 0
    assert "end" not in connection


async def test_a_head_that_does_not_come_ends_by_us(upstream, house) -> None:
    house = await house(timeouts={"head": "200ms"})
    upstream.on("/", never)
    answer = await house.fetch("/", method="POST")
    connection = (await story_of(house, answer))["attempts"][0]["connection"]

    assert "closed by Sidelight" == connection["end"]


@pytest.mark.parametrize(
    ("head", "body", "told"),
    [
        pytest.param("Content-Length: 10\r\n\r\n", "four",
                     {"framing": "length", "announced": 10, "received": 4}, id="cut short"),
        pytest.param("Transfer-Encoding: chunked\r\n\r\n", "4\r\nfour\r\n",
                     {"framing": "chunked", "received": 4, "last_chunk": False},
                     id="no last chunk"),
    ],
)  # fmt: skip
async def test_what_of_a_body_came_is_told(upstream, house, head, body, told) -> None:
    house = await house()
    upstream.on("/", raw(f"{OK}{head}", body, then="close"))
    async with house.client() as client:
        await client.send(request("GET", "/"))
        reference = (await client.head()).header("x-request-id")
        await client.rest()
    (story,) = await stories(house.app.admin_port, reference)

    assert told == {key: story["body"][key] for key in told}
    assert 0 < story["body"]["last_byte_ms"] <= story["duration_ms"]


async def test_comments_after_the_last_event_are_told(upstream, house) -> None:
    house = await house(timeouts={"event_gap": "700ms"})
    beats = [step for _ in range(40) for step in (0.05, ": beat\n\n")]
    upstream.on("/", sse("data: one\n\n", *beats, end=False))
    answer = await house.fetch("/")
    story = await story_of(house, answer)

    assert "stream_stalled" == story["code"]
    assert story["since_event_ms"] > story["stream"]["silent_ms"]


@pytest.mark.parametrize(("how", "told"), [("leave", "fin"), ("reset", "reset")])
async def test_how_a_client_left_is_told(upstream, house, how, told) -> None:
    house = await house()
    upstream.on("/", never)
    async with house.client() as client:
        await client.send(request("GET", "/", "X-Request-ID: who-left"))
        await eventually(lambda: upstream.seen)
        await getattr(client, how)()
    await house.event()
    (story,) = await stories(house.app.admin_port, "who-left")

    assert told == story["client_exit"]


async def test_the_client_of_a_failure_has_its_round_trip_measured(upstream, house) -> None:
    house = await house()
    upstream.on("/", status(500))
    story = await story_of(house, await house.fetch("/"))

    assert 0 < story["round_trip_ms"] < 5000


async def test_an_upgrade_that_was_not_answered_says_both_sides(upstream, house) -> None:
    house = await house(route={"websocket": True})
    upstream.on("/", status(426, "Upgrade: foo"))
    answer = await house.fetch(
        "/", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: chat, opaque-credential-of-a-browser",
    )  # fmt: skip
    story = await story_of(house, answer)

    assert "chat, [redacted]" == story["upgrade"]["asked"]["sec-websocket-protocol"]
    assert "sec-websocket-key" not in story["upgrade"]["asked"]


async def test_the_decision_of_cors_is_told(upstream, house) -> None:
    house = await house(cors={"origins": ["https://good.example"]})
    upstream.on("/", status(500), status(500), status(500), status(500), status(500), status(500))
    said = [
        (await story_of(house, await house.fetch("/", f"Origin: https://{name}.example")))["cors"]
        for name in ("good", "bad")
    ]

    assert said == [
        "https://good.example may read the answer", "https://bad.example may not read the answer",
    ]  # fmt: skip


async def test_a_near_miss_of_a_route_is_told(house) -> None:
    house = await house(route={"match": {"path": "/api/chat", "methods": ["POST"]}})
    slash = await story_of(house, await house.fetch("/api/chat/", method="POST"))
    method = await story_of(house, await house.fetch("/api/chat"))

    assert "differs from the route" in slash["detail"]
    assert "the method does not" in method["detail"]


async def test_a_connection_that_does_not_come_about_has_its_length(house, unused_tcp_port) -> None:
    house = await house(upstream={"endpoints": [f"http://127.0.0.1:{unused_tcp_port}"]})
    story = await story_of(house, await house.fetch("/", method="POST"))

    assert "connect_refused" == story["code"]
    assert story["attempts"][0]["connect_ms"] > 0
