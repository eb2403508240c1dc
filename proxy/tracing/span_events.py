"""Times of a span, and its events: head, first event, stall, and an error told in the stream."""

from struct import Struct

from proxy.exchange import Exchange
from proxy.outcome import COMPLETED, Outcome
from proxy.tracing import conventions as c
from proxy.tracing.wire import fixed64, key_value, sized

STALL = 1.0
"""Seconds of silence within a stream from which on it is an event of its span."""
_EVENT = b"\x5a"
_START, _END = 0x39, 0x41
_TIMES = Struct("<BQBQ")
_NANO = 1_000_000_000
_MOST = 512
_known: dict[tuple[str, str | int], bytes] = {}
"""Events without their times, by name and the value of their attribute."""


def events_of(x: Exchange, outcome: Outcome) -> list[bytes]:
    """Head, first event, the longest stall, and an error told inside the stream."""
    events: list[bytes] = []
    last = x.attempts[-1] if x.attempts else None
    if x.fallback is not None and x.fallback.given:
        last = x.fallback.attempt
    if last is not None and last.head is not None and last.status is not None:
        at = last.started + last.queued + (last.connect or 0.0) + last.head
        events.append(_event(x, c.HEAD, at, c.STATUS_CODE, last.status))
    if x.first_event is not None:
        events.append(_event(x, c.FIRST_EVENT, x.started + x.first_event))
    if (since := x.last_byte) is not None and x.streamed:
        gap, at = x.max_gap, x.max_gap_at or 0.0
        silent = x.duration - since
        if outcome is not COMPLETED and silent > gap:
            gap, at = silent, since
        if gap >= STALL:
            events.append(_event(x, c.STALL, x.started + at, c.GAP, int(gap * 1000)))
    if x.inband_error:
        events.append(_event(x, c.INBAND_ERROR, x.ended, c.ERROR_TYPE, outcome.code))
    return events


def _event(x: Exchange, name: str, at: float, key: str = "", value: str | int = "") -> bytes:
    told = _known.get((name, value))
    if told is None:
        told = sized(b"\x12", name.encode())
        if key:
            told += sized(b"\x1a", key_value(key, value))
        if len(_known) < _MOST:
            _known[name, value] = told
    return sized(_EVENT, fixed64(b"\x09", _nano(x, at)) + told)


def times_of(x: Exchange, began: float, ended: float) -> bytes:
    return _TIMES.pack(_START, _nano(x, began), _END, _nano(x, ended))


def _nano(x: Exchange, at: float) -> int:
    """Nanoseconds since 1970."""
    return int((x.started_wall + (at - x.started)) * _NANO)
