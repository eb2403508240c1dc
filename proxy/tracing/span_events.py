"""Times of a span, and its events: head, first event, stall, and an error told in the stream."""

from struct import Struct
from typing import Final

from proxy.exchange import Exchange
from proxy.outcome import COMPLETED, Outcome
from proxy.tracing import conventions as c
from proxy.tracing.wire import MOST, fixed64, key_value, sized, varint

STALL: Final = 1.0
"""Seconds of silence within a stream from which on it is an event of its span."""
_EVENT: Final = b"\x5a"
_TIME: Final = b"\x09"
_START: Final = 0x39
_END: Final = 0x41
_times: Final = Struct("<BQBQ").pack
_NANO: Final = 1e9
_known: Final[dict[tuple[str, str | int], bytes]] = {}
"""Events without their times, by name and the value of their attribute."""


def put_events(lines: list[bytes], x: Exchange, outcome: Outcome) -> None:
    """Head, first event, the longest stall, and an error told inside the stream."""
    last = x.attempts[-1] if x.attempts else None
    if x.fallback is not None and x.fallback.given:
        last = x.fallback.attempt
    if last is not None and last.head is not None and last.status is not None:
        at = last.started + last.queued + (last.connect or 0.0) + last.head
        _put(lines, x, at, c.HEAD, c.STATUS_CODE, last.status)
    if x.first_event is not None:
        _put(lines, x, x.started + x.first_event, c.FIRST_EVENT)
    if (since := x.last_byte) is not None and x.streamed:
        gap, at = x.max_gap, x.max_gap_at or 0.0
        silent = x.duration - since
        if outcome is not COMPLETED and silent > gap:
            gap, at = silent, since
        if gap >= STALL:
            _put(lines, x, x.started + at, c.STALL, c.GAP, int(gap * 1000))
    if x.inband_error:
        _put(lines, x, x.ended, c.INBAND_ERROR, c.ERROR_TYPE, outcome.code)


def _put(
    lines: list[bytes], x: Exchange, at: float, name: str, key: str = "", value: str | int = ""
) -> None:
    known = _known.get((name, value))
    if known is None:
        told = sized(b"\x12", name.encode())
        if key:
            told += sized(b"\x1a", key_value(key, value))
        if len(_known) >= MOST:
            _known.clear()
        known = _known[name, value] = _EVENT + varint(len(told) + 9) + told + _TIME
    lines.append(known)
    lines.append(fixed64(_nano(x, at)))


def times_of(x: Exchange, began: float, ended: float) -> bytes:
    return _times(_START, _nano(x, began), _END, _nano(x, ended))


def _nano(x: Exchange, at: float) -> int:
    """Nanoseconds since 1970."""
    return int((x.started_wall + (at - x.started)) * _NANO)
