"""Whether an error page of the upstream is replaced: a stack trace never reaches a client.

Only the beginning is looked at, and only for a moment: an error that comes slowly is passed on.
What cannot be read here passes as it was sent: compressed pages, HEAD, streams of events.
"""

from collections.abc import Mapping

from proxy.clock import now
from proxy.context import Context
from proxy.observation.stack_traces import MOST, trace_in
from proxy.streams.recognition import is_stream
from proxy.streams.upstream_response import UpstreamResponse
from proxy.time_spent import UPSTREAM
from proxy.upstream.result import EndOfBody

_HELD_FOR = 0.25
"""Seconds for which a page is held, to see whether it is a stack trace."""


async def is_to_be_masked(
    ctx: Context, given: UpstreamResponse, fields: Mapping[bytes, bytes]
) -> bool:
    """Whether the 5xx answer `given` is to be replaced; what was read of it is in its body then."""
    mode = ctx.route.rule.mask_upstream_errors
    if mode != "traces":
        return mode == "always"
    if given.head.framing == "none" or is_stream(fields.get(b"content-type")):
        return False
    if fields.get(b"content-encoding", b"identity").lower() != b"identity":
        return False
    if not given.is_whole:
        await _hold_beginning(ctx, given)
    found = trace_in(given.body)
    if found is not None:
        detail = f"its body carried a stack trace: {found}"
        ctx.exchange.attempts[-1].note(detail)
        ctx.exchange.note(detail)
    return found is not None


async def _hold_beginning(ctx: Context, given: UpstreamResponse) -> None:
    """Read as much of an error page as a stack trace would show in."""
    connection, until, spent = ctx.connection, now() + _HELD_FOR, ctx.exchange.spent
    while connection is not None and len(given.body) < MOST and (began := now()) < until:
        before = spent.enter(UPSTREAM, began)
        try:
            piece = await connection.read(until - began)
        finally:
            spent.enter(before, now())
        if isinstance(piece, EndOfBody):
            given.is_whole = True
            ctx.let_go(whole=True)
        if not isinstance(piece, bytes):
            return  # what failed will fail again when it is passed on
        given.body += piece
