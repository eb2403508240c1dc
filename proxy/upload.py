"""The body of a request on its way up: sent as it comes, and kept for replay where it is small.

Refuses to wait for the answer: that is the attempt's.
"""

import asyncio
from math import inf

from proxy import outcome as o
from proxy.client.body import HIGH_WATER
from proxy.client.kept_body import KeptBody
from proxy.client.request import RequestError, read_body
from proxy.clock import now
from proxy.context import Context
from proxy.place_queue import complete_upload
from proxy.relay import LAST_CHUNK, chunk
from proxy.resilience.deadline import Deadline
from proxy.time_spent import CLIENT, UPSTREAM
from proxy.timing.upload_clocks import UploadClocks
from proxy.upstream.connection import Connection

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


async def keep_body(ctx: Context) -> None:
    """Before the first attempt: take the body, if it is small and has arrived."""
    asked, body, limit = ctx.asked, ctx.request.body, ctx.route.rule.retry.replay_body
    if not asked.has_body or ctx.body:
        return
    if not body.has_news and asked.length is not None and asked.length <= limit:
        await asyncio.sleep(0)  # it may come in a segment of its own, just behind the head
    if body.failure is not None:
        raise RequestError(body.failure, body.why)
    if not body.is_whole or body.buffered > limit:
        ctx.body, ctx.kept = None, KeptBody(limit, asked.length)
        return
    if body.buffered > ctx.route.rule.max_body:
        raise RequestError(o.BODY_TOO_LARGE, "body over the limit")
    ctx.body = _taken(ctx)


def take_rest(ctx: Context) -> None:
    """Take what has arrived of the body, if that is the rest of it and all of it can be kept."""
    body, kept = ctx.request.body, ctx.kept
    if kept is None or not body.is_whole or not kept.has_room(body.buffered):
        return
    if ctx.exchange.bytes_in + body.buffered > ctx.route.rule.max_body:
        return  # whoever sends it refuses it
    kept.add(_taken(ctx))
    ctx.keep()


def begin_upload(ctx: Context) -> bytes:
    """Ask for the body; gives what is at hand of it, to go out with the head: what an earlier
    attempt took of it, and what has arrived."""
    at_hand = ctx.kept.joined() if ctx.kept is not None else b""
    if ctx.upload_clocks is None:
        ctx.upload_clocks = _begin(ctx)
    size = ctx.request.body.buffered
    if size and ctx.exchange.bytes_in + size <= ctx.route.rule.max_body:
        piece = _taken(ctx)
        ctx.upload_clocks.count(0.0, size)
        if ctx.kept is not None:
            ctx.kept.add(piece)
        at_hand += piece
    return chunk(at_hand) if at_hand and ctx.asked.length is None else at_hand


def _taken(ctx: Context) -> bytes:
    data = ctx.request.body.take()
    ctx.exchange.received(len(data))
    ctx.client.resume_reading()
    return data


async def read_whole(ctx: Context, most: int) -> None:
    """Wait for the body. Raises RequestError where it does not come, or has more than `most`."""
    body = ctx.request.body
    if body.is_whole and 0 < body.buffered <= min(most, HIGH_WATER) and not ctx.exchange.bytes_in:
        ctx.body = body.take()  # it is here: nothing is waited for
        ctx.exchange.received(len(ctx.body))
        ctx.client.resume_reading()
        return
    ctx.body, ctx.kept = None, KeptBody(most)
    await read_rest(ctx, most)


async def read_rest(ctx: Context, most: int = 0) -> bool:
    """Wait for the rest of the body, to have all of it at hand. Whether it could be kept.

    Raises RequestError where it does not come, or has more than `most` bytes (0: `max_body`).
    """
    before = ctx.exchange.spent.enter(CLIENT, now())
    try:
        while ctx.kept is not None and not ctx.kept.is_lost:
            await _next_piece(ctx, most or ctx.route.rule.max_body)
    finally:
        ctx.exchange.spent.enter(before, now())
    return ctx.body is not None


def start_upload(ctx: Context, connection: Connection) -> None:
    """Send the rest while the answer is awaited; a fault of ours in that ends the attempt."""

    def look(sender: "asyncio.Task[None]") -> None:
        fault = None if sender.cancelled() else sender.exception()
        if isinstance(fault, Exception):
            connection.protocol.fault = fault
            connection.abort()

    ctx.upload = asyncio.create_task(_upload(ctx, connection))
    ctx.upload.add_done_callback(look)


async def _upload(ctx: Context, connection: Connection) -> None:
    """Send the client's body as it comes; when it is sent, the clocks of the answer begin."""
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
    rule, chunked, writer = ctx.route.rule, ctx.asked.length is None, connection.writer
    while piece := await _next_piece(ctx, rule.max_body):
        if ctx.exchange.bytes_in == ctx.asked.length:
            await _become_whole(ctx)
        writer.send(chunk(piece) if chunked else piece)
        if writer.is_paused and not await writer.drained(rule.timeouts.gap):
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


async def _next_piece(ctx: Context, most: int) -> bytes:
    """Wait for more of the body, and keep it as long as it is small; empty at its end."""
    if ctx.upload_clocks is None:
        ctx.upload_clocks = _begin(ctx)
    piece = await read_body(ctx.request, ctx.upload_clocks)
    if piece:
        ctx.exchange.received(len(piece))
        if ctx.exchange.bytes_in > most:
            raise RequestError(o.BODY_TOO_LARGE, "body over the limit")
        if ctx.kept is not None:
            ctx.kept.add(piece)
    else:
        ctx.keep()
    return piece


def _begin(ctx: Context) -> UploadClocks:
    """The body is asked for: its clocks begin, and a client that waits for our word gets it."""
    clocks = ctx.route.rule.timeouts
    if ctx.asked.expects_continue and not ctx.request.body.has_news:
        ctx.client.output.write(CONTINUE)
    whole = inf if clocks.request_body is None else clocks.request_body
    return UploadClocks(clocks.request_body_gap, clocks.min_upload_rate or 0, whole)
