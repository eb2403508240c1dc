"""A stream of events on its way to the client: whole ones, and the truth about its end.

Source and sink are scripts; waiting moves the clock, so nothing really waits.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from proxy import outcome as o
from proxy.exchange import Exchange
from proxy.outcome import Outcome
from proxy.relay import LAST_CHUNK, chunk
from proxy.streams import holding
from proxy.streams import relay as room
from proxy.streams.dues import PROGRESS
from proxy.streams.framing import MAX_HELD, EventFraming
from proxy.streams.holding import hold
from proxy.streams.ndjson import Ndjson
from proxy.streams.relay import EventStream
from proxy.streams.rules import StreamRule
from proxy.streams.sse import KEEP_ALIVE, Sse
from proxy.upstream.result import END_OF_BODY, EndOfBody, Failed
from tests.records import exchange

ENDPOINT = "http://e"
CUT = Failed(o.STREAM_TRUNCATED, "closed by the upstream", ENDPOINT)
RESET = Failed(o.STREAM_RESET, "connection reset", ENDPOINT)
MALFORMED = Failed(o.STREAM_MALFORMED, "bad chunk", ENDPOINT)
SILENT = Failed(o.STREAM_STALLED, "silent", ENDPOINT)
ONE, TWO, PING = b"data: one\n\n", b"data: two\n\n", b": ping\n\n"

Piece = bytes | EndOfBody | Failed
Steps = list[tuple[float, Piece]]


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Lengths:
    first_event: float = 60.0
    gap: float = 30.0
    event_gap: float | None = None
    max_stream: float = 900.0
    client_write: float = 20.0


@dataclass
class Source:
    """Gives pieces, each after its wait; a read that may not wait so long ends in silence.

    `ready`: bytes lie there already, so that nothing is tapped.
    """

    clock: Clock
    steps: Steps
    ready: bool = False
    reads: int = 0
    tap: Callable[[bytes], bool] | None = None

    async def read(self, silence: float, limit: float) -> Piece:
        self.reads += 1
        until = self.clock.now + min(silence, limit)
        while (due := self.clock.now + self.steps[0][0]) <= until:
            self.clock.now = due
            _, piece = self.steps.pop(0)
            if not isinstance(piece, bytes) or self.tap is None or self.ready:
                return piece
            if not self.tap(piece):
                return SILENT
        wait, piece = self.steps[0]
        self.steps[0] = (wait - (until - self.clock.now), piece)
        self.clock.now = until
        return SILENT


@dataclass
class Sink:
    """Takes bytes; `takes` is how long it is full after each, None is never."""

    clock: Clock
    takes: float | None = None
    written: list[bytes] = field(default_factory=list)
    when: list[float] = field(default_factory=list)

    def write(self, data: bytes) -> None:
        self.written.append(data)
        self.when.append(self.clock.now - 100.0)

    @property
    def is_full(self) -> bool:
        return self.takes is not None

    async def drained(self, silence: float, limit: float) -> bool:
        assert self.takes is not None
        self.clock.now += min(self.takes, silence, limit)
        return self.takes <= min(silence, limit)


@dataclass
class Watcher:
    """Remembers what it was told."""

    clock: Clock
    gaps: list[float] = field(default_factory=list)
    told: list[tuple[str, float]] = field(default_factory=list)

    def stream_gaps(self, x: Exchange) -> Callable[[float], None]:
        return self.gaps.append

    def stream_started(self, x: Exchange) -> None:
        self.told.append(("started", self.clock.now - 100.0))

    def stream_progress(self, x: Exchange) -> None:
        self.told.append(("progress", self.clock.now - 100.0))


class Scene:
    """One stream, and what became of it."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        steps: Steps,
        *,
        framing: EventFraming | None = None,
        rule: dict[str, Any] | None = None,
        takes: float | None = None,
        ready: bool = False,
        **lengths: float,
    ) -> None:
        self.clock = Clock()
        monkeypatch.setattr(room, "now", self.clock)
        monkeypatch.setattr(holding, "now", self.clock)
        self.x = exchange(started=99.0, request_id="the-id")
        self.source = Source(self.clock, list(steps), ready)
        self.sink = Sink(self.clock, takes)
        self.watcher = Watcher(self.clock)
        self.stream = EventStream(
            self.x,
            framing or Sse(),
            StreamRule.model_validate(rule or {}),
            Lengths(**lengths),
            self.watcher,
        )

    async def play(self) -> Outcome | None:
        return await self.stream.relay(self.source, self.sink)

    async def hold(self, left: float) -> Failed | None:
        return await hold(self.stream, self.source, left)

    @property
    def body(self) -> bytes:
        """What was written, chunks taken off; a last chunk stays as it is."""
        bodies = [data if data == LAST_CHUNK else _unchunked(data) for data in self.sink.written]
        return b"".join(bodies)


def _unchunked(data: bytes) -> bytes:
    size, _, rest = data.partition(b"\r\n")
    assert b"\r\n" == rest[int(size, 16) :][:2]
    return rest[: int(size, 16)] + rest[int(size, 16) + 2 :]


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch):
    return lambda steps, **unusual: Scene(monkeypatch, steps, **unusual)


async def test_events_go_on_as_they_come_and_end_with_the_framing(scene) -> None:
    play = scene([(1, ONE), (2, b"data: t"), (3, b"wo\n\n"), (1, END_OF_BODY)])
    outcome = await play.play()

    assert outcome is None
    assert [chunk(ONE), chunk(TWO), LAST_CHUNK] == play.sink.written
    assert [1.0, 6.0, 7.0] == play.sink.when
    assert (2, 3, len(ONE + TWO)) == (play.x.events, play.x.reads, play.x.bytes_out)


async def test_without_chunks_the_bytes_are_all(scene) -> None:
    play = scene([(1, ONE), (1, END_OF_BODY)])
    play.stream.chunked = False

    assert await play.play() is None
    assert [ONE] == play.sink.written


async def test_a_tail_is_passed_on_where_the_stream_ended_well(scene) -> None:
    play = scene([(1, ONE + b"data: tail"), (1, END_OF_BODY)])

    assert await play.play() is None
    assert ONE + b"data: tail" + LAST_CHUNK == play.body


async def test_what_is_measured(scene) -> None:
    play = scene([(2, PING), (3, ONE), (7, TWO), (1, END_OF_BODY)])
    await play.play()
    x = play.x

    assert (6.0, 13.0) == (x.first_event, x.last_byte)
    assert (7.0, 6.0) == (x.max_gap, x.max_gap_at)
    assert [3.0, 7.0] == play.watcher.gaps
    assert 13.0 == x.spent.upstream_wait


@pytest.mark.parametrize(
    ("steps", "lengths", "outcome", "at", "detail"),
    [
        pytest.param(
            [(1, ONE), (99, TWO)], {}, o.STREAM_STALLED, 31.0, "gap: no byte for 30 s",
            id="no byte for a gap",
        ),
        pytest.param(
            [(1, ONE), *[(9, PING)] * 9], {"event_gap": 45}, o.STREAM_STALLED, 46.0,
            "event_gap: no event for 45 s",
            id="comments only for an event gap",
        ),
        pytest.param(
            [(25, PING)] * 9, {}, o.FIRST_EVENT_TIMEOUT, 60.0,
            "first_event: none within 60 s of the head",
            id="comments only from the beginning",
        ),
        pytest.param(
            [(25, ONE)] * 99, {}, o.STREAM_MAX_DURATION, 900.0, "max_stream: 900 s are over",
            id="events without end",
        ),
        pytest.param([(1, ONE), (2, CUT)], {}, o.STREAM_TRUNCATED, 3.0, CUT.detail, id="a cut"),
        pytest.param([(1, ONE), (2, RESET)], {}, o.STREAM_RESET, 3.0, RESET.detail, id="a reset"),
        pytest.param(
            [(1, ONE), (2, MALFORMED)], {}, o.STREAM_MALFORMED, 3.0, MALFORMED.detail,
            id="a bad chunk",
        ),
    ],
)  # fmt: skip
async def test_what_breaks_a_stream(
    scene, steps: Steps, lengths: dict[str, float], outcome: Outcome, at: float, detail: str
) -> None:
    play = scene(steps, **lengths)
    broken = await play.play()

    assert outcome is broken
    assert (at, detail) == (play.clock.now - 100.0, play.x.detail)
    assert LAST_CHUNK not in play.sink.written


async def test_a_stream_that_is_always_there_still_has_an_end(scene) -> None:
    """Bytes that lie ready are read without a look at any clock."""
    play = scene([(10, ONE)] + [(0, ONE)] * 50, max_stream=10, ready=True)

    assert o.STREAM_MAX_DURATION is await play.play()
    assert play.source.reads < 5


async def test_a_flood_of_comments_does_not_hide_that_no_event_comes(scene) -> None:
    play = scene([(10, PING)] + [(0, PING)] * 50, first_event=10, ready=True)

    assert o.FIRST_EVENT_TIMEOUT is await play.play()


@pytest.mark.parametrize(
    ("framing", "rule", "said"),
    [
        pytest.param(Sse, {}, b"event: error\ndata: %b\n\n", id="sse"),
        pytest.param(Sse, {"errors": "openai"}, b"data: %b\n\n", id="openai"),
        pytest.param(Ndjson, {}, b"%b\n", id="ndjson"),
        pytest.param(Ndjson, {"errors": "openai"}, b"%b\n", id="openai has no form for ndjson"),
    ],
)
async def test_the_error_is_said_in_the_stream_and_the_framing_ended(
    scene, framing: type[EventFraming], rule: dict[str, Any], said: bytes
) -> None:
    play = scene([(1, CUT)], framing=framing(), rule=rule)
    outcome = await play.play()
    told = play.stream.tell(outcome, play.sink)
    form, rest = said.split(b"%b")
    text = play.body.removesuffix(LAST_CHUNK)
    error = json.loads(text.removeprefix(form).removesuffix(rest))
    error = error.get("error") if isinstance(error.get("error"), dict) else error

    assert told
    assert play.x.inband_error
    assert play.body.endswith(LAST_CHUNK)
    assert text.startswith(form)
    assert text.endswith(rest)
    assert "the-id" == error["request_id"]
    assert "stream_truncated" == error.get("code", error.get("error"))


async def test_without_chunks_the_error_is_the_end(scene) -> None:
    play = scene([(1, CUT)])
    play.stream.chunked = False
    outcome = await play.play()
    play.stream.tell(outcome, play.sink)

    assert play.sink.written[-1].startswith(b"event: error\n")
    assert play.sink.written[-1].endswith(b"\n\n")


async def test_an_error_never_lands_within_an_event(scene) -> None:
    play = scene([(1, ONE + b"data: half"), (1, CUT)])
    outcome = await play.play()
    play.stream.tell(outcome, play.sink)

    assert play.body.startswith(ONE + b"event: error\n")
    assert len(b"data: half") == play.x.held


async def test_a_client_that_does_not_read_is_told_nothing(scene) -> None:
    play = scene([])

    assert not play.stream.tell(o.CLIENT_TOO_SLOW, play.sink)
    assert [] == play.sink.written


@pytest.mark.parametrize("why", ["announced", "raw"])
async def test_where_nothing_can_be_said_nothing_is(scene, why: str) -> None:
    long = b"data: " + b"x" * MAX_HELD
    play = scene([(1, long if why == "raw" else ONE), (1, CUT)])
    play.stream.can_tell = why == "raw"
    outcome = await play.play()
    before = list(play.sink.written)

    assert not play.stream.tell(outcome, play.sink)
    assert before == play.sink.written
    assert not play.x.inband_error


async def test_an_event_that_is_too_large_goes_on_in_pieces_and_is_counted(scene) -> None:
    long = b"data: " + b"x" * MAX_HELD
    play = scene([(1, ONE), (1, long), (1, b"y\n\n" + TWO), (1, CUT)])
    outcome = await play.play()

    assert ONE + long + b"y\n\n" + TWO == play.body
    assert (3, False) == (play.x.events, play.x.is_raw)
    assert play.stream.tell(outcome, play.sink)


async def test_whole_lines_of_an_event_that_takes_long_go_on(scene) -> None:
    steps: Steps = [(1, b"id: 1\ndata: a\ndata: b"), (9, b"c\n"), (9, b"\n"), (1, END_OF_BODY)]
    play = scene(steps)

    assert await play.play() is None
    assert [1.25, 10.25, 19.0, 20.0] == play.sink.when
    assert b"id: 1\ndata: a\ndata: bc\n\n" + LAST_CHUNK == play.body
    assert (1, 2.25) == (play.x.events, play.x.first_event)


async def test_at_a_cut_an_unfinished_line_is_dropped_and_the_event_closed(scene) -> None:
    play = scene([(1, b"data: a\ndata: b"), (9, CUT)])
    outcome = await play.play()
    play.stream.tell(outcome, play.sink)

    assert play.body.startswith(b"data: a\n\nevent: error\n")
    assert len(b"data: b") == play.x.held


async def test_lines_without_data_are_no_first_event(scene) -> None:
    play = scene([(1, b"event: x\n"), (99, ONE)])

    assert o.FIRST_EVENT_TIMEOUT is await play.play()
    assert b"event: x\n" == play.body


async def test_what_is_no_event_is_one_for_the_clocks(scene) -> None:
    play = scene([(40, b"Hello"), (29, b" you"), (29, b"."), (1, END_OF_BODY)])

    assert await play.play() is None
    assert [40.0, 69.0, 98.0, 99.0] == play.sink.when
    assert (0, True, 41.0) == (play.x.events, play.x.is_raw, play.x.first_event)
    assert play.stream.ended_as is None


async def test_after_the_first_event_the_sleeping_read_keeps_no_longer_wait(scene) -> None:
    """The head was out long before: the read had been told to wait for the first event."""
    play = scene([(1, ONE), *[(3, PING)] * 9], event_gap=5)

    assert o.STREAM_STALLED is await play.play()
    assert 106.0 == play.clock.now
    assert ("event_gap: no event for 5 s", 5.0) == (play.x.detail, play.x.clock_ran)


async def test_before_the_first_event_no_gap_counts(scene) -> None:
    play = scene([(4, ONE), (1, END_OF_BODY)], first_event=6, gap=3)

    assert await play.play() is None


ERROR = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n'


@pytest.mark.parametrize(
    ("steps", "ended_as", "detail"),
    [
        pytest.param(
            [(1, ONE), (1, ERROR)], o.STREAM_ERROR,
            "the upstream sent an event named error (overloaded_error)", id="its own error",
        ),
        pytest.param(
            [(1, ONE), (1, b'data: {"error": "x"}')], o.STREAM_ERROR,
            "the upstream sent an error as data", id="in the tail",
        ),
        pytest.param([(1, PING)], o.STREAM_EMPTY, None, id="comments only"),
        pytest.param([], o.STREAM_EMPTY, None, id="nothing at all"),
        pytest.param([(1, ONE)], None, None, id="an event"),
        pytest.param([(1, b"data: tail")], None, None, id="a tail with data"),
    ],
)  # fmt: skip
async def test_what_a_stream_was_that_ended_well(
    scene, steps: Steps, ended_as: Outcome | None, detail: str | None
) -> None:
    play = scene([*steps, (1, END_OF_BODY)])

    assert await play.play() is None
    assert (ended_as, detail) == (play.stream.ended_as, play.x.detail)
    pieces = [piece for _, piece in steps if isinstance(piece, bytes)]
    assert b"".join(pieces) + LAST_CHUNK == play.body


@pytest.mark.parametrize("body", [b'{"error": "x"}', b"data: a\n\ndata: b", b""])
async def test_answers_that_are_no_success_are_not_judged(scene, body: bytes) -> None:
    """An error page labelled as a stream of events passes untouched."""
    marker = {"mode": "strict", "data": "[DONE]"}
    steps = [(1, body), (1, END_OF_BODY)] if body else [(1, END_OF_BODY)]
    play = scene(steps, rule={"end_marker": marker})
    play.stream.verdict.is_success = False

    assert await play.play() is None
    assert body + LAST_CHUNK == play.body
    assert play.stream.ended_as is None


async def test_an_error_of_the_upstream_needs_no_end_marker(scene) -> None:
    marker = {"mode": "strict", "data": "[DONE]"}
    play = scene([(1, ERROR), (1, END_OF_BODY)], rule={"end_marker": marker})

    assert await play.play() is None
    assert (o.STREAM_ERROR, False) == (play.stream.ended_as, play.x.end_marker)


async def test_a_marker_that_may_have_passed_unseen_is_not_missed(scene) -> None:
    marker = {"mode": "strict", "json_field": "done"}
    large = b'{"context":"' + b"x" * MAX_HELD
    steps = [(1, b"{}\n" + large), (1, b'","done":true}\n'), (1, END_OF_BODY)]
    play = scene(steps, framing=Ndjson(), rule={"end_marker": marker})

    assert await play.play() is None


async def test_a_first_event_that_is_an_error_is_no_good_beginning(scene) -> None:
    play = scene([(1, ERROR), (1, END_OF_BODY)])
    told: list[float] = []
    play.stream.on_first = lambda: told.append(play.clock.now)
    await play.play()

    assert [] == told
    assert play.stream.verdict.error is not None


async def test_a_held_head_goes_out_with_lines_that_took_too_long(scene) -> None:
    play = scene([(1, b"data: a\nda"), (1, b"ta: b\n\n"), (1, END_OF_BODY)])
    failed = await play.hold(60.0)

    assert failed is None
    assert (b"data: a\n", 101.25) == (play.stream.held, play.clock.now)
    assert await play.play() is None
    assert b"data: b\n\n" + LAST_CHUNK == play.body


async def test_a_heartbeat_comes_between_events_only_while_nothing_does(scene) -> None:
    steps: Steps = [(1, ONE + b"data: t"), (25, b"wo\n\n"), (1, END_OF_BODY)]
    play = scene(steps, rule={"heartbeat": "10s"})
    await play.play()

    assert ONE + KEEP_ALIVE * 2 + TWO + LAST_CHUNK == play.body
    assert [1.0, 11.0, 21.0, 26.0, 27.0] == play.sink.when


async def test_a_heartbeat_resets_no_clock_and_is_no_event(scene) -> None:
    play = scene([(99, ONE)], rule={"heartbeat": "7s"})

    assert o.FIRST_EVENT_TIMEOUT is await play.play()
    assert 160.0 == play.clock.now
    assert KEEP_ALIVE * 8 == play.body
    assert (0, None) == (play.x.events, play.x.first_event)


@pytest.mark.parametrize(
    ("framing", "piece", "can_tell"),
    [
        pytest.param(Ndjson, b"{}\n", True, id="ndjson has no comments"),
        pytest.param(Sse, ONE, False, id="the length was announced"),
    ],
)
async def test_no_heartbeat_where_it_would_do_harm(
    scene, framing: type[EventFraming], piece: bytes, can_tell: bool
) -> None:
    play = scene([(25, piece), (1, END_OF_BODY)], framing=framing(), rule={"heartbeat": "10s"})
    play.stream.can_tell = can_tell
    await play.play()

    assert piece + LAST_CHUNK == play.body


async def test_progress_is_told_where_it_is_asked_for(scene) -> None:
    steps: Steps = [(20.0, ONE)] * 7 + [(1.0, END_OF_BODY)]
    play = scene(steps, rule={"progress": True})
    await play.play()

    assert [("started", 0.0), ("progress", PROGRESS), ("progress", 2 * PROGRESS)] == (
        play.watcher.told
    )


async def test_nobody_is_told_of_progress_otherwise(scene) -> None:
    play = scene([(20.0, ONE)] * 7 + [(1.0, END_OF_BODY)])
    await play.play()

    assert [] == play.watcher.told


async def test_a_client_that_does_not_read_is_too_slow(scene) -> None:
    play = scene([(1, ONE), (1, TWO)], takes=25.0)

    assert o.CLIENT_TOO_SLOW is await play.play()
    assert (20.0, 20.0) == (play.x.spent.client, play.x.clock_ran)


async def test_a_client_may_not_outlast_the_stream(scene) -> None:
    play = scene([(1, ONE), (1, TWO)], takes=15.0, max_stream=10.0)

    assert o.STREAM_MAX_DURATION is await play.play()
    assert (110.0, "max_stream: 10 s are over") == (play.clock.now, play.x.detail)


async def test_while_the_client_does_not_read_the_upstream_is_not_silent(scene) -> None:
    """Neither the gap nor the wait for the next event runs, and none of it is the longest gap."""
    steps: Steps = [(1, ONE), (29, PING), (14, TWO), (1, END_OF_BODY)]
    play = scene(steps, takes=19.0, event_gap=45)

    assert await play.play() is None
    assert 3 * 19.0 == play.x.spent.client
    assert 29.0 == play.x.max_gap


@pytest.mark.parametrize(
    ("mode", "last", "outcome", "carried"),
    [
        pytest.param("off", ONE, None, None, id="off: nobody looks"),
        pytest.param("warn", ONE, None, False, id="warn: its absence is counted"),
        pytest.param("warn", b"data: [DONE]\n\n", None, True, id="warn: it is counted"),
        pytest.param("strict", ONE, o.STREAM_TRUNCATED, False, id="strict: it is required"),
        pytest.param("strict", b"data: [DONE]\n\n", None, True, id="strict: it is there"),
        pytest.param("strict", b"data: [DONE]", None, True, id="a forgotten blank line is no cut"),
    ],
)
async def test_the_end_marker(
    scene, mode: str, last: bytes, outcome: Outcome | None, carried: bool | None
) -> None:
    marker = {"mode": mode, "data": "[DONE]"}
    play = scene([(1, ONE), (1, last), (1, END_OF_BODY)], rule={"end_marker": marker})

    assert outcome is await play.play()
    assert carried == play.x.end_marker
    assert (LAST_CHUNK in play.sink.written) == (outcome is None)


async def test_a_missing_marker_discards_the_tail(scene) -> None:
    marker = {"mode": "strict", "data": "[DONE]"}
    play = scene([(1, ONE + b"data: half"), (1, END_OF_BODY)], rule={"end_marker": marker})
    await play.play()

    assert ONE == play.body
    assert (len(b"data: half"), "end marker missing") == (play.x.held, play.x.detail)


async def test_the_first_event_is_told_once(scene) -> None:
    play = scene([(1, PING), (1, ONE), (1, TWO), (1, END_OF_BODY)])
    told: list[float] = []
    play.stream.on_first = lambda: told.append(play.clock.now)
    await play.play()

    assert [102.0] == told


async def test_held_until_the_first_event(scene) -> None:
    play = scene([(1, PING), (1, b"data: o"), (1, b"ne\n\n"), (1, TWO), (1, END_OF_BODY)])
    failed = await play.hold(60.0)

    assert failed is None
    assert PING + ONE == play.stream.held
    assert [] == play.sink.written
    assert (3, 4.0) == (play.x.reads, play.x.first_event)
    assert await play.play() is None
    assert TWO + LAST_CHUNK == play.body
    assert 2 == play.x.events


@pytest.mark.parametrize(
    ("steps", "left", "outcome", "detail"),
    [
        pytest.param(
            [(25, PING)] * 9, 99.0, o.FIRST_EVENT_TIMEOUT,
            "first_event: none within 60 s of the head",
            id="comments are no beginning",
        ),
        pytest.param(
            [(99, ONE)], 99.0, o.FIRST_EVENT_TIMEOUT, "first_event: none within 60 s of the head",
            id="nothing at all is none either",
        ),
        pytest.param(
            [(25, PING)] * 9, 40.0, o.TOTAL_TIMEOUT, "total ran out while awaiting the first event",
            id="the whole request has less time",
        ),
        pytest.param([(1, PING), (1, CUT)], 60.0, o.UPSTREAM_RESET, CUT.detail, id="cut"),
        pytest.param([(1, RESET)], 60.0, o.UPSTREAM_RESET, RESET.detail, id="reset"),
        pytest.param(
            [(1, MALFORMED)], 60.0, o.UPSTREAM_PROTOCOL_ERROR, MALFORMED.detail, id="unreadable"
        ),
    ],
)  # fmt: skip
async def test_what_breaks_before_the_first_event_still_has_a_status(
    scene, steps: Steps, left: float, outcome: Outcome, detail: str
) -> None:
    play = scene(steps)
    failed = await play.hold(left)

    assert Failed(outcome, detail, ENDPOINT) == failed
    assert outcome.status is not None


async def test_an_empty_stream_is_held_no_longer_than_it_lasts(scene) -> None:
    play = scene([(1, END_OF_BODY), (0, END_OF_BODY)])

    assert await play.hold(60.0) is None
    assert await play.play() is None
    assert LAST_CHUNK == play.body


async def test_no_more_than_one_event_is_held(scene) -> None:
    play = scene([(0, b": " + b"x" * 998 + b"\n")] * 70 + [(1, END_OF_BODY)])

    assert await play.hold(60.0) is None
    assert len(play.stream.held) < MAX_HELD + 2000
