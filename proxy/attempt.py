"""One attempt: a connection, the request sent, the head of the answer.

Ends at the head or at a failure, and says on the record which; whether there is another one
is not decided here.
"""

import asyncio
from math import inf

from proxy import outcome as o
from proxy.client.request import RequestError, read_body
from proxy.clock import now
from proxy.context import Context
from proxy.exchange import Attempt
from proxy.http.framing import ResponseHead
from proxy.loop_lag import waited
from proxy.outcome import result_of
from proxy.relay import LAST_CHUNK, chunk
from proxy.resilience.deadline import Deadline
from proxy.upstream.connection import Connection
from proxy.upstream.endpoints import authority_of
from proxy.upstream.result import Failed

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


async def attempt(ctx: Context, avoid: str | None) -> ResponseHead | Failed:
    """Make one attempt. The head's connection is `p.connection`; a failure holds none.

    `avoid` is the endpoint that has just failed; it is used only where there is no other.
    """
    x = ctx.exchange
    x.phase = "C"
    tried = Attempt("", now())
    got = ctx.upstream.take() or await _connect(ctx, tried.started, avoid)
    if isinstance(got, Failed):
        return _unconnected(ctx, tried, got)
    x.attempts.append(tried)
    tried.endpoint, tried.reused, tried.connect = got.endpoint, got.reused, got.connect_seconds
    tried.queued = got.queued
    ctx.connection = got
    if ctx.names_no_host:
        ctx.write_head(authority_of(got.endpoint))
    try:
        head = await _send(ctx, got) if ctx.body is not None else await _stream(ctx, got)
    finally:
        connected = tried.started + (tried.connect or 0.0) + got.queued
        sent = max(connected, ctx.sent_at)  # of an early answer: the upload has not ended
        tried.head = waited(sent, now())
        x.upstream_wait += tried.head
        x.client_wait += waited(connected, sent)
        tried.sent = got.sent
    if isinstance(head, Failed):
        if head.outcome is o.STALE_CONNECTION:
            ctx.upstream.close_idle()  # they have idled for longer: the next one is to be new
        ctx.let_go(whole=False)
        return _failed(ctx, tried, head)
    tried.status = head.status
    tried.result = result_of(head.status)
    return head


async def _connect(ctx: Context, began: float, avoid: str | None) -> Connection | Failed:
    clocks = ctx.route.rule.timeouts
    left = ctx.deadline.left(began)
    try:
        got = await ctx.upstream.acquire(
            connect=clocks.connect, pool_wait=clocks.pool_wait, left=left, avoid=avoid
        )
    except asyncio.CancelledError:
        ctx.exchange.upstream_wait += waited(began, now())
        raise
    _account(ctx, got, waited(began, now()))
    return got


def _account(ctx: Context, got: Connection | Failed, waited: float) -> None:
    """Split the wait into queueing here and connecting there."""
    if isinstance(got, Connection):
        queued = got.queued
    else:
        queued = waited if got.outcome is o.POOL_TIMEOUT else 0.0
    ctx.exchange.queued += queued
    ctx.exchange.upstream_wait += waited - queued


def _unconnected(ctx: Context, tried: Attempt, failed: Failed) -> Failed:
    if failed.outcome is not o.POOL_TIMEOUT:  # then no endpoint was tried: no attempt to record
        ctx.exchange.attempts.append(tried)
        tried.endpoint = failed.endpoint
    return _failed(ctx, tried, failed)


async def _send(ctx: Context, connection: Connection) -> ResponseHead | Failed:
    """Send the whole request at once and wait for the head."""
    ctx.exchange.phase = "H"
    _request(ctx, connection, ctx.head + _framed(ctx))
    ctx.sent_at = now()
    return await connection.head(ctx.route.rule.timeouts.head, ctx.deadline.left(ctx.sent_at))


async def _stream(ctx: Context, connection: Connection) -> ResponseHead | Failed:
    """Send the head, and wait for the answer's while the body is streamed up."""
    ctx.exchange.phase = "W"
    connection.writer.is_uploading = True
    _request(ctx, connection, ctx.head)
    ctx.upload = asyncio.create_task(_upload(ctx, connection))
    return await connection.head(inf)


def _request(ctx: Context, connection: Connection, data: bytes) -> None:
    asked = ctx.asked
    connection.request(
        asked.method, data, may_switch=asked.wants_websocket, interim=ctx.pass_on_interim
    )


def _framed(ctx: Context) -> bytes:
    body = ctx.body or b""
    if ctx.asked.has_body and ctx.asked.length is None:
        return chunk(body) + LAST_CHUNK if body else LAST_CHUNK
    return body


async def _upload(ctx: Context, connection: Connection) -> None:
    """Stream the client's body up; when it is sent, the clocks of the answer begin."""
    clocks = ctx.route.rule.timeouts
    try:
        await _send_body(ctx, connection)
    except RequestError as refused:
        connection.give_up(refused.outcome, refused.detail)
        return
    sent = ctx.sent_at = now()
    ctx.deadline = Deadline.after(clocks.total, sent)
    if ctx.exchange.committed is None:
        ctx.exchange.phase = "H"
    connection.writer.is_uploading = False
    connection.shorten(clocks.head, ctx.deadline.left(sent))


async def _send_body(ctx: Context, connection: Connection) -> None:
    clocks = ctx.route.rule.timeouts
    chunked, writer = ctx.asked.length is None, connection.writer
    if ctx.asked.expects_continue:
        ctx.client.write(CONTINUE)
    while piece := await read_body(ctx.request, clocks.request_body_gap):
        ctx.exchange.bytes_in += len(piece)
        if ctx.exchange.bytes_in > ctx.route.rule.max_body:
            raise RequestError(o.BODY_TOO_LARGE, "body over the limit")
        writer.send(chunk(piece) if chunked else piece)
        if writer.is_paused and not await writer.drained(clocks.gap):
            raise RequestError(o.UPSTREAM_WRITE_FAILED, "the upstream stopped reading")
    if chunked:
        writer.send(LAST_CHUNK)


def _failed(ctx: Context, tried: Attempt, failed: Failed) -> Failed:
    tried.outcome = failed.outcome
    tried.result = failed.outcome.result or "client_gone"  # its body was broken, late or too long
    tried.detail = ctx.exchange.detail = failed.detail
    return failed
