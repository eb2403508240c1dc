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
        "_event_at", "_event_gap", "_event_since", "_excused", "_gap", "_limits", "_max_due",
        "_seen_at",
    )  # fmt: skip

    def __init__(self, limits: Timeouts, begun: float) -> None:
        self._limits = limits
        self._gap = limits.gap
        self._event_gap = inf if limits.event_gap is None else limits.event_gap
        self._event_at = -inf
        """When the last data event came; before each time where there was none."""
        self._max_due = begun + limits.max_stream
        self._seen_at = self._event_since = self._excused = begun
        """Since when no byte, and no event, has come: later by all that is nobody's silence. And
        until when that is known."""

    def saw(self, now: float) -> None:
        """Bytes came, and with them no event."""
        self._seen_at = now

    def saw_event(self, now: float) -> None:
        """Bytes came, and with them an event. Dues are reckoned when they are asked for."""
        self._seen_at = self._event_since = self._event_at = now

    def stop_for(self, seconds: float) -> None:
        """For so long the upstream was not read: it was not silent. `max_stream` goes on."""
        self._seen_at += seconds
        self._event_since += seconds
        self._event_at += seconds

    def excuse(self, now: float, stalled: Callable[[float, float], float]) -> None:
        """Time in which the loop did not run is nobody's silence. `max_stream` goes on."""
        self._seen_at += stalled(max(self._seen_at, self._excused), now)
        self._event_since += stalled(max(self._event_since, self._excused), now)
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
        return now - self._event_at if self._has_begun else None

    @property
    def _has_begun(self) -> bool:
        """Whether a data event has come."""
        return self._event_at > -inf

    @property
    def _gap_due(self) -> float:
        return self._seen_at + self._gap if self._has_begun else inf

    @property
    def _event_due(self) -> float:
        most = self._event_gap if self._has_begun else self._limits.first_event
        return self._event_since + most

    def _no_event(self, now: float) -> tuple[Outcome, str]:
        if not self._has_begun:
            words = f"first_event: none within {self._limits.first_event:g} s of the head"
            return o.FIRST_EVENT_TIMEOUT, words
        return o.STREAM_STALLED, f"event_gap: no event for {now - self._event_at:.3g} s"
