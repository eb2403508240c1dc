"""Passing the body on after the commit: from here on nothing retries and no status changes.

Bytes go on as they come, one read, one write; nothing is collected and nothing is delayed.
When the client does not read, the upstream is not read either.
"""

from collections.abc import Callable
from math import inf
from typing import Final, Protocol

from proxy import outcome as o
from proxy.clock import now
from proxy.exchange import Exchange
from proxy.loop_lag import waited
from proxy.outcome import Outcome
from proxy.terms import Timeouts
from proxy.upstream.result import EndOfBody, Failed

LAST_CHUNK = b"0\r\n\r\n"

_LATE_READS: Final = 16
"""Reads that are still taken when `max_stream` is over: what came in time may lie in the kernel."""


class BodySource(Protocol):
    """Where the body comes from."""

    tap: Callable[[bytes], bool] | None
    """Takes bytes as they come while `read` waits; whether the wait may go on."""

    async def read(self, silence: float, limit: float = inf) -> bytes | EndOfBody | Failed: ...


class BodySink(Protocol):
    """Where the body goes."""

    def write(self, data: bytes) -> None: ...

    @property
    def is_full(self) -> bool: ...

    async def drained(self, silence: float, limit: float) -> bool: ...


def chunk(data: bytes) -> bytes:
    """`data` as one chunk (RFC 9112 §7.1); never none, for an empty chunk ends the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


async def relay(
    x: Exchange,
    source: BodySource,
    sink: BodySink,
    clocks: Timeouts,
    *,
    chunked: bool,
) -> Outcome | None:
    """Pass the body on to its end. None if it ended well, else what broke it."""
    last_call = now() + clocks.max_stream
    late = 0
    while late < _LATE_READS:
        began = now()
        late += began >= last_call
        try:
            piece = await source.read(clocks.gap, max(0.0, last_call - began))
        finally:
            arrived = now()
            took = waited(began, arrived)
            x.upstream_wait += took
        if not isinstance(piece, bytes):
            return _ended(x, piece, sink, overdue=arrived >= last_call, chunked=chunked)
        _measure(x, piece, arrived, took)
        sink.write(chunk(piece) if chunked else piece)
        if sink.is_full:
            is_read = await sink.drained(clocks.client_write, last_call - arrived)
            x.client_wait += waited(arrived, now())
            if not is_read:
                return o.CLIENT_TOO_SLOW
    return o.STREAM_MAX_DURATION


def _measure(x: Exchange, piece: bytes, arrived: float, gap: float) -> None:
    if x.first_byte is None:
        x.first_byte = arrived - x.started
    elif gap > x.max_gap:
        x.max_gap, x.max_gap_at = gap, arrived - gap - x.started
    x.last_byte = arrived - x.started
    x.bytes_out += len(piece)


def _ended(
    x: Exchange, ending: EndOfBody | Failed, sink: BodySink, *, overdue: bool, chunked: bool
) -> Outcome | None:
    if isinstance(ending, EndOfBody):
        if chunked:
            sink.write(LAST_CHUNK)
        return None
    x.detail = ending.detail
    if overdue and ending.outcome is o.STREAM_STALLED:
        return o.STREAM_MAX_DURATION
    return ending.outcome
