"""The body of a request on its way up: kept for replay where it is small, else streamed.

Refuses to wait for the answer: that is the attempt's.
"""

from proxy import outcome as o
from proxy.client.body import HIGH_WATER
from proxy.client.request import RequestError, read_body
from proxy.clock import now
from proxy.context import Context
from proxy.place_queue import complete_upload
from proxy.relay import LAST_CHUNK, chunk
from proxy.resilience.deadline import Deadline
from proxy.time_spent import CLIENT, UPSTREAM
from proxy.upstream.connection import Connection

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


async def keep_body(ctx: Context) -> None:
    """Read the body before the first attempt, if it is small enough to be sent again."""
    asked, limit = ctx.asked, ctx.route.rule.retry.replay_body
    if not asked.has_body or ctx.body:
        return
    if ctx.request.body.failure is not None:
        raise RequestError(ctx.request.body.failure, ctx.request.body.why)
    at_hand = ctx.request.body.is_whole and ctx.request.body.buffered <= limit
    announced = asked.length is not None and asked.length <= limit and not asked.expects_continue
    if not at_hand and not announced:
        ctx.body = None
        return
    await read_whole(ctx, ctx.route.rule.max_body)


async def read_whole(ctx: Context, most: int) -> None:
    """Wait for the body. Raises RequestError where it does not come, or has more than `most`."""
    body = ctx.request.body
    if body.is_whole and 0 < body.buffered <= min(most, HIGH_WATER) and not ctx.exchange.bytes_in:
        ctx.body = body.take()  # it is here: nothing is waited for
        ctx.exchange.received(len(ctx.body))
        ctx.client.resume_reading()
        return
    if ctx.asked.expects_continue and not body.has_news:
        ctx.client.write(CONTINUE)
    before = ctx.exchange.spent.enter(CLIENT, now())
    pieces = []
    try:
        while piece := await read_body(ctx.request, ctx.route.rule.timeouts.request_body_gap):
            pieces.append(piece)
            ctx.exchange.received(len(piece))
            if ctx.exchange.bytes_in > most:
                raise RequestError(o.BODY_TOO_LARGE, "body over the limit")
    finally:
        ctx.exchange.spent.enter(before, now())
    ctx.body = b"".join(pieces)


async def upload(ctx: Context, connection: Connection) -> None:
    """Stream the client's body up; when it is sent, the clocks of the answer begin."""
    clocks = ctx.route.rule.timeouts
    try:
        await _send_body(ctx, connection)
    except RequestError as refused:
        ctx.exchange.clock_over(refused.waited)
        connection.give_up(refused.outcome, refused.detail)
        return
    sent = ctx.sent_at = now()
    ctx.deadline = Deadline.after(clocks.total, sent)
    if ctx.exchange.committed is None:
        ctx.exchange.enter("H")
        if ctx.exchange.spent.part == CLIENT:
            ctx.exchange.spent.enter(UPSTREAM, sent)
    connection.writer.is_uploading = False
    connection.shorten(clocks.head, ctx.deadline.left(sent))


async def _send_body(ctx: Context, connection: Connection) -> None:
    clocks = ctx.route.rule.timeouts
    chunked, writer = ctx.asked.length is None, connection.writer
    if ctx.asked.expects_continue:
        ctx.client.write(CONTINUE)
    while piece := await read_body(ctx.request, clocks.request_body_gap):
        ctx.exchange.received(len(piece))
        if ctx.exchange.bytes_in > ctx.route.rule.max_body:
            raise RequestError(o.BODY_TOO_LARGE, "body over the limit")
        if ctx.exchange.bytes_in == ctx.asked.length:
            await _become_whole(ctx)
        writer.send(chunk(piece) if chunked else piece)
        if writer.is_paused and not await writer.drained(clocks.gap):
            raise RequestError(o.UPSTREAM_WRITE_FAILED, "the upstream stopped reading")
    if chunked:
        await _become_whole(ctx)
        writer.send(LAST_CHUNK)


async def _become_whole(ctx: Context) -> None:
    """Before its last bytes a probe asks the breaker, which may have let others go meanwhile."""
    permit = ctx.permit
    if permit is None or permit.is_sent:
        return
    if why := await complete_upload(ctx, permit):
        ctx.exchange.enter("B")
        raise RequestError(o.CIRCUIT_OPEN, why)
    ctx.exchange.enter("W")
