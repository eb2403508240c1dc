"""Answers of an upstream that never end in something that is no body: each is cut by its limit."""

import pytest

from tests.house.fault_upstream import Turn

BEGUN = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = "9\r\ndata: 1\n\n\r\n"
ENDLESS = {
    "interim heads": ("", "HTTP/1.1 103 Early\r\nA: b\r\n\r\n", "upstream_protocol_error"),
    "interim heads of a 100": ("", "HTTP/1.1 100 Continue\r\n\r\n", "upstream_protocol_error"),
    "header lines": ("HTTP/1.1 200 OK\r\n", "A: b\r\n", "upstream_headers_too_large"),
    "chunk extensions": (BEGUN + EVENT + "1;", "a=b;", "stream_malformed"),
    "trailers": (BEGUN + EVENT + "0\r\n", "A: b\r\n", "stream_malformed"),
    "comments": (BEGUN + EVENT, "3\r\n:\n\n\r\n", "stream_max_duration"),
}
"""What it begins with, what it repeats, and how it ends."""


@pytest.mark.parametrize("what", ENDLESS)
async def test_an_answer_without_an_end_is_cut(upstream, house, what):
    begin, piece, code = ENDLESS[what]
    house = await house(timeouts={"max_stream": "300ms"}, retry={"attempts": 1})

    async def script(turn: Turn) -> None:
        await turn.send(begin)
        while True:
            await turn.send(piece * 2000)

    upstream.on("/", script)
    async with house.client() as client:
        await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        answer = await client.answer()
    event = await house.event_of(answer)

    assert code == event["code"]
    await upstream.connections[0].gone.wait()
