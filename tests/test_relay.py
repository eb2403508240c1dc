"""A body on its way to the client: bytes as they come, and how it may end.

The source and the sink are scripts; waiting moves the clock, so nothing really waits.
"""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy import outcome as o
from proxy import relay as room
from proxy.outcome import Outcome
from proxy.relay import LAST_CHUNK, chunk, relay
from proxy.upstream.result import END_OF_BODY, EndOfBody, Failed
from tests.records import exchange

few = settings(max_examples=50, deadline=None, database=None)
CUT = Failed(o.STREAM_TRUNCATED, "closed after 3 of 7 bytes", "http://e")
SILENT = Failed(o.STREAM_STALLED, "silent", "http://e")


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Rule:
    gap: float = 30.0
    max_stream: float = 900.0
    client_write: float = 20.0


@dataclass
class Source:
    """Gives pieces, each after its wait; a wait longer than allowed ends in silence."""

    clock: Clock
    pieces: list[tuple[float, bytes | EndOfBody | Failed]]
    timeouts: list[float] = field(default_factory=list)

    async def read(self, silence: float, limit: float) -> bytes | EndOfBody | Failed:
        timeout = min(silence, limit)
        self.timeouts.append(timeout)
        wait, piece = self.pieces.pop(0)
        self.clock.now += min(wait, timeout)
        return SILENT if wait > timeout else piece


@dataclass
class Sink:
    """Takes bytes; where `takes` says how long, it is full after each piece for that time."""

    clock: Clock
    takes: float | None = None
    written: list[bytes] = field(default_factory=list)

    def write(self, data: bytes) -> None:
        self.written.append(data)

    @property
    def is_full(self) -> bool:
        return self.takes is not None

    async def drained(self, silence: float, limit: float) -> bool:
        assert self.takes is not None
        self.clock.now += min(self.takes, silence)
        return self.takes <= silence


@dataclass
class Scene:
    """One body, and what became of it."""

    pieces: list[tuple[float, bytes | EndOfBody | Failed]]
    takes: float | None = None
    rule: Rule = field(default_factory=Rule)
    chunked: bool = False
    last_byte: float | None = None

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.x = exchange(started=99.0, last_byte=self.last_byte)
        self.source = Source(self.clock, list(self.pieces))
        self.sink = Sink(self.clock, self.takes)

    async def play(self, monkeypatch: pytest.MonkeyPatch) -> Outcome | None:
        monkeypatch.setattr(room, "now", self.clock)
        return await relay(self.x, self.source, self.sink, self.rule, chunked=self.chunked)


@few
@given(st.binary(min_size=1, max_size=300))
def test_a_chunk_is_its_size_and_its_bytes(data: bytes) -> None:
    size, _, rest = chunk(data).partition(b"\r\n")

    assert len(data) == int(size, 16)
    assert data + b"\r\n" == rest


@pytest.mark.parametrize(
    ("chunked", "written"),
    [
        pytest.param(False, [b"ab", b"c"], id="as they come"),
        pytest.param(True, [b"2\r\nab\r\n", b"1\r\nc\r\n", LAST_CHUNK], id="as chunks, and an end"),
    ],
)
async def test_each_piece_is_passed_on_at_once(chunked, written, monkeypatch) -> None:
    scene = Scene([(1.0, b"ab"), (2.0, b"c"), (0.0, END_OF_BODY)], chunked=chunked)
    outcome = await scene.play(monkeypatch)

    assert outcome is None
    assert written == scene.sink.written
    assert 3 == scene.x.bytes_out


async def test_what_the_record_says_of_a_body(monkeypatch) -> None:
    scene = Scene([(3.0, b"a"), (5.0, b"b"), (4.0, b"c"), (9.0, END_OF_BODY)], takes=0.5)
    await scene.play(monkeypatch)

    assert 14.0 == scene.x.last_byte
    assert 5.0 == scene.x.max_gap
    assert 21.0 == scene.x.spent.upstream_wait
    assert 1.5 == scene.x.spent.client


async def test_bytes_that_went_with_the_head_were_the_first(monkeypatch) -> None:
    scene = Scene([(1.0, b"b"), (0.0, END_OF_BODY)], last_byte=0.5)
    await scene.play(monkeypatch)

    assert 2.0 == scene.x.last_byte
    assert 1.0 == scene.x.max_gap


@pytest.mark.parametrize(
    ("unusual", "outcome"),
    [
        pytest.param({"pieces": [(1.0, b"abc"), (0.0, CUT)]}, o.STREAM_TRUNCATED, id="cut"),
        pytest.param({"pieces": [(1.0, b"abc"), (31.0, b"")]}, o.STREAM_STALLED, id="silent"),
        pytest.param(
            {"pieces": [(1.0, b"abc"), (9.5, b"")], "rule": Rule(max_stream=10.0)},
            o.STREAM_MAX_DURATION,
            id="silent when its time is over",
        ),
        pytest.param(
            {"pieces": [(10.0, CUT)], "rule": Rule(max_stream=10.0)},
            o.STREAM_TRUNCATED,
            id="cut when its time is over",
        ),
        pytest.param(
            {"pieces": [(5.0, b"abc")] * 3, "rule": Rule(max_stream=10.0)},
            o.STREAM_MAX_DURATION,
            id="never silent, but too long",
        ),
        pytest.param(
            {"pieces": [(1.0, b"abc")] * 2, "takes": 19.0, "rule": Rule(max_stream=10.0)},
            o.STREAM_MAX_DURATION,
            id="too long because the client reads slowly",
        ),
        pytest.param(
            {"pieces": [(1.0, b"abc")], "takes": 21.0}, o.CLIENT_TOO_SLOW, id="the client is stuck"
        ),
    ],
)
async def test_a_broken_body_never_looks_whole(unusual, outcome, monkeypatch) -> None:
    scene = Scene(**unusual, chunked=True)

    assert outcome is await scene.play(monkeypatch)
    assert LAST_CHUNK not in scene.sink.written


async def test_why_it_broke_is_on_the_record(monkeypatch) -> None:
    scene = Scene([(0.0, CUT)])
    await scene.play(monkeypatch)

    assert "closed after 3 of 7 bytes" == scene.x.detail


async def test_a_stuck_client_is_not_counted_as_our_own_time(monkeypatch) -> None:
    scene = Scene([(1.0, b"abc")], takes=21.0)
    await scene.play(monkeypatch)

    assert 20.0 == scene.x.spent.client


async def test_the_clock_of_a_stuck_client_is_measured(monkeypatch) -> None:
    stuck = Scene([(1.0, b"abc")], takes=21.0)
    long = Scene([(1.0, b"abc")], takes=21.0, rule=Rule(max_stream=10.0))

    assert o.CLIENT_TOO_SLOW is await stuck.play(monkeypatch)
    assert o.STREAM_MAX_DURATION is await long.play(monkeypatch)
    assert (20.0, None) == (stuck.x.clock_ran, long.x.clock_ran)


async def test_a_wait_is_cut_from_what_is_left(monkeypatch) -> None:
    scene = Scene([(25.0, b"a"), (30.0, b"b"), (1.0, END_OF_BODY)], rule=Rule(max_stream=60.0))
    await scene.play(monkeypatch)

    assert [30.0, 30.0, 5.0] == scene.source.timeouts
