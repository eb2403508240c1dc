"""Passing on a stream of events: whole ones only, and the truth about its end inside the stream.

The status went out long ago. So what breaks a stream is said in the stream's own format, and then
its framing is ended cleanly: an abort would cost a slow reader what is still queued for it.
Nothing is ever invented: no success marker, and no clean end without the error before it.
"""

from collections.abc import Callable
from math import inf

from proxy import outcome as o
from proxy.clock import now
from proxy.exchange import Exchange
from proxy.http.error_response import error_body
from proxy.http.proxy_status import ProxyStatus
from proxy.outcome import Outcome
from proxy.relay import LAST_CHUNK, BodySink, BodySource, chunk
from proxy.streams.clocks import StreamClocks
from proxy.streams.dues import Dues
from proxy.streams.errors import error_after
from proxy.streams.framing import PATIENCE, EventFraming
from proxy.streams.observer import StreamObserver
from proxy.streams.rules import StreamRule
from proxy.streams.verdict import StreamVerdict
from proxy.terms import Timeouts
from proxy.time_spent import CLIENT, UPSTREAM
from proxy.timing.loop_lag import stalled, waited
from proxy.upstream.result import EndOfBody


class EventStream:
    """One answer that is a stream of events; its clocks begin here, at its head.

    `on_first` is called at the first event, unless that is an error.
    """

    def __init__(
        self,
        x: Exchange,
        framing: EventFraming,
        rule: StreamRule,
        clocks: Timeouts,
        watcher: StreamObserver,
    ) -> None:
        self.exchange = x
        self.framing = framing
        self._rule = rule
        self._limits = clocks
        self._watcher = watcher
        self._note_gap = watcher.stream_gaps(x)
        self.verdict = StreamVerdict(framing, rule.end_marker)
        begun = now()
        self.clocks = StreamClocks(clocks, begun)
        self._arrived = begun
        self.dues = Dues(rule, begun)
        self._wakes_at = inf
        """When the read that is under way ends at the latest."""
        self._sleeps_on = True
        """Whether the clocks still allow it to last so long."""
        self._sink: BodySink
        self._is_blocked = False
        """Whether the client did not take all of what was passed on last."""
        self.chunked = True
        """How the framing to the client ends: by a last chunk, or else by closing."""
        self.can_tell = True
        """Whether an error can be said in the stream; not where its length was announced."""
        self.ended_as: Outcome | None = None
        """What a stream that ended well was all the same: an error of the upstream's, or empty."""
        self.status: ProxyStatus | None = None
        """Says in a trailer what broke the stream; only where the head carried our member too."""
        self.on_first: Callable[[], None] | None = None
        self.held = b""
        """What was read before the commit."""

    async def relay(self, source: BodySource, sink: BodySink) -> Outcome | None:
        """Pass events on to the end. None if it was a good one, else what broke the stream."""
        if self._rule.progress:
            self._watcher.stream_started(self.exchange)
        broken: Outcome | None = None
        self._sink = sink
        while broken is None:
            began = now()
            self._sleeps_on = True
            silence, real = self.clocks.left(began), self._real(began)
            wait = min(silence, real)
            self._wakes_at = began + wait
            before = self.exchange.spent.enter(UPSTREAM, began)
            source.tap = self._pass  # events do not wake us; a clock does, or the end
            try:
                piece = await source.read(silence, real)
            finally:
                source.tap = None
                arrived = now()
                self.exchange.spent.enter(before, arrived)
            if isinstance(piece, bytes):
                self._pass(piece)
            elif isinstance(piece, EndOfBody):
                return self._finish(sink)
            elif piece.outcome is not o.STREAM_STALLED:
                self.exchange.note(piece.detail)
                return piece.outcome
            if self._is_blocked and sink.is_full:
                broken = await self._drain(arrived, sink)
            elif wait <= 0 or not isinstance(piece, bytes):
                broken = self._look(arrived, sink)  # a busy stream never waits for its clocks
        return broken

    def tell(self, outcome: Outcome, sink: BodySink) -> bool:
        """Say in the stream what broke it and end the framing; False where that cannot be."""
        framing = self.framing
        self.exchange.held = framing.held
        if not (self.can_tell and outcome.message and framing.takes_error):
            return False
        body = error_body(outcome, self.exchange.request_id)
        event = error_after(framing, self._rule.errors, body)
        end = LAST_CHUNK if self.status is None else b"0\r\n%b\r\n" % self.status.error(outcome)
        sink.write(chunk(event) + end if self.chunked else event)
        self.exchange.inband_error = True
        return True

    def _pass(self, piece: bytes) -> bool:
        """Pass on what came, mostly while `relay` sleeps; whether it may sleep on."""
        sink = self._sink
        ready = self.take(piece, now())
        if ready:  # `_write`, without a call for each event
            sink.write(chunk(ready) if self.chunked else ready)
            self.exchange.sent(len(ready))
        self._is_blocked = is_full = sink.is_full
        return self._sleeps_on and not is_full

    def _write(self, ready: bytes, sink: BodySink) -> None:
        sink.write(chunk(ready) if self.chunked else ready)
        self.exchange.sent(len(ready))

    async def _drain(self, since: float, sink: BodySink) -> Outcome | None:
        """Wait for the client; meanwhile the upstream is not silent, it is not read."""
        before = self.exchange.spent.enter(CLIENT, since)
        try:
            is_read = await sink.drained(self._limits.client_write, self.clocks.until_max(since))
        finally:
            resumed = now()
            self.exchange.spent.enter(before, resumed)
        took = resumed - since
        self._is_blocked = False
        self._arrived = resumed
        self.clocks.stop_for(took)
        return None if is_read else self._unread(waited(since, resumed), resumed)

    def _unread(self, waited: float, at: float) -> Outcome:
        """Which clock ended the wait for the client."""
        if (over := self.clocks.ran_out(at)) and over[0] is o.STREAM_MAX_DURATION:
            self.exchange.note(over[1])
            return over[0]
        self.exchange.clock_over(waited)
        return o.CLIENT_TOO_SLOW

    def take(self, piece: bytes, arrived: float) -> bytes:
        """Whole events out of what has come, counted and measured."""
        x, framing = self.exchange, self.framing
        ready = framing.feed(piece)
        gap = waited(self._arrived, arrived)
        self._arrived = arrived
        if x.reads:
            self._note_gap(gap)
        x.saw(arrived, gap, 1)
        if framing.whole:
            self.verdict.look()
        if framing.has_event:
            self.clocks.saw_event(arrived)
            x.events = framing.events
            if framing.is_raw:
                x.begin_stream(is_raw=True)
            if x.first_event is None:
                self._begin(arrived - x.started)
        else:
            self.clocks.saw(arrived)
        if framing.held:
            self._hold_on(arrived)
        else:
            self.dues.release = inf
        return ready

    def _begin(self, at: float) -> None:
        """The first event: other clocks run from now on."""
        self.exchange.first_event = at
        self._sleeps_on = False
        if self.verdict.error is None and self.on_first is not None:
            self.on_first()

    def _hold_on(self, arrived: float) -> None:
        """An event is unfinished: it will not be held for ever."""
        if self.dues.release == inf:
            self.dues.release = arrived + PATIENCE
            self._sleeps_on = self._sleeps_on and self._wakes_at <= self.dues.release

    def release(self, at: float) -> bytes:
        """Whole lines of an event that has been held for long enough."""
        self.dues.release = inf
        framing, x = self.framing, self.exchange
        lines = framing.release()
        if lines and framing.has_event:
            self.clocks.saw_event(at)
            if x.first_event is None:
                self._begin(at - x.started)
        return lines

    def _real(self, at: float) -> float:
        """Seconds until the first of what real time bounds."""
        return min(self.clocks.until_max(at), max(0.0, self.dues.first(self._arrived) - at))

    def _look(self, at: float, sink: BodySink) -> Outcome | None:
        """Which clock it is: one that ends the stream, or one that only means to speak."""
        if at >= self.dues.release and (lines := self.release(at)):
            self._write(lines, sink)
        self.clocks.excuse(at, stalled)
        if over := self.clocks.ran_out(at):
            self.exchange.note(over[1])
            self.exchange.clock_over(self.clocks.since_event(at))
            return over[0]
        if at >= self.dues.beat(self._arrived):
            self.dues.renew_beat(at)
            beat = self.framing.heartbeat() if self.can_tell else b""
            if beat:
                self._write(beat, sink)
        if at >= self.dues.progress:
            self.dues.renew_progress(at)
            self._watcher.stream_progress(self.exchange)
        return None

    def _finish(self, sink: BodySink) -> Outcome | None:
        framing = self.framing
        held = framing.held
        tail = framing.finish()
        self.exchange.events = framing.events
        verdict = self.verdict
        verdict.look()
        self.exchange.end_marker = verdict.end_marker
        if verdict.lacks_marker:
            self.exchange.note("end marker missing")
            self.exchange.held = held
            return o.STREAM_TRUNCATED
        self.ended_as = verdict.outcome(has_begun=self.exchange.first_event is not None)
        if verdict.error is not None:
            self.exchange.note(verdict.error)
        if tail:
            self._write(tail, sink)
        if self.chunked:
            sink.write(LAST_CHUNK)
        return None
