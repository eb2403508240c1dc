"""A tunnel between two ends of which each does as a test says: why it ends, and what both hear.

The transports are fakes, because only they can be full, deaf or half closed to order.
"""

import asyncio
import errno
from dataclasses import dataclass, field
from typing import Self

import pytest

from proxy import outcome as o
from proxy.outcome import Outcome
from proxy.websocket import tunnel as room
from proxy.websocket.frames import close_frame
from proxy.websocket.side import ROOM
from proxy.websocket.tunnel import Tunnel
from tests.records import exchange

KEY = b"\x01\x02\x03\x04"
HELLO = b"\x81\x05hello"
CLOSE = close_frame(4001, "why")
RESET = ConnectionResetError("reset by peer")


class Side:
    """One peer and the connection to it, for which it is owner and transport at once."""

    def __init__(
        self,
        early: bytes = b"",
        rescued: bytes = b"",
        *,
        half_closes: bool = True,
        is_broken: bool = False,
    ):
        self.early = early
        self.rescued = rescued
        self.half_closes = half_closes
        self.is_broken = is_broken
        """Whether the kernel has had a reset that the loop has not read yet."""
        self.heard = b""
        """What the peer was sent."""
        self.calls: list[str] = []
        self.is_read = True
        self.has_finished = False
        self.high = -1
        """Bytes that may wait before the other side is held."""
        self.waiting = 0
        """Bytes that the peer does not take."""
        self.was_lost: list[BaseException | None] = []
        self._closing = False
        self.protocol: asyncio.BufferedProtocol

    # the owner of the connection

    def hand_over(self, to: asyncio.BufferedProtocol) -> bytes:
        self.protocol = to
        to.connection_made(self)
        return self.early

    def on_lost(self, exc: Exception | None) -> bytes:
        self.was_lost.append(exc)
        return self.rescued

    # what the peer does

    def say(self, data: bytes) -> None:
        assert self.is_read
        room = self.protocol.get_buffer(-1)
        room[: len(data)] = data
        self.protocol.buffer_updated(len(data))

    def finish(self) -> None:
        self.has_finished = True
        if not self.protocol.eof_received():
            self.close()

    def leave(self, exc: Exception | None = None) -> None:
        self._closing = True
        self.protocol.connection_lost(exc)

    # the transport

    def set_write_buffer_limits(self, high: int) -> None:
        self.high = high

    def write(self, data: bytes) -> None:
        assert not self._closing
        assert "end" not in self.calls
        self.heard += data

    def can_write_eof(self) -> bool:
        return self.half_closes

    def write_eof(self) -> None:
        if self.is_broken:
            raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")
        self.calls.append("end")

    def close(self) -> None:
        self._lose("close")

    def abort(self) -> None:
        self._lose("abort")

    def _lose(self, call: str) -> None:
        if not self.was_lost and (not self._closing or call == "abort"):
            self.calls.append(call)
            if not (self._closing or (self.waiting and call == "close")):
                asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)
            elif call == "abort":
                self.protocol.connection_lost(None)
            self._closing = True

    def is_closing(self) -> bool:
        return self._closing

    def get_extra_info(self, name: str) -> None:
        return None

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        assert not self.has_finished
        self.is_read = True


@dataclass
class Clocks:
    tunnel_idle: float = 30.0
    gap: float = 30.0
    client_write: float = 30.0


@dataclass
class Scene:
    """A tunnel under way."""

    client: Side = field(default_factory=Side)
    upstream: Side = field(default_factory=Side)
    clocks: Clocks = field(default_factory=Clocks)
    firsts: int = 0

    async def __aenter__(self) -> Self:
        self.x = exchange(request_id="r-1")
        self.tunnel = Tunnel(self.x, self.clocks, self.client, self.upstream, self._first)
        self.running = asyncio.create_task(self.tunnel.run())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self.running.cancel()
        self.client.abort()
        self.upstream.abort()
        _, left = await asyncio.wait([self.running], timeout=2)
        assert not left

    async def ended(self) -> Outcome:
        async with asyncio.timeout(2):
            return await self.running

    def _first(self) -> None:
        self.firsts += 1


async def test_bytes_pass_both_ways_and_are_counted() -> None:
    async with Scene() as scene:
        scene.client.say(b"\x81")
        scene.client.say(b"\x85" + KEY + b"12345")
        scene.upstream.say(HELLO)
        scene.client.leave()
        await scene.ended()

    assert b"\x81\x85" + KEY + b"12345" == scene.upstream.heard
    assert HELLO == scene.client.heard
    assert (11, 7) == (scene.x.bytes_in, scene.x.bytes_out)


async def test_what_came_before_the_tunnel_passes_first() -> None:
    async with Scene(Side(early=b"\x81\x00"), Side(early=HELLO)) as scene:
        scene.upstream.say(b"\x82\x00")

    assert b"\x81\x00" == scene.upstream.heard
    assert HELLO + b"\x82\x00" == scene.client.heard


async def test_the_first_bytes_of_the_upstream_are_told_of_once() -> None:
    async with Scene() as scene:
        scene.client.say(HELLO)
        assert 0 == scene.firsts
        scene.upstream.say(HELLO)
        scene.upstream.say(HELLO)

        assert 1 == scene.firsts


async def test_the_longest_silence_of_the_upstream_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = [100.0]
    monkeypatch.setattr(room, "now", lambda: at[0])
    async with Scene() as scene:
        for at[0] in (101.0, 104.0, 105.0):
            scene.upstream.say(HELLO)
        at[0] = 200.0
        scene.client.say(HELLO)

    assert (3.0, 101.0, 105.0) == (scene.x.max_gap, scene.x.max_gap_at, scene.x.last_byte)


@pytest.mark.parametrize("reader", ["client", "upstream"])
async def test_for_who_does_not_read_nothing_is_read(reader: str) -> None:
    async with Scene() as scene:
        full = getattr(scene, reader)
        other = scene.upstream if full is scene.client else scene.client
        full.protocol.pause_writing()

        assert (False, True) == (other.is_read, full.is_read)
        assert 1 == full.high

        full.protocol.resume_writing()

        assert other.is_read


@pytest.mark.parametrize("sender", ["client", "upstream"])
async def test_a_side_that_fills_the_room_yields_until_the_next_turn(sender: str) -> None:
    """There may be more: uvloop would read on up to 32 times within one turn."""
    async with Scene() as scene:
        side = getattr(scene, sender)
        side.say(bytes(len(ROOM) - 1))
        assert side.is_read

        side.say(bytes(len(ROOM)))
        assert not side.is_read

        await asyncio.sleep(0)
        assert side.is_read


async def test_a_side_that_yields_is_not_read_while_the_other_one_is_full() -> None:
    async with Scene() as scene:
        scene.client.say(bytes(len(ROOM)))
        scene.upstream.protocol.pause_writing()
        await asyncio.sleep(0)
        assert not scene.client.is_read

        scene.upstream.protocol.resume_writing()
        assert scene.client.is_read


async def test_a_side_that_ends_while_it_yields_is_not_read() -> None:
    """The fake transport fails where it is read behind its end."""
    async with Scene() as scene:
        scene.client.say(bytes(len(ROOM)))
        scene.client.finish()
        await asyncio.sleep(0)

        assert not scene.client.is_read


@pytest.mark.parametrize(
    ("reader", "outcome"), [("client", o.CLIENT_TOO_SLOW), ("upstream", o.STREAM_STALLED)]
)
async def test_who_takes_nothing_for_too_long_is_cut(reader: str, outcome: Outcome) -> None:
    async with Scene(clocks=Clocks(gap=0.02, client_write=0.02)) as scene:
        full = getattr(scene, reader)
        full.waiting = 100
        full.protocol.pause_writing()

        assert outcome is await scene.ended()
        assert "abort" in scene.client.calls
        assert "abort" in scene.upstream.calls
        assert f"the {reader} does not read" == scene.x.detail


async def test_who_took_everything_may_be_silent() -> None:
    async with Scene(clocks=Clocks(client_write=0.02)) as scene:
        scene.client.waiting = 100
        scene.client.protocol.pause_writing()
        scene.client.waiting = 0
        scene.client.protocol.resume_writing()
        await asyncio.sleep(0.06)

        assert not scene.running.done()


async def test_nothing_is_read_behind_an_end() -> None:
    async with Scene() as scene:
        scene.client.protocol.pause_writing()
        scene.upstream.is_read = True
        scene.upstream.finish()
        scene.client.protocol.resume_writing()

        assert ["end"] == scene.client.calls


async def test_who_reads_slowly_is_waited_for() -> None:
    async with Scene(clocks=Clocks(client_write=0.05)) as scene:
        scene.client.waiting = 100
        scene.client.protocol.pause_writing()
        for _ in range(4):
            await asyncio.sleep(0.03)
            scene.client.waiting -= 10

        assert not scene.running.done()


BOTH = ["client", "upstream"]


@pytest.mark.parametrize("first", BOTH)
async def test_the_end_of_one_side_is_passed_on_and_the_other_may_finish(first: str) -> None:
    async with Scene() as scene:
        one = getattr(scene, first)
        other = scene.upstream if one is scene.client else scene.client
        one.say(CLOSE)
        one.finish()

        assert ["end"] == other.calls
        assert [] == one.calls

        other.say(HELLO)
        other.finish()
        outcome = await scene.ended()

    assert HELLO == one.heard
    assert (["close"], ["end", "close"]) == ([c for c in one.calls if c != "end"], other.calls)
    assert (o.COMPLETED, f"closed by the {first} with 4001") == (outcome, scene.x.detail)


@pytest.mark.parametrize(
    ("first", "exc", "outcome"),
    [
        pytest.param("client", None, o.CLIENT_CLOSED_STREAM, id="the client leaves"),
        pytest.param("client", RESET, o.CLIENT_CLOSED_STREAM, id="the client resets"),
        pytest.param("upstream", None, o.STREAM_TRUNCATED, id="the upstream leaves"),
        pytest.param("upstream", RESET, o.STREAM_RESET, id="the upstream resets"),
    ],
)
@pytest.mark.parametrize("said", [b"", CLOSE], ids=["silently", "after a Close frame"])
async def test_what_an_end_means(
    first: str, exc: Exception | None, outcome: Outcome, said: bytes
) -> None:
    async with Scene() as scene:
        scene.upstream.say(HELLO + said)
        getattr(scene, first).leave(exc)
        scene.client.finish() if first == "upstream" else None
        ended = await scene.ended()

    assert (o.COMPLETED if said else outcome) is ended
    assert (scene.x.cancelled is not None) == (ended is o.CLIENT_CLOSED_STREAM)
    assert [1, 1] == [len(side.was_lost) for side in (scene.client, scene.upstream)]


async def test_the_upstream_is_closed_at_once_where_the_client_is_lost() -> None:
    async with Scene() as scene:
        scene.client.leave(RESET)

        assert ["end", "close"] == scene.upstream.calls


async def test_an_upstream_that_is_lost_is_not_awaited_to_read() -> None:
    async with Scene(clocks=Clocks(gap=0.02)) as scene:
        scene.upstream.waiting = 100
        scene.upstream.protocol.pause_writing()
        scene.upstream.leave(RESET)
        await asyncio.sleep(0.05)

        assert ["end"] == scene.client.calls


async def test_nothing_is_written_to_a_side_that_is_closing() -> None:
    """TLS has no half: with the end of the upstream its whole connection is closing."""
    async with Scene(upstream=Side(half_closes=False)) as scene:
        scene.upstream.finish()
        scene.client.say(HELLO)
        scene.client.finish()
        await scene.ended()

    assert b"" == scene.upstream.heard


async def test_the_last_words_of_a_lost_upstream_reach_a_client_that_still_sends() -> None:
    """Closing with unread bytes would be a reset: they are read and dropped until it leaves."""
    async with Scene(upstream=Side(rescued=CLOSE)) as scene:
        scene.upstream.protocol.pause_writing()
        assert not scene.client.is_read
        scene.upstream.leave(RESET)

        assert (CLOSE, ["end"], True) == (
            scene.client.heard, scene.client.calls, scene.client.is_read
        )  # fmt: skip

        scene.client.say(HELLO)
        scene.client.finish()
        assert o.COMPLETED is await scene.ended()
    assert b"" == scene.upstream.heard
    assert 0 == scene.x.bytes_in


@pytest.mark.parametrize("first", BOTH)
async def test_who_does_not_finish_is_cut(first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LINGER", 0.02)
    async with Scene() as scene:
        getattr(scene, first).finish()
        await scene.ended()

    assert "abort" in scene.client.calls
    assert "abort" in scene.upstream.calls


async def test_who_still_takes_its_last_bytes_is_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LINGER", 0.03)
    async with Scene() as scene:
        scene.client.waiting = 100
        scene.upstream.finish()
        for _ in range(4):
            await asyncio.sleep(0.02)
            scene.client.waiting -= 10
        assert not scene.running.done()
        await scene.ended()

    assert o.STREAM_TRUNCATED is scene.running.result()


async def test_a_side_that_cannot_be_half_closed_is_closed() -> None:
    """TLS: the end of the client ends both directions."""
    async with Scene(upstream=Side(half_closes=False)) as scene:
        scene.client.finish()
        assert ["close"] == scene.upstream.calls

        assert o.CLIENT_CLOSED_STREAM is await scene.ended()


@pytest.mark.parametrize("first", BOTH)
async def test_a_reset_on_both_sides_ends_at_once(first: str) -> None:
    """The end of one side cannot be written to the other, whose reset was not read yet."""
    sides = {name: Side(is_broken=name != first) for name in BOTH}
    async with Scene(**sides) as scene:
        sides[first].leave(RESET)
        other = sides[BOTH[first == "client"]]
        if first == "upstream":
            assert other.is_read, "so that the loop finds the reset"
            other.leave(RESET)
        ended = await scene.ended()

    assert (o.CLIENT_CLOSED_STREAM if first == "client" else o.STREAM_RESET) is ended
    assert [1, 1] == [len(side.was_lost) for side in sides.values()]


# Its states, as its repr says them.


async def test_open_then_one_side_closing_then_closed() -> None:
    async with Scene() as scene:
        assert "<Tunnel open: <client open> <upstream open>>" == repr(scene.tunnel)

        scene.client.finish()
        assert (
            "<Tunnel half_closed: <client half_closed_remote> <upstream half_closed_local>>"
        ) == repr(scene.tunnel)

        scene.upstream.finish()
        assert "<Tunnel half_closed: <client closing> <upstream closing>>" == repr(scene.tunnel)

        await scene.ended()
        assert "<Tunnel closed: <client closed> <upstream closed>>" == repr(scene.tunnel)


async def test_a_tunnel_that_we_leave_is_leaving_until_it_is_closed() -> None:
    async with Scene() as scene:
        scene.upstream.say(HELLO[:3])
        await drained(scene)
        assert "<Tunnel leaving: <client open> <upstream half_closed_local>>" == repr(scene.tunnel)

        scene.upstream.say(HELLO[3:])
        scene.upstream.say(CLOSE)
        assert "<Tunnel leaving: <client half_closed_local> <upstream closing>>" == repr(
            scene.tunnel
        )

        scene.client.say(CLOSE)
        await scene.ended()
        assert "<Tunnel closed: <client closed> <upstream closed>>" == repr(scene.tunnel)


async def test_an_end_that_tls_cannot_halve_closes_that_side() -> None:
    async with Scene(upstream=Side(half_closes=False)) as scene:
        scene.upstream.finish()

        assert "<Tunnel half_closed: <client half_closed_local> <upstream closing>>" == repr(
            scene.tunnel
        )


# When we leave.


async def test_silence_on_both_sides_ends_it_politely() -> None:
    async with Scene(clocks=Clocks(tunnel_idle=0.05)) as scene:
        for side in (scene.client, scene.upstream, scene.client):
            await asyncio.sleep(0.03)
            side.say(HELLO)
            assert not scene.running.done()
        await asyncio.sleep(0.07)
        scene.client.say(CLOSE)
        scene.upstream.say(CLOSE)

        assert o.COMPLETED is await scene.ended()
    assert HELLO + close_frame(1001, "idle r-1") == scene.client.heard
    assert 2 * len(HELLO) + len(close_frame(1001, "idle r-1", KEY)) == len(scene.upstream.heard)
    assert ("silent for 0.05 s", False) == (scene.x.detail, scene.x.inband_error)
    assert scene.x.clock_ran is not None
    assert scene.x.clock_ran > 0.04


async def drained(scene: Scene) -> None:
    scene.running.cancel()
    await asyncio.sleep(0)


async def test_a_drain_is_told_to_both_and_their_answers_are_awaited() -> None:
    async with Scene() as scene:
        await drained(scene)

        assert close_frame(1001, "drain_cut r-1") == scene.client.heard
        assert b"\x88" == scene.upstream.heard[:1]
        assert 0x80 & scene.upstream.heard[1]
        assert ([], []) == (scene.client.calls, scene.upstream.calls)

        scene.upstream.finish()
        assert ([], ["close"]) == (scene.client.calls[1:], scene.upstream.calls)
        scene.client.say(CLOSE)
        assert "close" == scene.client.calls[-1]
        assert o.DRAIN_CUT is await scene.ended()
    assert ("drain limit", True) == (scene.x.detail, scene.x.inband_error)
    assert b"\x88" == scene.upstream.heard[:1]


@pytest.mark.parametrize("first", BOTH)
async def test_who_answers_a_goodbye_does_not_end_the_other_side(first: str) -> None:
    async with Scene() as scene:
        one = getattr(scene, first)
        other = scene.upstream if one is scene.client else scene.client
        await drained(scene)
        one.say(CLOSE)
        await asyncio.sleep(0.01)

        assert [1, 0] == [len(side.was_lost) for side in (one, other)]
        assert [] == other.calls


async def test_no_goodbye_stands_inside_a_frame_and_nothing_behind_it() -> None:
    async with Scene() as scene:
        scene.upstream.say(HELLO[:3])
        await drained(scene)
        assert HELLO[:3] == scene.client.heard
        scene.upstream.say(HELLO[3:5])
        assert HELLO[:5] == scene.client.heard
        scene.upstream.say(HELLO[5:] + HELLO)

        assert HELLO + close_frame(1001, "drain_cut r-1") == scene.client.heard

        scene.upstream.say(HELLO)
        scene.client.say(HELLO)

        assert HELLO + close_frame(1001, "drain_cut r-1") == scene.client.heard
        assert b"\x88" == scene.upstream.heard[:1]
        scene.client.leave()
        scene.upstream.leave()
        await scene.ended()
    assert (0, len(HELLO)) == (scene.x.bytes_in, scene.x.bytes_out)


async def test_after_a_close_frame_no_other_one_follows() -> None:
    async with Scene() as scene:
        scene.upstream.say(CLOSE)
        await drained(scene)
        assert CLOSE == scene.client.heard
        assert b"\x88" == scene.upstream.heard[:1]
        scene.client.say(CLOSE)

        assert o.DRAIN_CUT is await scene.ended()


async def test_after_the_end_of_one_side_the_other_hears_no_goodbye() -> None:
    async with Scene() as scene:
        scene.upstream.finish()
        await drained(scene)

        assert b"" == scene.client.heard
        assert o.STREAM_TRUNCATED is await _after(scene)


async def test_a_side_to_which_everything_was_said_is_closed_when_we_leave() -> None:
    async with Scene() as scene:
        scene.upstream.finish()
        scene.client.say(CLOSE)
        await drained(scene)

        assert ["end", "close"] == scene.client.calls


async def _after(scene: Scene) -> Outcome:
    scene.client.finish()
    return await scene.ended()


async def test_who_does_not_answer_a_goodbye_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "FAREWELL", 0.02)
    async with Scene() as scene:
        scene.upstream.say(HELLO[:3])
        await drained(scene)

        assert o.DRAIN_CUT is await scene.ended()
    assert HELLO[:3] == scene.client.heard
    assert "abort" in scene.client.calls
    assert "abort" in scene.upstream.calls


async def test_a_second_call_to_leave_waits_for_nobody() -> None:
    async with Scene() as scene:
        await drained(scene)
        await drained(scene)
        with pytest.raises(asyncio.CancelledError):
            await scene.ended()

        assert "abort" in scene.client.calls
        assert "abort" in scene.upstream.calls


async def test_while_we_leave_a_client_that_is_full_still_gets_heard() -> None:
    """Its Close frame is awaited: the upstream's side must not be held for its sake."""
    async with Scene() as scene:
        scene.client.protocol.pause_writing()
        await drained(scene)

        assert scene.upstream.is_read
