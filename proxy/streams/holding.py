"""Keeping the head of a stream back until its first event, while a status can still tell the truth.

Refuses to decide whether another attempt follows.
"""

from proxy import outcome as o
from proxy.clock import now
from proxy.relay import BodySource
from proxy.streams.framing import MAX_HELD
from proxy.streams.relay import EventStream
from proxy.time_spent import UPSTREAM
from proxy.timing.loop_lag import stalled
from proxy.upstream.result import EndOfBody, Failed


async def hold(stream: EventStream, source: BodySource, left: float) -> Failed | None:
    """Wait for the first event, at most `left` seconds; what broke the stream before it."""
    x, until = stream.exchange, now() + left
    while x.first_event is None and len(stream.held) <= MAX_HELD:
        at = now()
        due = min(until, stream.dues.release)  # in real time
        before = x.spent.enter(UPSTREAM, at)
        try:
            piece = await source.read(stream.clocks.left(at), max(0.0, due - at))
        finally:
            arrived = now()
            x.spent.enter(before, arrived)
        if isinstance(piece, EndOfBody):
            return None
        if isinstance(piece, bytes):
            stream.held += stream.take(piece, arrived)
        elif piece.outcome is o.STREAM_STALLED and arrived >= stream.dues.release:
            stream.held += stream.release(arrived)
        elif not _is_excused(stream, piece, until):
            return _not_begun(stream, piece)
    return None


def _is_excused(stream: EventStream, failed: Failed, until: float) -> bool:
    """Whether it was no silence of the upstream that ran out, but our own stall."""
    at = now()
    stream.clocks.excuse(at, stalled)
    is_over = at >= until or stream.clocks.ran_out(at) is not None
    return failed.outcome is o.STREAM_STALLED and not is_over


def _not_begun(stream: EventStream, failed: Failed) -> Failed:
    """No event came while the head was held: now the status can still say so."""
    if failed.outcome is o.STREAM_STALLED:
        over = stream.clocks.ran_out(now())
        words = over[1] if over else "total ran out while awaiting the first event"
        outcome = o.FIRST_EVENT_TIMEOUT if over else o.TOTAL_TIMEOUT
        return Failed(outcome, words, failed.endpoint)
    malformed = failed.outcome is o.STREAM_MALFORMED
    outcome = o.UPSTREAM_PROTOCOL_ERROR if malformed else o.UPSTREAM_RESET
    return Failed(outcome, failed.detail, failed.endpoint)
