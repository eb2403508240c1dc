"""Passing on a stream of events: whole ones only, and the truth about its end inside the stream.

The status went out long ago. So what breaks a stream is said in the stream's own format, and then
its framing is ended cleanly: an abort would cost a slow reader what is still queued for it.
Nothing is ever invented: no success marker, and no clean end without the error before it.
"""

from collections.abc import Callable
from math import inf
from typing import Protocol

from proxy import outcome as o
from proxy.clock import now
from proxy.exchange import Exchange
from proxy.http.error_response import error_body
from proxy.http.proxy_status import ProxyStatus
from proxy.loop_lag import stalled, waited
from proxy.outcome import Outcome
from proxy.relay import LAST_CHUNK, BodySink, BodySource, chunk
from proxy.streams.clocks import StreamClocks
from proxy.streams.errors import error_event
from proxy.streams.framing import MAX_HELD, EventFraming
from proxy.streams.markers import end_marker
from proxy.streams.rules import StreamRule
from proxy.terms import Timeouts
from proxy.upstream.result import EndOfBody, Failed

PROGRESS = 60.0
"""Seconds between two `stream_progress` events."""


class StreamObserver(Protocol):
    """Who is told of a stream while it lasts."""

    def stream_gaps(self, x: Exchange) -> Callable[[float], None]:
        """Whom to tell, in seconds, of each silence between two reads."""

    def stream_started(self, x: Exchange) -> None: ...

    def stream_progress(self, x: Exchange) -> None: ...


class EventStream:
    """One answer that is a stream of events; its clocks begin here, at its head.

    `on_first` is called at the first event.
    """

    def __init__(
        self,
        x: Exchange,
        framing: EventFraming,
        rule: StreamRule,
        clocks: Timeouts,
        watcher: StreamObserver,
    ) -> None:
        self._x = x
        self._framing = framing
        self._rule = rule
        self._limits = clocks
        self._watcher = watcher
        self._note_gap = watcher.stream_gaps(x)
        self._marker = end_marker(rule.end_marker, framing)
        begun = now()
        self._clocks = StreamClocks(clocks, begun)
        self._arrived = begun
        self._beat_due = begun + (rule.heartbeat or inf)
        self._progress_due = begun + PROGRESS if rule.progress else inf
        self._sink: BodySink
        self._is_blocked = False
        """Whether the client did not take all of what was passed on last."""
        self.chunked = True
        """How the framing to the client ends: by a last chunk, or else by closing."""
        self.can_tell = True
        """Whether an error can be said in the stream; not where its length was announced."""
        self.status: ProxyStatus | None = None
        """Says in a trailer what broke the stream; only where the head carried our member too."""
        self.on_first: Callable[[], None] = _nothing
        self.held = b""
        """What was read before the commit."""

    async def hold(self, source: BodySource, left: float) -> Failed | None:
        """Wait for the first event, at most `left` seconds; what broke the stream before it."""
        until = now() + left
        while self._x.first_event is None and len(self.held) <= MAX_HELD:
            at = now()
            try:
                piece = await source.read(self._clocks.left(at), max(0.0, until - at))
            finally:
                self._x.upstream_wait += waited(at, now())
            if isinstance(piece, EndOfBody):
                return None
            if isinstance(piece, Failed):
                if self._excused(piece, until):
                    continue
                return self._not_begun(piece)
            self.held += self._take(piece, now())
        return None

    async def relay(self, source: BodySource, sink: BodySink) -> Outcome | None:
        """Pass events on to the end. None if it was a good one, else what broke the stream."""
        if self._rule.progress:
            self._watcher.stream_started(self._x)
        broken: Outcome | None = None
        self._sink = sink
        while broken is None:
            began = now()
            wait = self._wait(began)
            source.tap = self._pass  # events do not wake us; a clock does, or the end
            try:
                piece = await source.read(self._clocks.left(began), self._real(began))
            finally:
                source.tap = None
                arrived = now()
                self._x.upstream_wait += waited(began, arrived)
            if isinstance(piece, bytes):
                self._pass(piece)
            elif isinstance(piece, EndOfBody):
                return self._finish(sink)
            elif piece.outcome is not o.STREAM_STALLED:
                self._x.detail = piece.detail
                return piece.outcome
            if self._is_blocked and sink.is_full:
                broken = await self._drain(arrived, sink)
            elif wait <= 0 or not isinstance(piece, bytes):
                broken = self._look(arrived, sink)  # a busy stream never waits for its clocks
        return broken

    def tell(self, outcome: Outcome, sink: BodySink) -> bool:
        """Say in the stream what broke it and end the framing; False where that cannot be."""
        self._x.held = self._framing.held
        if not (self.can_tell and outcome.message) or self._framing.is_raw:
            return False
        openai = self._rule.errors == "openai" and self._framing.profile == "sse"
        profile = "openai" if openai else self._framing.profile
        event = error_event(profile, error_body(outcome, self._x.request_id))
        sink.write(chunk(event) + self._last_chunk(outcome) if self.chunked else event)
        self._x.inband_error = True
        return True

    def _last_chunk(self, outcome: Outcome) -> bytes:
        if self.status is None:
            return LAST_CHUNK
        return b"0\r\n%b\r\n" % self.status.error(outcome)

    def _pass(self, piece: bytes) -> bool:
        """Pass on what came, mostly while `relay` sleeps; whether it may sleep on."""
        x, sink, arrived = self._x, self._sink, now()
        if x.reads:
            self._note_gap(waited(self._arrived, arrived))
        ready = self._take(piece, arrived)
        if ready:
            sink.write(chunk(ready) if self.chunked else ready)
            x.bytes_out += len(ready)
        self._is_blocked = sink.is_full
        return not self._is_blocked

    def _write(self, ready: bytes, sink: BodySink) -> None:
        sink.write(chunk(ready) if self.chunked else ready)
        self._x.bytes_out += len(ready)

    async def _drain(self, since: float, sink: BodySink) -> Outcome | None:
        """Wait for the client; meanwhile the upstream is not silent, it is not read."""
        is_read = await sink.drained(self._limits.client_write, self._clocks.until_max(since))
        resumed = now()
        took = resumed - since
        self._is_blocked = False
        self._x.client_wait += waited(since, resumed)
        self._arrived = resumed
        self._clocks.stop_for(took)
        self._beat_due += took
        return None if is_read else o.CLIENT_TOO_SLOW

    def _take(self, piece: bytes, arrived: float) -> bytes:
        """Whole events out of what has come, counted and measured."""
        x, framing = self._x, self._framing
        ready = framing.feed(piece)
        gap, self._arrived = waited(self._arrived, arrived), arrived
        x.last_byte = at = arrived - x.started
        x.reads += 1
        if x.reads == 1:
            x.first_byte = at
        elif gap > x.max_gap:
            x.max_gap, x.max_gap_at = gap, at - gap
        self._clocks.saw(arrived, event=framing.has_event)
        if self._rule.heartbeat is not None:
            self._beat_due = arrived + self._rule.heartbeat
        if framing.has_event:
            x.events, x.is_raw = framing.events, framing.is_raw
            if x.first_event is None:
                x.first_event = arrived - x.started
                self.on_first()
        if self._marker is not None and ready:
            self._marker.see(ready)
        return ready

    def _wait(self, at: float) -> float:
        return min(self._clocks.left(at), self._real(at))

    def _real(self, at: float) -> float:
        """Seconds until the first of what real time bounds."""
        due = min(self._beat_due, self._progress_due)
        return min(self._clocks.until_max(at), max(0.0, due - at))

    def _look(self, at: float, sink: BodySink) -> Outcome | None:
        """Which clock it is: one that ends the stream, or one that only means to speak."""
        self._clocks.excuse(at, stalled)
        if over := self._clocks.ran_out(at):
            self._x.detail = over[1]
            return over[0]
        if at >= self._beat_due:
            self._beat_due = at + (self._rule.heartbeat or inf)
            beat = self._framing.heartbeat() if self.can_tell else b""
            if beat:
                self._write(beat, sink)
        if at >= self._progress_due:
            self._progress_due = at + PROGRESS
            self._watcher.stream_progress(self._x)
        return None

    def _finish(self, sink: BodySink) -> Outcome | None:
        held = self._framing.held
        tail = self._framing.finish()
        self._x.events = self._framing.events
        if self._marker is not None:
            self._marker.see(tail)
            self._x.end_marker = self._marker.is_carried
            if self._rule.end_marker.mode == "strict" and self._marker.is_missing:
                self._x.detail, self._x.held = "end marker missing", held
                return o.STREAM_TRUNCATED
        if tail:
            self._write(tail, sink)
        if self.chunked:
            sink.write(LAST_CHUNK)
        return None

    def _excused(self, failed: Failed, until: float) -> bool:
        """Whether it was no silence of the upstream that ran out, but our own stall."""
        at = now()
        self._clocks.excuse(at, stalled)
        is_over = at >= until or self._clocks.ran_out(at) is not None
        return failed.outcome is o.STREAM_STALLED and not is_over

    def _not_begun(self, failed: Failed) -> Failed:
        """No event came while the head was held: now the status can still say so."""
        if failed.outcome is o.STREAM_STALLED:
            over = self._clocks.ran_out(now())
            words = over[1] if over else "total ran out while awaiting the first event"
            outcome = o.FIRST_EVENT_TIMEOUT if over else o.TOTAL_TIMEOUT
            return Failed(outcome, words, failed.endpoint)
        malformed = failed.outcome is o.STREAM_MALFORMED
        outcome = o.UPSTREAM_PROTOCOL_ERROR if malformed else o.UPSTREAM_RESET
        return Failed(outcome, failed.detail, failed.endpoint)


def _nothing() -> None:
    pass
