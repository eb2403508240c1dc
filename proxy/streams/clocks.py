"""When a stream has been silent for too long, by each of its clocks."""

from collections.abc import Callable
from math import inf

from proxy import outcome as o
from proxy.outcome import Outcome
from proxy.terms import Timeouts

_TICK = 0.002
"""Loops round their clocks to milliseconds: a timer may fire that much before its time."""


class StreamClocks:
    """The clocks of one stream; all points in time lie on the `now` clock.

    `first_event` runs alone until the first data event.
    From then on `gap` is about any byte, comments included, and `event_gap`, if it is set, about
    events.
    """

    __slots__ = (
        "_event_at", "_event_due", "_event_gap", "_event_since", "_excused", "_gap", "_gap_due",
        "_limits", "_max_due", "_seen_at",
    )  # fmt: skip

    def __init__(self, limits: Timeouts, begun: float) -> None:
        self._limits = limits
        self._gap = limits.gap
        self._event_gap = inf if limits.event_gap is None else limits.event_gap
        self._event_at: float | None = None
        self._gap_due = inf
        self._event_due = begun + limits.first_event
        self._max_due = begun + limits.max_stream
        self._seen_at = self._event_since = self._excused = begun

    def saw(self, now: float, *, event: bool) -> None:
        """Bytes came, and with them perhaps an event."""
        self._seen_at = now
        if event:
            self._event_at = self._event_since = now
            self._event_due = now + self._event_gap
        elif self._event_at is None:
            return
        self._gap_due = now + self._gap

    def stop_for(self, seconds: float) -> None:
        """For so long the upstream was not read: it was not silent. `max_stream` goes on."""
        self._gap_due += seconds
        self._event_due += seconds
        if self._event_at is not None:
            self._event_at += seconds

    def excuse(self, now: float, stalled: Callable[[float, float], float]) -> None:
        """Time in which the loop did not run is nobody's silence. `max_stream` goes on."""
        self._gap_due += stalled(max(self._seen_at, self._excused), now)
        self._event_due += stalled(max(self._event_since, self._excused), now)
        self._excused = now

    def left(self, now: float) -> float:
        """Seconds until the first of them runs out, never below 0."""
        return max(0.0, min(self._gap_due, self._event_due, self._max_due) - now)

    def until_max(self, now: float) -> float:
        """Seconds that the stream may go on at most."""
        return max(0.0, self._max_due - now)

    def ran_out(self, now: float) -> tuple[Outcome, str] | None:
        """What follows where one has run out, and the words for it; None while there is time."""
        limits, late = self._limits, now + _TICK
        if late >= self._max_due:
            return o.STREAM_MAX_DURATION, f"max_stream: {limits.max_stream:g} s are over"
        if late >= self._event_due:
            return self._no_event(now)
        if late >= self._gap_due:
            return o.STREAM_STALLED, f"gap: no byte for {limits.gap:g} s"
        return None

    def since_event(self, now: float) -> float | None:
        """Seconds since the last data event; None where there was none."""
        return None if self._event_at is None else now - self._event_at

    def _no_event(self, now: float) -> tuple[Outcome, str]:
        if self._event_at is None:
            words = f"first_event: none within {self._limits.first_event:g} s of the head"
            return o.FIRST_EVENT_TIMEOUT, words
        return o.STREAM_STALLED, f"event_gap: no event for {now - self._event_at:.3g} s"
