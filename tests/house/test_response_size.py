"""Answers larger than a route passes on: refused where that is known, else cut and said so."""

import asyncio
import json

import pytest

from tests.house.admin import stories
from tests.house.fault_upstream import raw, sse, status
from tests.house.raw_client import eventually, request

LIMIT = {"max_response": "100B"}
ONCE = {"attempts": 1}
HEAD = "HTTP/1.1 200 OK\r\n"


def chunked(*pieces: bytes, kind: str = "text/plain", ends: bool = False):
    """An answer of a length that its head does not say; one that does not end cannot be known to be
    too large before it has begun, however its segments arrive."""

    async def script(turn) -> None:
        await turn.body()
        await turn.begin_chunked(f"Content-Type: {kind}")
        for piece in pieces:
            await turn.chunk(piece)
        if ends:
            await turn.end_chunked()
        else:
            await turn.gone()

    return script


async def test_an_answer_that_says_it_is_too_large_is_refused(upstream, house):
    house = await house(route=LIMIT)
    upstream.on("/", status(200, body=b"x" * 101), status(200, body=b"x" * 100))
    async with house.client() as client:
        refused = await client.get()
        passed = await client.get()
    event = await house.event_of(refused)

    assert (502, "response_too_large", "The answer was too long and was stopped.", False) == (
        refused.status, refused.json()["error"], refused.json()["message"],
        refused.json()["retryable"],
    )  # fmt: skip
    assert "error=http_response_body_size" in refused.header("Proxy-Status")
    assert ("response_too_large", "PS", "WARNING", 200, "101 bytes", 1) == tuple(
        event[name] for name in ("code", "term", "level", "upstream_status", "detail", "attempts")
    )
    assert (200, b"x" * 100) == (passed.status, passed.body)


async def test_its_connection_is_not_used_again(upstream, house):
    house = await house(route=LIMIT)
    upstream.on("/", status(200, body=b"x" * 101), status(200))
    assert 502 == (await house.fetch()).status
    await house.fetch()

    assert [0, 1] == [seen.connection for seen in upstream.seen]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(raw(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n65\r\n{'x' * 101}\r\n0\r\n\r\n"),
                     id="chunked"),
        pytest.param(raw(f"{HEAD}\r\n{'x' * 101}", then="close"), id="until it closes"),
    ],
)  # fmt: skip
async def test_no_more_than_the_limit_is_ever_passed_on(upstream, house, script):
    """Whether it is read to its end before its head goes out is up to the segments."""
    house = await house(route=LIMIT)
    upstream.on("/", script)
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert "response_too_large" == event["code"]
    if answer.status == 200:
        assert (b"x" * 100, True) == (answer.body, answer.end in ("cut", "reset"))
    else:
        assert (502, "response_too_large") == (answer.status, answer.json()["error"])


async def test_what_turns_out_to_be_too_large_is_cut(upstream, house):
    house = await house(route=LIMIT)
    upstream.on("/", chunked(b"a" * 60, b"b" * 60))
    async with house.client() as client:
        await client.send(request("GET", "/"))
        answer = await client.answer()
    event = await house.event_of(answer)

    assert (200, b"a" * 60 + b"b" * 40) == (answer.status, answer.body)
    assert answer.end in ("cut", "reset")
    assert ("response_too_large", "PS", 100, "over 100 bytes") == tuple(
        event[name] for name in ("code", "term", "bytes_out", "detail")
    )
    await eventually(lambda: upstream.connections[0].gone.is_set())


async def test_exactly_as_large_as_may_be_is_whole(upstream, house):
    house = await house(route=LIMIT)
    upstream.on("/", chunked(b"a" * 60, b"b" * 40, ends=True))
    answer = await house.fetch()

    assert (b"a" * 60 + b"b" * 40, "clean") == (answer.body, answer.end)
    assert "completed" == (await house.event_of(answer))["code"]


@pytest.mark.parametrize(
    ("kind", "event", "error"),
    [
        pytest.param("text/event-stream", "data: {}\n\n", b"event: error\ndata: ", id="events"),
        pytest.param("application/x-ndjson", '{{"a": "{}"}}\n', b'{"error":', id="lines"),
    ],
)
async def test_a_stream_is_told_so_inside_it(upstream, house, kind, event, error):
    house = await house(route=LIMIT)
    events = [event.format(str(n) * 30) for n in range(6)]
    upstream.on("/", chunked(*(each.encode() for each in events), kind=kind))
    answer = await house.fetch()
    recorded = await house.event_of(answer)
    passed, _, told = answer.body.partition(error)

    assert "".join(events[:2]).encode() == passed
    assert b"response_too_large" in told
    assert ("clean", True, 2) == (answer.end, recorded["inband_error"], recorded["events"])
    assert recorded["bytes_out"] <= 100


async def test_a_stream_that_was_held_counts_from_its_first_byte(upstream, house):
    house = await house(route=LIMIT | {"stream": {"hold_first_event": True}})
    has_head = asyncio.Event()

    async def script(turn) -> None:
        await turn.begin_chunked("Content-Type: text/event-stream")
        await turn.chunk(": " + "x" * 60 + "\n\n" + "data: " + "a" * 20 + "\n\nda")
        await has_head.wait()
        await turn.chunk("ta: " + "b" * 20 + "\n\n")

    upstream.on("/", script)
    passed = b""
    async with house.client() as client:
        await client.send(request("GET", "/"))
        head = await client.head()
        has_head.set()
        while piece := await client.chunk():
            passed += piece

    assert 200 == head.status
    assert b"data: aaaa" in passed
    assert b"data: bbbb" not in passed
    assert b'"error":"response_too_large"' in passed


async def test_a_stream_that_is_too_large_when_it_is_let_out_is_refused(upstream, house):
    house = await house(route=LIMIT | {"stream": {"hold_first_event": True}})
    upstream.on("/", sse("data: " + "a" * 200 + "\n\n", "data: b\n\n"))
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert (502, "response_too_large") == (answer.status, answer.json()["error"])
    assert "streamed" not in event


@pytest.mark.parametrize(
    ("method", "script"),
    [
        pytest.param("HEAD", raw(f"{HEAD}Content-Length: 1000\r\n\r\n"), id="HEAD"),
        pytest.param("GET", raw("HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n"),
                     id="304"),
    ],
)  # fmt: skip
async def test_what_has_no_body_is_not_judged(upstream, house, method, script):
    house = await house(route=LIMIT)
    upstream.on("/", script)
    answer = await house.fetch(method=method)

    assert ("1000", b"") == (answer.header("Content-Length"), answer.body)
    assert "completed" == (await house.event_of(answer))["code"]


async def test_what_is_compressed_counts_as_it_is_sent(upstream, house):
    house = await house(route=LIMIT)
    upstream.on("/", status(200, "Content-Encoding: gzip", body=b"\x1f\x8b" + b"x" * 98))

    assert 200 == (await house.fetch()).status


async def test_an_answer_kept_for_a_retry_counts_too(upstream, house):
    house = await house(route=LIMIT, retry={"attempts": 2})
    upstream.on("/", status(503, body=b"x" * 200))
    answer = await house.fetch()

    assert (502, "response_too_large", 2) == (
        answer.status, answer.json()["error"], len(upstream.seen),
    )  # fmt: skip


async def test_it_is_no_failure_of_the_upstream(upstream, house):
    house = await house(route=LIMIT, retry=ONCE, breaker={"consecutive": 1})
    upstream.on("/", status(200, body=b"x" * 101))
    await house.fetch()

    assert "closed" == await house.breaker()


async def test_the_story_says_the_limit_and_what_the_client_got(upstream, house):
    house = await house(route=LIMIT)
    upstream.on("/", status(200, body=b"x" * 101), chunked(b"a" * 60, b"b" * 60))
    told = []
    for _ in range(2):
        answer = await house.fetch()
        await house.event_of(answer)
        identity = answer.header("X-Request-ID")
        told += await stories(house.app.admin_port, identity)

    assert ["own_answer", "aborted"] == [story["client"]["got"] for story in told]
    for story in told:
        assert "was over the 100 bytes that the route all passes on" in story["diagnosis"]
        assert "response_too_large" == story["runbook"]


async def test_without_a_limit_any_size_passes(upstream, house):
    house = await house()
    upstream.on("/", status(200, body=b"x" * 1_000_000))

    assert 1_000_000 == len((await house.fetch()).body)


async def test_a_fallback_is_not_for_it(upstream, house):
    fallback = {"type": "application/json", "body": json.dumps({"message": "sorry"})}
    house = await house(route=LIMIT | {"fallback": fallback})
    upstream.on("/", status(200, body=b"x" * 101))

    assert 502 == (await house.fetch()).status
