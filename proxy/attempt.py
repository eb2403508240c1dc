"""One attempt: a connection, the request sent, the head of the answer.

Ends at the head or at a failure, and says on the record which; whether there is another one
is not decided here.
"""

from math import inf

from proxy import outcome as o
from proxy.attempt_record import Attempt
from proxy.clock import now
from proxy.context import Context
from proxy.http.connection_auth import stays_with_connection
from proxy.http.framing import ResponseHead
from proxy.http.identity import random_bytes
from proxy.relay import LAST_CHUNK, chunk
from proxy.resilience.deadline import Deadline
from proxy.time_spent import CLIENT, CONNECT, OURS, UPSTREAM
from proxy.timing.loop_lag import waited
from proxy.tracing.record import SpanRecord
from proxy.upload import begin_upload, start_upload, take_rest
from proxy.upstream.connection import Connection
from proxy.upstream.endpoint import authority_of
from proxy.upstream.result import Failed


async def attempt(ctx: Context, at: float) -> ResponseHead | Failed:
    """Make one attempt, which begins `at` now.

    The head's connection is `ctx.connection`; a failure holds none.
    """
    x = ctx.exchange
    x.enter("C")
    tried, connected = Attempt("", at), at
    if x.span is not None:
        tried.span_id = _span_of(ctx, x.span)
    bound = ctx.take_bound() if ctx.client.bound else None
    got: Connection | Failed | None = bound or ctx.upstream.take()
    if got is None:
        got = await _connect(ctx, tried)
        connected = now()
    if isinstance(got, Failed):
        return _unconnected(ctx, tried, got)
    x.attempts.append(tried)
    tried.endpoint, tried.reused, tried.connect = got.endpoint, got.reused, got.connect_seconds
    tried.carried_by(got.link, connected)
    ctx.connection = got
    _prepare(ctx, got)
    try:
        if ctx.body is not None:
            _send(ctx, got, connected)
            waiting = got.awaited(ctx.route.terms.head, ctx.deadline.left(connected))
            if waiting is not None:
                await waiting
            head = got.answer()
        else:
            head = await _stream(ctx, got, connected)
    finally:
        ended = now()
        x.spent.enter(OURS, ended)
        if ctx.sent_at > connected:  # of an early answer it is not: the upload has not ended
            tried.upload = waited(connected, ctx.sent_at)
            connected = ctx.sent_at
        tried.head = waited(connected, ended)
        tried.sent = got.sent or (ctx.kept is not None and ctx.kept.is_lost)
    if isinstance(head, Failed):
        return _unanswered(ctx, tried, got, head)
    if head.status == 401 and stays_with_connection(head.fields.get(b"www-authenticate", b"")):
        got.is_private = True
    tried.answer(head.status)
    return head


def _prepare(ctx: Context, connection: Connection) -> None:
    """What is to be sent, as this connection asks for it."""
    asked, base = ctx.asked, connection.target.base
    given = asked.fields.get(b"authorization")
    if given is not None and stays_with_connection(given):
        connection.is_private = True
    if not asked.host and not ctx.upstream.host:  # nobody named another authority than its own
        ctx.write_head(authority_of(connection.endpoint), base)
    elif base != ctx.base:
        ctx.write_head(base=base)
    take_rest(ctx)  # what has come meanwhile need not be streamed


def _span_of(ctx: Context, span: SpanRecord) -> bytes:
    """Each attempt has a span of its own, which its head names."""
    if span.is_used:
        ctx.head = span.another(ctx.head, random_bytes(8))
    span.is_used = True
    return span.attempt_id


async def _connect(ctx: Context, tried: Attempt) -> Connection | Failed:
    """Wait for a connection: in the queue for a slot, if need be, and for the endpoint."""
    clocks, spent = ctx.route.rule.timeouts, ctx.exchange.spent
    queued = spent.queue
    before = spent.enter(CONNECT, tried.started)
    if ctx.choice is None:
        ctx.choice = ctx.upstream.choice(ctx.asked, ctx.exchange)
    try:
        return await ctx.upstream.acquire(
            connect=clocks.connect,
            pool_wait=clocks.pool_wait,
            left=ctx.deadline.left(tried.started),
            choice=ctx.choice,
            spent=spent,
        )
    finally:
        spent.enter(before, now())
        tried.queued = spent.queue - queued
        _note_choice(ctx, tried)


def _note_choice(ctx: Context, tried: Attempt) -> None:
    """Which endpoint it is, why, and where the DNS says that is."""
    choice = ctx.choice
    if choice is not None and choice.endpoint is not None:
        tried.chosen, tried.address = choice.chosen, choice.endpoint.address
    chosen = choice.endpoint if choice is not None else ctx.upstream.endpoints.sole
    tried.resolved = chosen.addresses.resolved if chosen is not None else None


def _unconnected(ctx: Context, tried: Attempt, failed: Failed) -> Failed:
    if failed.outcome in (o.POOL_TIMEOUT, o.NO_HEALTHY_UPSTREAM):
        # no endpoint was tried: no attempt to record
        ctx.exchange.clock_over(tried.queued)
    else:
        ctx.exchange.attempts.append(tried)
        tried.endpoint = failed.endpoint
        tried.in_vain = waited(tried.connected_at, now())
    return _failed(ctx, tried, failed)


def _unanswered(ctx: Context, tried: Attempt, connection: Connection, failed: Failed) -> Failed:
    if _is_clients(failed):
        tried.head = None  # nobody waited for one yet
    if connection.reused and failed.outcome in (o.STALE_CONNECTION, o.UPSTREAM_RESET):
        ctx.upstream.close_idle(connection.target)  # they idled for longer: the next is to be new
    ctx.let_go(whole=False)
    return _failed(ctx, tried, failed)


def _send(ctx: Context, connection: Connection, at: float) -> None:
    """Send the whole request at once."""
    ctx.exchange.enter("H")
    ctx.exchange.spent.enter(UPSTREAM, at)
    if ctx.permit is not None:
        ctx.permit.is_sent = True
    _request(ctx, connection, ctx.head + _framed(ctx) if ctx.asked.has_body else ctx.head)
    ctx.sent_at = at


async def _stream(ctx: Context, connection: Connection, at: float) -> ResponseHead | Failed:
    """Send the head and what is at hand of the body; wait for the answer's head while the rest
    is streamed up."""
    ctx.exchange.enter("W")
    ctx.exchange.spent.enter(CLIENT, at)
    connection.writer.is_uploading = True
    _request(ctx, connection, ctx.head + begin_upload(ctx))
    start_upload(ctx, connection)
    head = await connection.head(inf)
    if connection.writer.is_uploading:
        ctx.deadline = Deadline.after(ctx.route.rule.timeouts.total, now())
    if ctx.exchange.spent.part == CLIENT and not _is_clients(head):
        ctx.exchange.spent.recount(UPSTREAM)  # it ended before the upload: that was waited for
    return head


def _is_clients(head: ResponseHead | Failed) -> bool:
    return isinstance(head, Failed) and head.outcome.category == "client"


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


def _failed(ctx: Context, tried: Attempt, failed: Failed) -> Failed:
    tried.fail(failed.outcome, failed.detail)
    ctx.exchange.note(failed.detail)
    return failed
