"""Streams told truthfully: every way one can end, over real sockets.

What the reader was told, what the upstream saw, what the event and the metrics say.
"""

import asyncio
import socket
from dataclasses import dataclass, field
from typing import Any

import pytest

from proxy.client.protocol import ClientProtocol
from tests.house.fault_upstream import Script, echo, status
from tests.house.raw_client import RawClient, eventually, request
from tests.house.streams import (
    NDJSON,
    SSE,
    announced,
    compressed,
    stream,
    the_error,
)

ONE, TWO, PING = "data: one\n\n", "data: two\n\n", ": ping\n\n"
HOLD = {"stream": {"hold_first_event": True}}
MARKED = {"mode": "strict", "data": "[DONE]"}


@dataclass(frozen=True)
class Broken:
    """A stream that breaks, and what must follow. `intact` is what arrives before the error."""

    script: Script
    code: str
    term: str
    intact: str = ONE
    timeouts: dict[str, str] = field(default_factory=dict)
    stream: dict[str, Any] = field(default_factory=dict)
    level: str = "ERROR"
    breaker: str = "open"
    detail: str = ""


def broken(name: str, script: Script, code: str, term: str, **rest: Any):
    return pytest.param(Broken(script, code, term, **rest), id=name)


BROKEN = [
    broken(
        "silence", stream(ONE, then="silent"), "stream_stalled", "uS",
        timeouts={"gap": "80ms"}, detail="gap: no byte for 0.08 s",
    ),
    broken(
        "comments where events should be", stream(ONE, *[0.03, PING] * 40), "stream_stalled", "uS",
        timeouts={"event_gap": "100ms"}, intact=ONE + PING, detail="event_gap: no event for",
    ),
    broken(
        "no first event", stream(*[PING, 0.03] * 40), "first_event_timeout", "uF",
        timeouts={"first_event": "100ms"}, intact=PING, detail="first_event: none within 0.1 s",
    ),
    broken("a cut", stream(ONE, then="cut"), "stream_truncated", "US"),
    broken("a cut within an event", stream(ONE, "data: ha", then="cut"), "stream_truncated", "US"),
    broken(
        "a missing end marker", stream(ONE), "stream_truncated", "US",
        stream={"end_marker": MARKED}, detail="end marker missing",
    ),
    broken("a reset", stream(ONE, then="reset"), "stream_reset", "US"),
    broken("a bad chunk", stream(ONE, then="malformed"), "stream_malformed", "US"),
    broken(
        "a stream without end", stream(*[ONE, 0.01] * 400), "stream_max_duration", "PS",
        timeouts={"max_stream": "100ms"}, level="WARNING", breaker="closed",
        detail="max_stream: 0.1 s are over",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
async def test_what_breaks_a_stream_is_said_in_it(upstream, house, case):
    house = await house(
        timeouts=case.timeouts, route={"stream": case.stream}, breaker={"consecutive": 1}
    )
    upstream.on("/", case.script)
    answer = await house.fetch()
    error = the_error(answer)
    event = await house.event_of(answer)

    assert (200, "chunked", "clean") == (answer.status, answer.framing, answer.end)
    assert answer.body.decode().startswith(case.intact)
    assert (case.code, answer.header("X-Request-ID")) == (error["error"], error["request_id"])
    assert error["message"]
    assert (case.code, case.term, case.level) == (event["code"], event["term"], event["level"])
    assert (200, True, True) == (event["status"], event["streamed"], event["inband_error"])
    assert case.detail in event.get("detail", "")
    assert case.breaker == await house.breaker()


@pytest.mark.parametrize("case", BROKEN)
async def test_the_upstream_is_let_go_of_a_broken_stream(upstream, house, case):
    house = await house(timeouts=case.timeouts, route={"stream": case.stream})
    upstream.on("/", case.script)
    await house.fetch()
    if case.detail == "end marker missing":
        return  # that one ended well, as far as its connection goes
    await eventually(lambda: upstream.connections[0].gone.is_set())
    upstream.on("/", echo)

    assert 200 == (await house.fetch()).status
    assert 2 == len(upstream.connections)


async def test_a_broken_200_is_an_error_wherever_one_looks(upstream, house):
    house = await house(breaker={"consecutive": 3})
    upstream.on("/", stream(ONE, then="cut"))
    for _ in range(3):
        await house.fetch()
    await eventually(lambda: len(house.all()) == 3)
    summary = (await house.admin("/metrics.json")).json()
    metrics = (await house.admin("/metrics")).body.decode()

    assert {"ERROR"} == {event["level"] for event in house.all()}
    assert "open" == await house.breaker()
    assert 3 == summary["error_count"]
    for line in (
        'sidelight_streams_total{code="stream_truncated",route="all"} 3.0',
        'sidelight_inband_errors_total{code="stream_truncated",route="all"} 3.0',
        'sidelight_terminations_total{code="stream_truncated",route="all"} 3.0',
        'sidelight_errors_total{code="stream_truncated",severity="error"} 3.0',
    ):
        assert line in metrics.splitlines()


@pytest.mark.parametrize(
    ("kind", "errors", "form"),
    [
        pytest.param(SSE, "event", "sse", id="an event named error"),
        pytest.param(SSE, "openai", "openai", id="the error of that API"),
        pytest.param(NDJSON, "event", "ndjson", id="a line"),
        pytest.param(NDJSON, "openai", "ndjson", id="a line, whatever the route says"),
    ],
)
@pytest.mark.parametrize("then", ["cut", "reset", "malformed", "silent"])
async def test_the_error_has_the_form_of_its_stream(upstream, house, kind, errors, form, then):
    house = await house(timeouts={"gap": "80ms"}, route={"stream": {"errors": errors}})
    first = '{"word": "one"}\n' if kind == NDJSON else ONE
    upstream.on("/", stream(first, first[:5], kind=kind, then=then))
    answer = await house.fetch()
    error = the_error(answer, form)
    event = await house.event_of(answer)

    assert "clean" == answer.end
    assert answer.body.decode().startswith(first)
    assert (event["code"], answer.header("X-Request-ID")) == (error["error"], error["request_id"])
    assert b"[DONE]" not in answer.body


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(compressed(ONE, then="cut"), id="compressed"),
        pytest.param(announced(ONE, of=1000, then="cut"), id="its length was announced"),
        pytest.param(
            stream("data: " + "x" * 70_000, 0.05, "x", then="cut"), id="an event that is too large"
        ),
        pytest.param(stream("half a", kind="text/plain", then="cut"), id="no stream"),
    ],
)
async def test_where_nothing_can_be_said_the_transfer_is_broken(upstream, house, script):
    """Nothing is invented: no error, and above all no clean end."""
    house = await house()
    upstream.on("/", script)
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert answer.end in ("cut", "reset")
    assert b"event: error" not in answer.body
    assert ("stream_truncated", "ERROR") == (event["code"], event["level"])
    assert "inband_error" not in event


async def test_compressed_streams_are_passed_on_as_they_come(upstream, house):
    house = await house()
    upstream.on("/", compressed(ONE, TWO, then="end"))
    answer = await house.fetch()
    metrics = (await house.admin("/metrics")).body.decode()
    event = await house.event_of(answer)

    assert "gzip" == answer.header("Content-Encoding")
    assert "no" == answer.header("X-Accel-Buffering")
    assert ("completed", True) == (event["code"], event["streamed"])
    assert "events" not in event
    assert 'sidelight_streams_unframed_total{route="all"} 1.0' in metrics.splitlines()


async def test_a_client_of_http_1_0_reads_the_error_before_the_close(upstream, house):
    house = await house()
    upstream.on("/", stream(ONE, "data: ha", then="cut"))
    async with house.client() as client:
        await client.send("GET / HTTP/1.0\r\nHost: h\r\n\r\n")
        answer = await client.answer()

    assert ("close", "clean") == (answer.framing, answer.end)
    assert answer.body.decode().startswith(ONE + "event: error\n")
    assert "stream_truncated" == the_error(answer)["error"]


@pytest.mark.parametrize("split", ["at every byte", "as one"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(": hi\n\nid: 1\r\ndata: a\r\n\r\ndata: b\rdata: c\r\rretry: 5\n\n", id="ends"),
        pytest.param("\ufeffdata: ü\n\nevent: x\n\ndata\n\n: tail", id="mark, names and a tail"),
    ],
)
async def test_not_one_byte_is_changed(upstream, house, split, text):
    house = await house()
    data = text.encode()
    steps = [data[n : n + 1] for n in range(len(data))] if "every" in split else [data]
    upstream.on("/", stream(*steps))
    answer = await house.fetch()

    assert (data, "clean") == (answer.body, answer.end)
    assert "completed" == (await house.event_of(answer))["code"]


@pytest.mark.parametrize(
    ("kind", "first", "half", "rest"),
    [
        pytest.param(SSE, ONE, "data: tw", "o\n\n", id="sse"),
        pytest.param(NDJSON, '{"n": 1}\n', '{"n', '": 2}\n', id="ndjson"),
    ],
)
async def test_an_event_is_passed_on_at_once_and_half_of_one_is_not(
    upstream, house, kind, first, half, rest
):
    house = await house()
    goes_on = asyncio.Event()

    async def script(turn):
        await turn.begin_chunked(f"Content-Type: {kind}")
        await turn.chunk(first + half)
        await goes_on.wait()
        await turn.chunk(rest)
        await turn.end_chunked()

    upstream.on("/", script)
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await client.head()
        assert first.encode() == await client.chunk(1)
        with pytest.raises(TimeoutError):
            await client.chunk(0.05)
        goes_on.set()
        assert (half + rest).encode() == (await client.until(b"0\r\n\r\n")).split(b"\r\n")[1]


async def test_the_head_does_not_wait_for_the_first_event(upstream, house):
    house = await house()
    upstream.on("/", stream(then="silent"))
    async with house.client() as client:
        await client.send(request("GET", "/"))

        assert 200 == (await client.head()).status


@pytest.mark.parametrize(
    ("kind", "theirs", "buffering", "incremental", "caching"),
    [
        pytest.param(SSE, (), ["no"], ["?1"], ["no-cache"], id="added where absent"),
        pytest.param(
            SSE,
            ("X-Accel-Buffering: yes", "Incremental: ?0", "Cache-Control: no-store"),
            ["yes"],
            ["?0"],
            ["no-store"],
            id="theirs stay",
        ),
        pytest.param(NDJSON, (), ["no"], ["?1"], [], id="lines of JSON"),
        pytest.param("application/jsonl", (), ["no"], ["?1"], [], id="by another name"),
        pytest.param("application/x-own", (), ["no"], ["?1"], [], id="a type of the route's own"),
        pytest.param("text/plain", (), [], [], [], id="not to other answers"),
    ],
)
async def test_the_next_proxy_is_asked_not_to_buffer(
    upstream, house, kind, theirs, buffering, incremental, caching
):
    house = await house(route={"stream": {"types": ["application/x-own"]}})
    upstream.on("/", stream("data: {}\n\n", kind=kind, headers=theirs))
    answer = await house.fetch()

    assert buffering == answer.all("X-Accel-Buffering")
    assert (incremental, caching) == (answer.all("Incremental"), answer.all("Cache-Control"))


async def test_a_route_may_forbid_that(upstream, house):
    house = await house(route={"stream": {"unbuffered": False}})
    upstream.on("/", stream(ONE))
    answer = await house.fetch()

    assert [] == answer.all("X-Accel-Buffering") + answer.all("Incremental")
    assert [] == answer.all("Cache-Control")


async def test_heartbeats_come_between_events_only(upstream, house):
    house = await house(route={"stream": {"heartbeat": "40ms"}}, timeouts={"gap": "1s"})
    goes_on = asyncio.Event()

    async def script(turn):
        await turn.begin_chunked(f"Content-Type: {SSE}")
        await turn.chunk(ONE + "data: t")
        await goes_on.wait()
        await turn.chunk("wo\n\n")
        await turn.end_chunked()

    upstream.on("/", script)
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await client.head()
        arrived = [await client.chunk()]
        while len(arrived) < 4:
            arrived.append(await client.chunk())
        goes_on.set()
        while arrived[-1]:
            arrived.append(await client.chunk())

    pieces = b"".join(arrived).decode().split(": keep-alive\n")
    assert [ONE, TWO] == [piece for piece in pieces if piece]
    assert 2 == (await house.event())["events"]


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        pytest.param((), "first_event_timeout", id="before the first event"),
        pytest.param((ONE,), "stream_stalled", id="after it"),
    ],
)
async def test_heartbeats_reset_no_clock_and_are_no_event(upstream, house, steps, code):
    house = await house(
        route={"stream": {"heartbeat": "20ms"}}, timeouts={"gap": "1500ms", "first_event": "1500ms"}
    )
    upstream.on("/", stream(*steps, then="silent"))
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert (code, len(steps)) == (event["code"], event.get("events", 0))
    assert ("first_event_ms" in event) is bool(steps)
    assert b": keep-alive\n: keep-alive\n" in answer.body
    assert 1400 < event["duration_ms"]


async def test_heartbeats_keep_out_of_an_announced_length(upstream, house):
    house = await house(route={"stream": {"heartbeat": "20ms"}})

    async def script(turn):
        length = len(ONE + TWO)
        await turn.send(
            f"HTTP/1.1 200 OK\r\nContent-Type: {SSE}\r\nContent-Length: {length}\r\n\r\n"
        )
        await turn.send(ONE, TWO, between=0.1)

    upstream.on("/", script)

    assert (ONE + TWO).encode() == (await house.fetch()).body


async def test_held_until_the_first_event_a_silent_stream_is_a_504(upstream, house):
    house = await house(route=HOLD, timeouts={"first_event": "80ms"})
    upstream.on("/", stream(*[PING, 0.02] * 50))
    answer = await house.fetch(method="POST", body=b"hi")
    event = await house.event_of(answer)
    await eventually(lambda: upstream.connections[0].gone.is_set())

    assert (504, "first_event_timeout") == (answer.status, answer.json()["error"])
    assert ("uF", ("first_event_timeout",)) == (event["term"], event["attempt_results"])
    assert 1 == len(upstream.seen)


async def test_held_until_the_first_event_a_silent_stream_is_tried_again(upstream, house):
    retry = {"attempts": 2, "on": ["connect", "first_event_timeout"]}
    house = await house(route=HOLD | {"retry": retry}, timeouts={"first_event": "80ms"})
    upstream.on("/", stream(PING, then="silent"), stream(PING, ONE))
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert (200, PING + ONE) == (answer.status, answer.body.decode())
    assert (2, ("first_event_timeout", "ok")) == (event["attempts"], event["attempt_results"])
    assert ("completed", 1) == (event["code"], event["events"])


async def test_held_until_the_first_event_a_silent_stream_is_tried_elsewhere(upstream, house):
    """The silent endpoint is named first, and avoided by the second attempt."""
    other = type(upstream)()
    async with other:
        retry = {"attempts": 2, "on": ["first_event_timeout"]}
        house = await house(
            route=HOLD | {"retry": retry},
            timeouts={"first_event": "80ms"},
            upstream={"endpoints": [upstream.url, other.url]},
        )
        for one, another in ((upstream, other), (other, upstream)):
            one.on("/", stream(then="silent"))
            another.on("/", stream(ONE))
        upstream.on("/", stream(then="silent"))
        other.on("/", stream(ONE))
        answers = [await house.fetch() for _ in range(2)]

    assert [ONE.encode()] * 2 == [answer.body for answer in answers]
    assert len(upstream.seen) >= 1


@pytest.mark.parametrize(
    ("script", "code"),
    [
        pytest.param(stream(PING, then="cut"), "upstream_reset", id="cut"),
        pytest.param(stream(PING, then="reset"), "upstream_reset", id="reset"),
        pytest.param(stream(PING, then="malformed"), "upstream_protocol_error", id="bad chunk"),
    ],
)
async def test_held_until_the_first_event_a_broken_stream_is_a_502(upstream, house, script, code):
    house = await house(route=HOLD)
    upstream.on("/", script)
    answer = await house.fetch(method="POST", body=b"hi")

    assert (502, code) == (answer.status, answer.json()["error"])
    assert 1 == len(upstream.seen)


async def test_what_was_held_comes_first_and_whole(upstream, house):
    house = await house(route=HOLD)
    upstream.on("/", stream(PING, 0.02, "data: o", 0.02, "ne\n\ndata: t", 0.02, "wo\n\n"))
    answer = await house.fetch()

    assert (PING + ONE + TWO, "clean") == (answer.body.decode(), answer.end)
    assert 2 == (await house.event_of(answer))["events"]


async def test_an_answer_that_is_no_stream_is_not_held(upstream, house):
    house = await house(route=HOLD)
    answer = await house.fetch()

    assert 200 == answer.status


@pytest.mark.parametrize("mode", ["warn", "strict"])
async def test_streams_that_carry_the_end_marker_are_counted(upstream, house, mode):
    marker = {"mode": mode, "data": "[DONE]"}
    house = await house(route={"stream": {"end_marker": marker}})
    upstream.on("/", stream(ONE, "data: [DONE]\n\n"), stream(ONE))
    answers = [await house.fetch() for _ in range(2)]
    events = [await house.event_of(answer) for answer in answers]
    metrics = (await house.admin("/metrics")).body.decode().splitlines()

    assert [True, False] == [event["end_marker"] for event in events]
    second = "completed" if mode == "warn" else "stream_truncated"
    assert ["completed", second] == [event["code"] for event in events]
    for carried in ("true", "false"):
        name = "sidelight_stream_end_markers_total"
        assert f'{name}{{carried="{carried}",route="all"}} 1.0' in metrics


async def test_a_probe_succeeds_at_its_first_event(upstream, house):
    """A long answer must not hold the circuit half-open."""
    house = await house(breaker={"consecutive": 1, "cool_down": "50ms", "jitter": 0})
    goes_on = asyncio.Event()

    async def script(turn):
        await turn.begin_chunked(f"Content-Type: {SSE}")
        await turn.chunk(PING)
        await goes_on.wait()
        await turn.chunk(ONE)
        await turn.gone(60)

    upstream.on("/", status(503), script, echo)
    house_client = house.client()
    await house.fetch(method="POST")
    await asyncio.sleep(0.06)
    async with house_client as client:
        await client.send(request("GET", "/"))
        await client.until(b"ping")
        assert "half_open" == await house.breaker()
        goes_on.set()
        await client.until(b"data: one")

        assert "closed" == await house.breaker()
        assert 200 == (await house.fetch()).status


async def test_a_probe_that_breaks_before_its_first_event_opens_it_again(upstream, house):
    house = await house(breaker={"consecutive": 1, "cool_down": "50ms", "jitter": 0})
    upstream.on("/", status(503), stream(PING, then="cut"))
    await house.fetch(method="POST")
    await asyncio.sleep(0.06)
    await house.fetch()

    assert "open" == await house.breaker()


async def test_progress_is_told_where_the_route_asks_for_it(upstream, house, monkeypatch):
    monkeypatch.setattr("proxy.streams.dues.PROGRESS", 0.05)
    house = await house(route={"stream": {"progress": True}})

    async def script(turn):
        await turn.begin_chunked(f"Content-Type: {SSE}")
        await turn.chunk(ONE)
        await eventually(lambda: len(house.all("stream_progress")) >= 2)
        await turn.chunk(TWO)
        await turn.end_chunked()

    upstream.on("/", script)
    answer = await house.fetch()
    await house.event_of(answer)
    known = {"request_id": answer.header("X-Request-ID"), "route": "all"}

    assert 1 == len(house.all("stream_started", **known))
    assert [1, 1] == [event["events"] for event in house.all("stream_progress", **known)][:2]


async def test_what_is_measured(upstream, house):
    house = await house()
    upstream.on("/", stream(PING, 0.05, ONE + TWO, 1.5, TWO))
    answer = await house.fetch()
    event = await house.event_of(answer)
    metrics = (await house.admin("/metrics")).body.decode()

    assert 3 == event["events"]
    assert 48 <= event["first_event_ms"]  # loops round their clocks to milliseconds
    # what begins it may be read late, by as long as a machine stands still
    assert 900 <= event["max_gap_ms"] <= event["duration_ms"] - event["first_event_ms"] + 1
    assert len(answer.body) == event["bytes_out"]
    for line in (
        'sidelight_stream_gap_seconds_count{route="all"} 2.0',
        'sidelight_stream_reads_total{route="all"} 3.0',
        'sidelight_time_to_first_event_seconds_count{route="all"} 1.0',
    ):
        assert line in metrics.splitlines()


async def test_gaps_are_observed_when_they_happen(upstream, house):
    """A dashboard sees a stall grow, not only when the stream is over."""
    house = await house()
    upstream.on("/", stream(ONE, 0.01, TWO, then="silent"))
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await client.until(b"two\n\n")
        metrics = (await house.admin("/metrics")).body.decode()

        assert 'sidelight_stream_gap_seconds_count{route="all"} 1.0' in metrics.splitlines()
        assert 'sidelight_streams_active{route="all"} 1.0' in metrics.splitlines()


async def test_a_route_may_let_the_upstream_finish(upstream, house):
    house = await house(route={"stream": {"finish_on_disconnect": True}})
    upstream.on("/", stream(ONE, 0.1, TWO))
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await client.until(b"one\n\n")
    event = await house.event()

    assert ("client_closed_stream", "CS", "INFO") == (event["code"], event["term"], event["level"])
    assert 2 == event["events"]
    assert not upstream.connections[0].gone.is_set()
    assert 'cancel_seconds_count{route="all"}' not in (await house.admin("/metrics")).body.decode()


async def test_a_drain_cuts_what_the_upstream_was_let_finish(upstream, house):
    house = await house(route={"stream": {"finish_on_disconnect": True}})
    upstream.on("/", stream(ONE, 30.0))
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await client.until(b"one\n\n")
        (connection,) = clients_of(house)
    await eventually(lambda: connection.gone_at is not None)
    await house.app.drain(delay=0, limit=0.05, cause="test")
    event = await house.event()

    assert ("drain_cut", "OS", "WARNING") == (event["code"], event["term"], event["level"])


async def test_an_upstream_that_breaks_after_the_client_left_tells_nobody(upstream, house):
    house = await house(route={"stream": {"finish_on_disconnect": True}})
    upstream.on("/", stream(ONE, 0.05, TWO, then="cut"))
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await client.until(b"one\n\n")
    event = await house.event()

    assert "stream_truncated" == event["code"]
    assert "inband_error" not in event


async def test_a_reader_that_resets_in_the_middle_of_a_flood_lets_the_upstream_finish(
    upstream, house, monkeypatch
):
    """The proxy is waiting for the reader at that moment."""
    narrow_sending(monkeypatch)
    house = await house(route={"stream": {"finish_on_disconnect": True}})
    size = 40 * 65536
    upstream.on("/", stream(*["data: " + "x" * 65528 + "\n\n"] * 40))
    async with RawClient(house.port, read_ahead=1024, window=2048) as client:
        await client.send(request("GET", "/"))
        await client.head()
        await eventually(lambda: clients_of(house)[0].is_full)
        await client.reset()
    event = await house.event()

    assert ("client_closed_stream", 40) == (event["code"], event["events"])
    assert size <= event["bytes_out"]
    assert [] == house.all("library")


async def test_a_client_that_does_not_read_is_cut(upstream, house):
    house = await house(timeouts={"client_write": "150ms"})
    upstream.on("/", stream(*["data: " + "x" * 65528 + "\n\n"] * 400))
    async with RawClient(house.port, read_ahead=1024) as client:
        await client.send(request("GET", "/"))
        await client.head()
        event = await house.event()
        await eventually(lambda: upstream.connections[0].gone.is_set())

        assert ("client_too_slow", "cS", "INFO") == (event["code"], event["term"], event["level"])
        assert "inband_error" not in event
        assert "closed" == await house.breaker()


def clients_of(house):
    """The proxy's connections to its clients."""
    return house.app.listener.server.connections


def narrow_sending(monkeypatch) -> None:
    """The kernel takes few bytes for a client, so that the rest must wait in the proxy."""
    accept = ClientProtocol.connection_made

    def connection_made(self, transport):
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        accept(self, transport)

    monkeypatch.setattr(ClientProtocol, "connection_made", connection_made)


async def test_an_error_that_nobody_reads_does_not_keep_the_connection(
    upstream, house, monkeypatch
):
    """It is queued behind what the client never took: a polite close would wait for ever."""
    house = await house(timeouts={"client_write": "150ms", "gap": "80ms"})
    upstream.on("/", stream("data: " + "x" * 20_000 + "\n\n", then="silent"))
    narrow_sending(monkeypatch)
    async with RawClient(house.port, read_ahead=1024, window=2048) as client:
        await client.send(request("GET", "/"))
        await house.event(code="stream_stalled")
        (connection,) = clients_of(house)
        assert connection.output.queued
        await eventually(lambda: not clients_of(house))
