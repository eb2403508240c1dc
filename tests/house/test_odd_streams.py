"""Streams that are not as the book says, over real sockets: what arrives when, and what is said."""

import asyncio
import json

import pytest

from tests.house.fault_upstream import status
from tests.house.raw_client import RawClient, request
from tests.house.streams import NDJSON, SSE, stream, the_error

ONE, TWO, PING = "data: one\n\n", "data: two\n\n", ": ping\n\n"
LARGE = "data: " + "x" * 70_000
STRICT = {"stream": {"end_marker": {"mode": "strict", "data": "[DONE]"}}}
SHORT = {"first_event": "400ms", "gap": "2s"}


async def arrives(client, *pieces: str) -> None:
    """Each piece as a chunk, without the next one having been sent."""
    for piece in pieces:
        assert piece.encode() == await client.chunk(2)


@pytest.mark.parametrize(
    ("kind", "tokens"),
    [
        pytest.param(SSE, ("Hel", "lo", " world", "."), id="plain tokens"),
        pytest.param(SSE, ('0:"Hel"\n', '0:"lo"\n', 'd:{"reason":"stop"}\n'), id="numbered lines"),
        pytest.param(SSE, ('{"text":', '"a"}\n', '{"text":"b"}\n'), id="lines of JSON"),
        pytest.param("application/x-own", ("\0\1", "\2"), id="a type that is listed"),
    ],
)
async def test_what_is_no_event_goes_on_at_once_and_counts_as_data(upstream, house, kind, tokens):
    house = await house(timeouts=SHORT, route={"stream": {"types": ["application/x-own"]}})
    sent = asyncio.Event()

    async def script(turn):
        await turn.begin_chunked(f"Content-Type: {kind}")
        for token in tokens:
            await turn.chunk(token)
            await sent.wait()
            sent.clear()
        await asyncio.sleep(0.6)  # longer than the first event may take
        await turn.end_chunked()

    upstream.on("/", script)
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await client.head()
        for token in tokens:
            await arrives(client, token)
            sent.set()
        await client.rest(2)
    event = await house.event()

    assert ("completed", True) == (event["code"], event["streamed"])
    assert "first_event_ms" in event
    assert "events" not in event


@pytest.mark.parametrize(
    ("steps", "intact"),
    [
        pytest.param(("Hello", " wor"), "Hello wor", id="tokens"),
        pytest.param(('0:"a"\n', '0:"b"\n'), '0:"a"\n0:"b"\n', id="lines"),
        pytest.param(("Hello\n\n",), "Hello\n\n", id="a paragraph"),
    ],
)
@pytest.mark.parametrize("then", ["cut", "reset"])
async def test_where_no_event_was_ever_seen_a_cut_aborts(upstream, house, steps, intact, then):
    house = await house()
    upstream.on("/", stream(*steps, then=then))
    answer = await house.fetch()

    assert answer.end in ("cut", "reset")
    assert intact == answer.body.decode()


async def test_behind_an_event_and_lines_that_are_none_the_error_is_said(upstream, house):
    house = await house()
    upstream.on("/", stream(ONE, '0:"a"\n', then="cut"))
    answer = await house.fetch()

    assert ("clean", "stream_truncated") == (answer.end, the_error(answer)["error"])
    assert answer.body.decode().startswith(ONE + '0:"a"\n\nevent: error\n')


async def test_behind_what_is_no_event_the_framing_is_back(upstream, house):
    house = await house()
    upstream.on("/", stream("Hello", 0.02, "\n\ndata: one\n\ndata: ha", then="cut"))
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert answer.body.decode().startswith("Hello\n\n" + ONE + "event: error\n")
    assert (1, True) == (event["events"], event["inband_error"])


async def test_whole_lines_go_on_after_a_while_and_an_unfinished_one_never(upstream, house):
    house = await house(timeouts={"gap": "5s"})
    goes_on = asyncio.Event()

    async def script(turn):
        await turn.begin_chunked(f"Content-Type: {SSE}")
        await turn.chunk("id: 1\ndata: a\ndata: b")
        await goes_on.wait()
        await turn.chunk("c\n\n")
        await turn.end_chunked()

    upstream.on("/", script)
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await client.head()
        began = asyncio.get_running_loop().time()
        await arrives(client, "id: 1\ndata: a\n")
        took = asyncio.get_running_loop().time() - began
        with pytest.raises(TimeoutError):
            await client.chunk(0.4)
        goes_on.set()
        await arrives(client, "data: bc\n\n")

    assert took > 0.2
    assert 1 == (await house.event())["events"]


async def test_at_a_cut_an_unfinished_line_is_dropped_and_the_event_closed(upstream, house):
    house = await house()
    upstream.on("/", stream("data: a\ndata: b", 0.6, then="cut"))
    answer = await house.fetch()

    assert answer.body.decode().startswith("data: a\n\nevent: error\n")
    assert "stream_truncated" == the_error(answer)["error"]


async def test_behind_an_event_in_pieces_everything_works_as_before(upstream, house):
    """End marker, heartbeat, count and the error inside the stream."""
    house = await house(route={"stream": {"heartbeat": "40ms", **STRICT["stream"]}})
    upstream.on("/", stream(LARGE, 0.02, "x\n\n", ONE, 0.15, TWO))
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert answer.body.decode().startswith(LARGE + "x\n\n" + ONE)
    assert b": keep-alive\n" in answer.body
    assert ("end marker missing", 3, True) == (
        event["detail"], event["events"], event["inband_error"],
    )  # fmt: skip


async def test_behind_an_event_in_pieces_the_event_gap_counts(upstream, house):
    house = await house(timeouts={"event_gap": "150ms", "gap": "5s"})
    upstream.on("/", stream(LARGE, 0.02, "x\n\n", *[0.05, PING] * 40))
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert "stream_stalled" == event["code"]
    assert event["detail"].startswith("event_gap")


async def test_an_event_in_pieces_that_is_cut_within_a_line_aborts(upstream, house):
    house = await house()
    upstream.on("/", stream(ONE, LARGE, 0.05, then="cut"))

    assert (await house.fetch()).end in ("cut", "reset")


@pytest.mark.parametrize("kind", ["application/jsonl", "application/json-seq", NDJSON])
async def test_behind_a_large_line_the_next_ones_are_whole(upstream, house, kind):
    house = await house()
    lead = "\x1e" if kind.endswith("seq") else ""
    large = lead + json.dumps({"a": "x" * 70_000}) + "\n"
    upstream.on("/", stream(large[:66_000], 0.02, large[66_000:], lead + '{"b"', then="cut",
                            kind=kind))  # fmt: skip
    answer = await house.fetch()
    last = answer.body.decode().removeprefix(large)

    assert "stream_truncated" == json.loads(last.removeprefix(lead))["error"]
    assert last.startswith(lead)


@pytest.mark.parametrize("code", [400, 422, 500])
async def test_an_error_page_labelled_as_a_stream_passes_untouched(upstream, house, code):
    house = await house(route={**STRICT, "retry": {"attempts": 1}})
    page = b'{"error": {"message": "no such model"}}'
    upstream.on("/", status(code, f"Content-Type: {SSE}", body=page))
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert (code, page, "clean") == (answer.status, answer.body, answer.end)
    assert "upstream_error" == event["code"]


async def test_a_tail_that_is_no_whole_event_is_passed_on_at_a_clean_end(upstream, house):
    house = await house()
    upstream.on("/", stream(ONE, "data: tail\n"))
    answer = await house.fetch()

    assert (ONE + "data: tail\n", "clean") == (answer.body.decode(), answer.end)
    assert "completed" == (await house.event_of(answer))["code"]


OWN = {
    "a named event": (SSE, 'event: error\ndata: {"code": "overloaded"}\n\n'),
    "data": (SSE, 'data: {"error": {"message": "x", "type": "server_error"}}\n\n'),
    "a type": (SSE, 'data: {"type":"error","text":"x"}\n\n'),
    "no event": (SSE, '{"error": "x"}\n'),
    "a line": (NDJSON, '{"error":"x"}\n'),
    "a last line": (NDJSON, '{"error":"x"}'),
}


@pytest.mark.parametrize(("kind", "said"), OWN.values(), ids=OWN)
async def test_the_upstreams_own_error_is_recorded_and_not_a_byte_changed(
    upstream, house, kind, said
):
    house = await house(breaker={"consecutive": 1}, route=STRICT)
    first = '{"n": 1}\n' if kind == NDJSON else ONE
    upstream.on("/", stream(first, said, kind=kind))
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert ((first + said).encode(), "clean") == (answer.body, answer.end)
    assert ("stream_error", "US", "ERROR") == (event["code"], event["term"], event["level"])
    assert "closed" == await house.breaker()


async def test_the_upstreams_own_errors_open_the_circuit_by_their_share(upstream, house):
    house = await house(breaker={"consecutive": 99, "min_attempts": 4})
    upstream.on("/", stream(*["data: one\n\n", OWN["a named event"][1]]))
    for _ in range(4):
        await house.event_of(await house.fetch())

    assert "open" == await house.breaker()


@pytest.mark.parametrize(
    "said", ['data: {"error": null}\n\n', 'data: {"text": "an \\"error\\": no"}\n\n']
)
async def test_what_only_talks_of_errors_is_none(upstream, house, said):
    house = await house()
    upstream.on("/", stream(ONE, said))

    assert "completed" == (await house.event_of(await house.fetch()))["code"]


@pytest.mark.parametrize("steps", [(), (PING,), ("event: x\n\n",)])
async def test_a_stream_without_one_event_is_empty_and_nobodys_failure(upstream, house, steps):
    house = await house(breaker={"consecutive": 1})
    upstream.on("/", stream(*steps))
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert ("".join(steps), "clean") == (answer.body.decode(), answer.end)
    assert ("stream_empty", "WARNING") == (event["code"], event["level"])
    assert "closed" == await house.breaker()


async def test_until_the_first_event_its_clock_alone_counts(upstream, house):
    house = await house(timeouts={"first_event": "2s", "gap": "100ms"})
    upstream.on("/", stream(0.3, ONE))
    answer = await house.fetch()

    assert ONE.encode() == answer.body
    assert "completed" == (await house.event_of(answer))["code"]


async def test_the_event_gap_is_kept_where_the_first_event_came_after_the_head(upstream, house):
    """The sleeping read had been told to wait for the first event, which may take long."""
    house = await house(timeouts={"first_event": "20s", "gap": "20s", "event_gap": "150ms"})
    upstream.on("/", stream(0.1, ONE, then="silent"))
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert ("stream_stalled", "event_gap") == (event["code"], event["detail"][:9])
    assert 240 < event["duration_ms"] < 5000


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(stream(*["data: " + "x" * 65528 + "\n\n"] * 400), id="a stream"),
        pytest.param(stream(*["x" * 65536] * 400, kind="text/plain"), id="no stream"),
    ],
)
async def test_where_max_stream_ends_an_answer_that_is_its_code(upstream, house, script):
    """Whoever was waited for: here it is a client that does not read."""
    house = await house(timeouts={"client_write": "20s", "max_stream": "300ms"})
    upstream.on("/", script)
    async with RawClient(house.port, read_ahead=1024) as client:
        await client.send(request("GET", "/"))
        await client.head()
        event = await house.event()

    assert ("stream_max_duration", "PS") == (event["code"], event["term"])
    assert 280 < event["duration_ms"] < 10_000
