"""The harness itself, without a proxy in between: a scene is worth what its witness is worth."""

import asyncio
import hashlib

import pytest

from tests.house import fault_upstream as faults
from tests.house.raw_client import CutShortError, RawClient, eventually, fetch, request

CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_upstream_records_the_exact_bytes(upstream):
    sent = b"POST /a%2F?x HTTP/1.1\r\nhost: h\r\nX-a: 1\r\nx-A:  2 \r\nContent-Length: 3\r\n\r\nabc"
    async with RawClient(upstream.port) as client:
        await client.send(sent[:40], sent[40:])
        answer = await client.answer()

    seen = upstream.seen[0]
    assert sent == bytes(upstream.connections[0].received)
    assert ("/a%2F?x", ["1", "2"], b"abc", True) == (
        seen.target,
        seen.all("x-a"),
        seen.body,
        seen.whole,
    )
    assert (200, "clean", "abc") == (answer.status, answer.end, answer.json()["body"])


async def test_scripts_play_in_turn(upstream):
    upstream.on("/", faults.status(503), faults.status(200))
    async with RawClient(upstream.port) as client:
        got = [(await client.get("/")).status for _ in range(3)]

    assert [503, 200, 200] == got


@pytest.mark.parametrize(
    ("script", "framing", "body", "end"),
    [
        pytest.param(
            faults.raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", then="close"),
            "length", b"ab", "cut",
            id="a short body is cut",
        ),
        pytest.param(
            faults.raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "ab", then="reset"),
            "length", b"", "reset",
            id="a reset is a reset",
        ),
        pytest.param(
            faults.raw("HTTP/1.1 200 OK\r\n\r\nabc", then="close"),
            "close", b"abc", "clean",
            id="a body until close ends by close",
        ),
        pytest.param(
            faults.raw(f"{CHUNKED}1\r\n", "a\r\n", "0\r\n\r\n"),
            "chunked", b"a", "clean",
            id="chunks end with the last chunk",
        ),
        pytest.param(
            faults.raw("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 N\r\n\r\n"),
            "none", b"", "clean",
            id="an interim answer is read over",
        ),
    ],
)  # fmt: skip
async def test_client_says_how_an_answer_ended(upstream, script, framing, body, end):
    upstream.on("/", script)
    answer = await fetch(upstream.port)

    assert (framing, end) == (answer.framing, answer.end)
    assert body == answer.body or end == "reset"


async def test_no_head_is_cut_short(upstream):
    upstream.on("/", faults.reset_before_head)
    with pytest.raises(CutShortError) as caught:
        await fetch(upstream.port)

    assert "reset" == caught.value.end


async def test_refused_port_opens_again_on_the_same_number(upstream):
    port = upstream.port
    await upstream.refuse()
    with pytest.raises(ConnectionRefusedError):
        await fetch(port)
    await upstream.open()

    assert (port, 200) == (upstream.port, (await fetch(port)).status)


async def test_upstream_notices_that_the_client_left(upstream):
    upstream.on("/", faults.never)
    async with RawClient(upstream.port) as client:
        await client.send(request("GET", "/"))
        await eventually(lambda: upstream.seen)
    async with asyncio.timeout(1):
        await upstream.connections[0].gone.wait()


@pytest.mark.parametrize(
    "bad",
    [
        "GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX : 1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;x\r\na\r\n0\r\n\r\n",
    ],
)
async def test_upstream_calls_doubtful_bytes_malformed(upstream, bad):
    async with RawClient(upstream.port) as client:
        await client.send(bad)
        with pytest.raises(CutShortError):
            await client.answer()

    assert 1 == len(upstream.malformed)
    upstream.malformed.clear()


async def test_download_digest_is_that_of_the_bytes(upstream):
    upstream.on("/", faults.download(300_001))
    answer = await fetch(upstream.port)

    assert faults.pattern_digest(300_001) == hashlib.sha256(answer.body).hexdigest()
