"""Times of a span, and its events: head, first event, stall, and an error told in the stream."""

from typing import Final

from proxy.attempt_record import Attempt
from proxy.exchange import Exchange
from proxy.outcome import COMPLETED, Outcome
from proxy.tracing import conventions as c
from proxy.tracing.wire import MOST, key_value, sized, varint

STALL: Final = 1.0
"""Seconds of silence within a stream from which on it is an event of its span."""
_EVENT: Final = b"\x5a"
_TIME: Final = b"\x09"
_NANO: Final = 1e9
_known: Final[dict[tuple[str, str | int], tuple[bytes, bytes]]] = {}
"""Events without their times, by name and the value of their attribute."""


def events_of(x: Exchange, outcome: Outcome) -> bytes:
    """Head, first event, the longest stall, and an error told inside the stream."""
    head = _head_of(x)
    if not x.streamed and x.first_event is None and not x.inband_error:
        return head
    told = [head]
    if x.first_event is not None:
        told.append(_event(x, x.started + x.first_event, c.FIRST_EVENT))
    if (since := x.last_byte) is not None and x.streamed:
        gap, at = x.max_gap, x.max_gap_at or 0.0
        silent = x.duration - since
        if outcome is not COMPLETED and silent > gap:
            gap, at = silent, since
        if gap >= STALL:
            told.append(_event(x, x.started + at, c.STALL, c.GAP, int(gap * 1000)))
    if x.inband_error:
        told.append(_event(x, x.ended, c.INBAND_ERROR, c.ERROR_TYPE, outcome.code))
    return b"".join(told)


def _head_of(x: Exchange) -> bytes:
    last = x.attempts[-1] if x.attempts else None
    if x.fallback is not None and x.fallback.given:
        last = x.fallback.attempt
    if last is None or last.head is None or last.status is None:
        return b""
    return _event(x, answered_at(last), c.HEAD, c.STATUS_CODE, last.status)


def around_head(status: int) -> tuple[bytes, bytes]:
    """The event of a head, but for its time: what stands before that, three bytes, and behind."""
    return _around(c.HEAD, c.STATUS_CODE, status)


def answered_at(tried: Attempt) -> float:
    """When the head came that an attempt was answered with."""
    return tried.started + tried.queued + (tried.connect or 0.0) + (tried.head or 0.0)


def _event(x: Exchange, at: float, name: str, key: str = "", value: str | int = "") -> bytes:
    before, behind = _around(name, key, value)
    return before + nanoseconds(x, at).to_bytes(8, "little") + behind


def _around(name: str, key: str, value: str | int) -> tuple[bytes, bytes]:
    """What stands before the time of an event, and behind."""
    known = _known.get((name, value))
    if known is None:
        told = sized(b"\x12", name.encode())
        if key:
            told += sized(b"\x1a", key_value(key, value))
        if len(_known) >= MOST:
            _known.clear()
        known = _known[name, value] = _EVENT + varint(9 + len(told)) + _TIME, told
    return known


def nanoseconds(x: Exchange, at: float) -> int:
    """Since 1970."""
    return int((x.started_wall + (at - x.started)) * _NANO)
