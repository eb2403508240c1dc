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
from proxy.outcome import Outcome
from proxy.terms import Timeouts
from proxy.time_spent import CLIENT, UPSTREAM
from proxy.timing.loop_lag import waited
from proxy.upstream.result import EndOfBody, Failed

LAST_CHUNK = b"0\r\n\r\n"

_LATE_READS: Final = 16
"""Reads that are still taken when `max_stream` is over: what came in time may lie in the kernel."""

_SIZES = tuple([b"%x\r\n" % size for size in range(2048)])
"""Size lines of usual chunks: to format one for each event costs as much as to frame the event."""

_TICK = 0.002
"""Loops round their clocks to milliseconds: a timer may fire that much before its time."""


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
    size = len(data)
    if size < len(_SIZES):
        return b"".join((_SIZES[size], data, b"\r\n"))
    return b"%x\r\n%b\r\n" % (size, data)


async def relay(
    x: Exchange,
    source: BodySource,
    sink: BodySink,
    clocks: Timeouts,
    *,
    chunked: bool,
    on_first: Callable[[], None] | None = None,
) -> Outcome | None:
    """Pass the body on to its end. None if it ended well, else what broke it.

    `on_first` is called at the first bytes.
    """
    last_call, spent = now() + clocks.max_stream, x.spent
    late = 0
    while late < _LATE_READS:
        began = now()
        late += began >= last_call
        before = spent.enter(UPSTREAM, began)
        try:
            piece = await source.read(clocks.gap, max(0.0, last_call - began))
        finally:
            arrived = now()
            spent.enter(before, arrived)
        if not isinstance(piece, bytes):
            return _ended(x, piece, sink, overdue=arrived >= last_call, chunked=chunked)
        if x.last_byte is None and on_first is not None:
            on_first()
        x.saw(arrived, waited(began, arrived))
        x.sent(len(piece))
        sink.write(chunk(piece) if chunked else piece)
        if sink.is_full:
            before = spent.enter(CLIENT, arrived)
            try:
                is_read = await sink.drained(clocks.client_write, last_call - arrived)
            finally:
                resumed = now()
                spent.enter(before, resumed)
            if not is_read:
                if resumed >= last_call - _TICK:
                    return o.STREAM_MAX_DURATION
                x.clock_over(waited(arrived, resumed))
                return o.CLIENT_TOO_SLOW
    return o.STREAM_MAX_DURATION


def _ended(
    x: Exchange, ending: EndOfBody | Failed, sink: BodySink, *, overdue: bool, chunked: bool
) -> Outcome | None:
    if isinstance(ending, EndOfBody):
        if chunked:
            sink.write(LAST_CHUNK)
        return None
    x.note(ending.detail)
    if overdue and ending.outcome is o.STREAM_STALLED:
        return o.STREAM_MAX_DURATION
    return ending.outcome
