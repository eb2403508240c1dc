"""Streams to order, and a reader that takes an event stream apart as a browser would."""

import asyncio
import gzip
import json
from typing import Any, Literal

from tests.house.fault_upstream import Script, Turn
from tests.house.raw_client import Answer

Then = Literal["end", "cut", "reset", "malformed", "silent", "close"]

SSE = "text/event-stream"
NDJSON = "application/x-ndjson"
BEFORE_RST = 0.03
"""RST overtakes bytes that were not yet read."""


def stream(
    *steps: str | bytes | float, kind: str = SSE, headers: tuple[str, ...] = (), then: Then = "end"
) -> Script:
    """A chunked stream: text is sent as one chunk, a number is a pause in seconds."""

    async def script(turn: Turn) -> None:
        await turn.body()
        await turn.begin_chunked(f"Content-Type: {kind}", *headers)
        for step in steps:
            if isinstance(step, float | int):
                await asyncio.sleep(step)
            else:
                await turn.chunk(step)
        await finish(turn, then)

    return script


async def finish(turn: Turn, then: Then) -> None:
    match then:
        case "end":
            await turn.end_chunked()
        case "cut" | "close":
            turn.close()
        case "reset":
            await turn.connection.arrived()
            await asyncio.sleep(BEFORE_RST)
            turn.reset()
        case "malformed":
            await turn.send("zz\r\nno chunk\r\n")
            await turn.gone()
        case "silent":
            await turn.gone(60)


def announced(text: str, *, of: int, then: Then, kind: str = SSE) -> Script:
    """`text`, the beginning of a stream of `of` bytes."""

    async def script(turn: Turn) -> None:
        await turn.body()
        await turn.send(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {of}\r\n\r\n")
        await turn.send(text)
        await finish(turn, then)

    return script


def compressed(*events: str, then: Then) -> Script:
    """Each event is gzip of its own, as an upstream that flushes would send it."""
    pieces = [gzip.compress(event.encode()) for event in events]
    steps = [step for piece in pieces for step in (piece, 0.01)]
    return stream(*steps, headers=("Content-Encoding: gzip",), then=then)


def errors_of(answer: Answer) -> list[dict[str, Any]]:
    """The data of every `event: error` in a stream that stands between whole events."""
    blocks = answer.body.decode().split("\n\n")
    assert "" == blocks[-1], f"ends within an event: {blocks[-1]!r}"
    found = []
    for block in blocks:
        rows = block.split("\n")
        if "event: error" in rows:
            found += [json.loads(row[6:]) for row in rows if row.startswith("data: ")]
    return found


def the_error(answer: Answer, form: str = "sse") -> dict[str, Any]:
    """The one error at the very end of the stream, in the form of that profile."""
    match form:
        case "sse":
            (error,) = errors_of(answer)
        case "openai":
            error = json.loads(answer.body.decode().split("\n\n")[-2].removeprefix("data: "))
            error = error["error"]
            error["error"] = error.pop("code")
        case _:
            error = json.loads(answer.body.splitlines()[-1])
    return error
