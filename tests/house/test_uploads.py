"""Bodies of requests go up as they come, and are kept so that they can be sent again."""

import asyncio
import signal

import pytest

from proxy.upstream.ending import CLIENT_IS_LATE
from tests.house.fault_upstream import echo, status
from tests.house.raw_client import PATIENCE, RawClient, eventually, request

BODY = bytes(range(48, 78)) * 3
FIRST, REST = BODY[:10], BODY[10:]
GOOD = status(200)


class Pieces:
    """A body as the wire has it, in two parts."""

    def __init__(self, kind: str, first: bytes = FIRST, rest: bytes = REST) -> None:
        if kind == "chunked":
            self.line = "Transfer-Encoding: chunked"
            self.first = b"%x\r\n%b\r\n" % (len(first), first)
            self.rest = b"%x\r\n%b\r\n0\r\n\r\n" % (len(rest), rest)
        else:
            self.line = f"Content-Length: {len(first) + len(rest)}"
            self.first, self.rest = first, rest

    def head(self, method: str, *lines: str) -> bytes:
        return request(method, "/", self.line, *lines)


@pytest.fixture(params=["announced", "chunked"])
def pieces(request) -> Pieces:
    return Pieces(request.param)


def after_some(then, size: int = len(FIRST)):
    """Read so much of the body, and then go on as `then`."""

    async def script(turn):
        got = b""
        async for data in turn.pieces():
            got += data
            if len(got) >= size:
                break
        await then(turn)

    return script


async def refuse(turn):
    await turn.answer(503, "Connection: close", body=b"busy")
    turn.close()


async def reset(turn):
    turn.reset()


async def close(turn):
    turn.close()


async def lose_patience(turn):
    """Close, once the client has clearly not sent more."""
    await asyncio.sleep(3 * CLIENT_IS_LATE)
    turn.close()


def attempt_is_over(house, n: int = 1):
    """Whether the upstream's connections are gone, so that the next attempt may begin."""
    return lambda: sum(each.gone.is_set() for each in house.upstream.connections) >= n


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_small_body_is_not_waited_for(upstream, house, pieces, method):
    house = await house()
    async with house.client() as client:
        await client.send(pieces.head(method) + pieces.first)
        await eventually(lambda: upstream.seen and FIRST in upstream.connections[0].received)
        assert REST not in upstream.connections[0].received
        await client.send(pieces.rest)
        answer = await client.answer()

    assert (200, BODY.decode()) == (answer.status, answer.json()["body"])
    assert 1 == len(upstream.seen)


def asks(*lines: str, method: str = "POST", version: str = "1.1") -> str:
    return "\r\n".join([f"{method} / HTTP/{version}", "Host: h", *lines, "", ""])


@pytest.mark.parametrize(
    ("head", "segments"),
    [
        pytest.param(asks("Content-Length: 4"), ["body"], id="behind the head"),
        pytest.param(asks("Content-Length: 4"), list("body"), id="byte by byte"),
        pytest.param(
            asks("Transfer-Encoding: chunked"),
            list("2\r\nbo\r\n2;x=y\r\ndy\r\n0\r\nT: u\r\n\r\n"),
            id="chunks byte by byte",
        ),
        pytest.param(asks("Content-Length: 4", method="GET"), ["bo", "dy"], id="a GET"),
        pytest.param(asks("Content-Length: 4", version="1.0"), ["bo", "dy"], id="HTTP/1.0"),
        pytest.param(
            asks("Content-Length: 4", "Expect: 100-continue"), ["bo", "dy"], id="without our word"
        ),
    ],
)
async def test_however_a_body_comes_the_upstream_gets_it(upstream, house, head, segments):
    house = await house()
    async with house.client() as client:
        await client.send(head, *segments)
        answer = await client.answer()

    assert (200, "body") == (answer.status, answer.json()["body"])
    assert 4 == (await house.event_of(answer))["bytes_in"]


async def test_what_follows_a_body_that_dripped_is_the_next_request(upstream, house, pieces):
    house = await house()
    async with house.client() as client:
        await client.send(pieces.head("POST") + pieces.first, pieces.rest + request("GET", "/next"))
        bodies = [(await client.answer()).json()["body"] for _ in range(2)]

    assert [BODY.decode(), ""] == bodies
    assert ["/", "/next"] == [seen.target for seen in upstream.seen]


async def test_an_upload_goes_on_while_we_drain(upstream, process, pieces):
    running = await process(drain={"readiness_delay": "0s", "limit": "20s"})
    async with RawClient(running.port) as client:
        await client.send(pieces.head("POST") + pieces.first)
        await eventually(lambda: upstream.seen)
        running.tell(signal.SIGTERM)
        await eventually(lambda: running.events("drain_began"))
        await client.send(pieces.rest)
        answer = await client.answer()

    assert (200, BODY.decode()) == (answer.status, answer.json()["body"])


@pytest.mark.parametrize(
    "broken",
    [refuse, reset, close, lose_patience],
    ids=["503", "reset", "closed", "not waited for"],
)
async def test_what_breaks_in_mid_upload_is_tried_again_with_the_whole_body(
    upstream, house, pieces, broken
):
    house = await house()
    upstream.on("/", after_some(broken), echo)
    async with house.client() as client:
        await client.send(pieces.head("PUT") + pieces.first)
        await eventually(attempt_is_over(house))
        await client.send(pieces.rest)
        answer = await client.answer()
        again = await client.get()
    event = await house.event_of(answer)

    assert (200, BODY.decode(), 2) == (answer.status, answer.json()["body"], event["attempts"])
    assert len(BODY) == event["bytes_in"]
    assert 200 == again.status, "the connection goes on"


@pytest.mark.parametrize("broken", [refuse, reset], ids=["503", "reset"])
async def test_what_may_not_be_repeated_is_answered_at_once(upstream, house, pieces, broken):
    house = await house()
    upstream.on("/", after_some(broken), echo)
    async with house.client() as client:
        await client.send(pieces.head("POST") + pieces.first)
        answer = await client.answer()
    event = await house.event_of(answer)

    assert (503 if broken is refuse else 502, 1) == (answer.status, len(upstream.seen))
    assert "not_idempotent" == event["retry_stopped"]


@pytest.mark.parametrize("broken", [refuse, reset], ids=["503", "reset"])
async def test_a_body_that_becomes_too_large_to_be_kept_is_not_repeated(upstream, house, broken):
    house = await house(retry={"replay_body": "50B"})
    pieces = Pieces("chunked")
    upstream.on("/", after_some(broken), echo)
    async with house.client() as client:
        await client.send(pieces.head("PUT") + pieces.first)
        await eventually(attempt_is_over(house))
        await client.send(pieces.rest)
        answer = await client.answer()
    event = await house.event_of(answer)

    assert (503 if broken is refuse else 502, 1) == (answer.status, len(upstream.seen))
    assert "body_not_replayable" == event["retry_stopped"]


@pytest.mark.parametrize("broken", [refuse, reset], ids=["503", "reset"])
async def test_a_body_that_is_announced_too_large_is_not_read_on(upstream, house, broken):
    house = await house(retry={"replay_body": "50B"})
    pieces = Pieces("announced")
    upstream.on("/", after_some(broken), echo)
    async with house.client() as client:
        await client.send(pieces.head("PUT") + pieces.first)
        answer = await client.answer()
    event = await house.event_of(answer)

    assert 503 if broken is refuse else 502 == answer.status
    assert "body_not_replayable" == event["retry_stopped"]


@pytest.mark.parametrize(
    ("broken", "given"),
    [
        pytest.param(refuse, (503, "upstream_error"), id="the answer that there is"),
        pytest.param(reset, (408, "request_timeout"), id="the client's own failure"),
    ],
)
async def test_a_client_that_does_not_send_the_rest_is_given(
    upstream, house, pieces, broken, given
):
    house = await house(timeouts={"request_body_gap": "700ms"})
    upstream.on("/", after_some(broken), echo)
    async with house.client() as client:
        await client.send(pieces.head("PUT") + pieces.first)
        answer = await client.answer()
    event = await house.event_of(answer)

    assert given == (answer.status, event["code"])
    assert 1 == len(upstream.seen)
    assert "closed" == await house.breaker()


async def test_a_body_that_was_waited_for_can_be_repeated(upstream, house, pieces):
    house = await house()
    upstream.on("/", status(503), echo)
    async with house.client() as client:
        await client.send(pieces.head("PUT", "Expect: 100-continue"))
        await client.until(b"100 Continue\r\n\r\n")
        await client.send(pieces.first, pieces.rest)
        answer = await client.answer()
    event = await house.event_of(answer)

    assert (200, [], BODY.decode()) == (answer.status, answer.interim, answer.json()["body"])
    assert ("status_5xx", "ok") == event["attempt_results"]


async def test_what_a_stale_connection_took_of_a_body_is_sent_again(upstream, house, pieces):
    """It is proven that the upstream read none of it: whatever the method, the rest follows."""
    house = await house()
    await house.fetch()
    house.lose_kept_connections()
    async with house.client() as client:
        await client.send(pieces.head("POST") + pieces.first)
        await eventually(lambda: len(upstream.seen) == 2)
        await eventually(lambda: FIRST in upstream.connections[1].received)
        await client.send(pieces.rest)
        answer = await client.answer()
    event = await house.event_of(answer)

    assert (200, BODY.decode()) == (answer.status, answer.json()["body"])
    assert ("stale_connection", "ok") == event["attempt_results"]


async def test_an_upload_without_an_end_leaves_the_next_probe_its_turn(upstream, house, pieces):
    house = await house(breaker={"consecutive": 1, "cool_down": "50ms", "jitter": 0.0})
    upstream.on("/bad", reset)
    await house.fetch("/bad")
    await asyncio.sleep(0.06)
    async with house.client() as client:
        await client.send(pieces.head("POST") + pieces.first)
        await eventually(lambda: len(upstream.seen) == 2)
        assert "half_open" == await house.breaker()
        answer = await house.fetch()

        assert (200, "closed") == (answer.status, await house.breaker())


async def test_a_whole_upload_may_be_given_a_limit(upstream, house, pieces):
    """However steadily it comes; nobody but the client is to blame."""
    house = await house(timeouts={"request_body": "700ms"}, breaker={"consecutive": 1})
    async with house.client() as client:
        await client.send(pieces.head("PUT") + pieces.first)
        answering = asyncio.ensure_future(client.answer(patience=2 * PATIENCE))
        dripping = iter(REST[:-1])
        while not answering.done() and (byte := next(dripping, None)) is not None:
            await client.send(b"1\r\n%c\r\n" % byte if "chunked" in pieces.line else bytes([byte]))
            await asyncio.sleep(0.05)
        answer = await answering
    event = await house.event_of(answer)

    assert (408, "request_timeout") == (answer.status, event["code"])
    assert event["detail"].startswith("request_body")
    assert "closed" == await house.breaker()
