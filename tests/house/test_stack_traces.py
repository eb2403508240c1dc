"""Never a stack trace: an upstream in debug mode does not tell the world its code."""

import asyncio
import gzip

import pytest

from tests.house.admin import stories
from tests.house.fault_upstream import status
from tests.house.raw_client import RawClient, request
from tests.observation.test_stack_traces import EXPRESS, GO, JAVA, PYTHON, SECRET

PLACE = "KeyError at app/store.py:12:load"
PAGE = b"<h1>502 Bad Gateway</h1>"


def in_pieces(*pieces: str | float):
    """A chunked error page; a number is a pause."""

    async def script(turn):
        await turn.body()
        await turn.begin_chunked("Content-Type: text/plain", status=500)
        for piece in pieces:
            if isinstance(piece, float):
                await asyncio.sleep(piece)
            else:
                await turn.chunk(piece)
        await turn.end_chunked()

    return script


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(status(500, body=PYTHON.encode()), id="with its length"),
        pytest.param(in_pieces(PYTHON[:60], 0.01, PYTHON[60:]), id="in pieces"),
        pytest.param(in_pieces(PYTHON, *["more\n" * 2000] * 20), id="a long page"),
        pytest.param(in_pieces(PYTHON, 30.0), id="a page that does not end"),
        pytest.param(status(500, "Content-Encoding: identity", body=PYTHON.encode()), id="plain"),
    ],
)
async def test_a_trace_is_replaced_and_its_place_kept(upstream, house, script):
    house = await house()
    upstream.on("/", script)
    answer = await house.fetch("/")
    event = await house.event_of(answer)
    (story,) = await stories(house.app.admin_port, event["request_id"])

    assert (500, "upstream_error", "clean") == (
        answer.status,
        answer.json()["error"],
        answer.end,
    )
    assert f"its body carried a stack trace: {PLACE}" == event["detail"]
    assert PLACE in story["diagnosis"]
    assert "own_answer" == story["client"]["got"]
    assert SECRET not in str(house.events) + str(story) + answer.head.decode()
    assert SECRET.encode() not in answer.body


@pytest.mark.parametrize("page", [JAVA, GO, EXPRESS])
async def test_whatever_language_it_is(upstream, house, page):
    house = await house()
    upstream.on("/", status(500, body=page.encode()))

    assert "upstream_error" == (await house.fetch("/")).json()["error"]


@pytest.mark.parametrize("code", [502, 503])
async def test_what_was_kept_for_a_retry_is_looked_at_too(upstream, house, code):
    house = await house()
    upstream.on("/", status(code, "Retry-After: 0", body=PYTHON.encode()))
    answer = await house.fetch("/")

    assert (code, 3, 1) == (answer.status, len(upstream.seen), answer.json()["retry_after"])
    assert SECRET.encode() not in answer.body


COMPRESSED = gzip.compress(PYTHON.encode())


@pytest.mark.parametrize(
    ("script", "method", "body"),
    [
        pytest.param(status(500, body=PAGE), "GET", PAGE, id="any other page"),
        pytest.param(status(400, body=PYTHON.encode()), "GET", PYTHON.encode(), id="no 5xx"),
        pytest.param(
            status(500, "Content-Encoding: gzip", body=COMPRESSED), "GET", COMPRESSED,
            id="compressed",
        ),
        pytest.param(in_pieces("one\n", "two\n"), "GET", b"one\ntwo\n", id="in pieces"),
    ],
)  # fmt: skip
async def test_everything_else_passes_as_sent(upstream, house, script, method, body):
    house = await house()
    upstream.on("/", script)
    answer = await house.fetch("/", method=method)
    event = await house.event_of(answer)

    assert (body, "clean", None) == (answer.body, answer.end, answer.header("X-Sidelight-Error"))
    assert "detail" not in event


async def test_the_head_alone_passes_as_sent(upstream, house):
    house = await house()
    upstream.on("/", status(500, body=b""))
    answer = await house.fetch("/", method="HEAD")

    assert (500, None) == (answer.status, answer.header("X-Sidelight-Error"))


async def test_a_stream_of_events_passes_as_sent(upstream, house):
    house = await house()
    event = "data: " + PYTHON.replace("\n", "\ndata: ") + "\n\n"
    upstream.on("/", _failing_stream(event))
    answer = await house.fetch("/")

    assert (500, event.encode()) == (answer.status, answer.body)


def _failing_stream(event: str):
    async def script(turn):
        await turn.body()
        await turn.begin_chunked("Content-Type: text/event-stream", status=500)
        await turn.chunk(event)
        await turn.end_chunked()

    return script


async def test_a_slow_page_is_held_only_for_a_moment(upstream, house):
    house = await house()
    upstream.on("/", in_pieces("one\n", 3.0, "two\n"))
    async with RawClient(house.port) as client:
        await client.send(request("GET", "/"))
        head = await client.head()
        first = await client.chunk(patience=2.5)

    assert (500, b"one\n") == (head.status, first)


async def test_a_page_that_breaks_is_broken_off_as_ever(upstream, house):
    async def breaks(turn):
        await turn.send("HTTP/1.1 500 X\r\nContent-Length: 100\r\n\r\nhalf")
        turn.close()

    house = await house()
    upstream.on("/", breaks)
    answer = await house.fetch("/", method="POST")
    event = await house.event_of(answer)

    assert (500, b"half") == (answer.status, answer.body)
    assert "clean" != answer.end
    assert "stream_truncated" == event["code"]


@pytest.mark.parametrize(
    ("mode", "page", "masked"),
    [
        pytest.param("never", PYTHON, False, id="never"),
        pytest.param(False, PYTHON, False, id="false is never"),
        pytest.param("traces", PYTHON, True, id="traces"),
        pytest.param("always", "words", True, id="always"),
        pytest.param(True, "words", True, id="true is always"),
    ],
)
async def test_the_option(upstream, house, mode, page, masked):
    house = await house(route={"mask_upstream_errors": mode})
    upstream.on("/", status(500, body=page.encode()))
    answer = await house.fetch("/")

    assert masked == (answer.header("X-Sidelight-Error") == "upstream_error")
    assert masked == (answer.body != page.encode())
