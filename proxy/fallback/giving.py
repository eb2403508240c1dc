"""Gives another answer where the upstream gave none: a spare upstream's, or else a fixed one.

Before the commit only. The outcome stays that of the failure, and the breaker is told of it alone:
what the spare upstream does teaches the circuit of the route nothing.
"""

from proxy import outcome as o
from proxy.admission import Refusal, turn_away
from proxy.attempt import attempt
from proxy.clock import now
from proxy.context import Context
from proxy.fallback.build import Fallback
from proxy.fallback.record import STATIC, FallbackRecord
from proxy.fallback.static_answer import StaticAnswer
from proxy.http.framing import ResponseHead
from proxy.limits.response_size import is_too_large
from proxy.outcome import Outcome, signal_of
from proxy.own_response import refuse, stand_in
from proxy.resilience.deadline import Deadline
from proxy.respond import answer, note_head
from proxy.streams.upstream_response import UpstreamResponse
from proxy.upload import keep_body
from proxy.upstream.result import Failed, NoAnswer

_BROKEN = 500
"""From this status on the answer of a spare upstream is none."""


def falls_back(ctx: Context, outcome: Outcome) -> bool:
    """Whether a fallback is for it: the service fails or is full, and not for what this client did.

    None is for a WebSocket.
    """
    if ctx.asked.wants_websocket or outcome.status is None:
        return False
    is_full = outcome.category == "policy" and outcome.status == 503
    return is_full or outcome.category == "upstream"


def fails(ctx: Context, given: UpstreamResponse | NoAnswer) -> bool:
    """Whether what the attempts ended with is a failure that a fallback is for.

    An answer of the upstream's is one where its status says that the service cannot serve: a 5xx
    of `retry.statuses`, whether or not it could be retried.
    """
    if isinstance(given, NoAnswer):
        return falls_back(ctx, given.outcome)
    status, rule = given.head.status, ctx.route.rule.retry
    return status >= 500 and status in rule.statuses and not ctx.asked.wants_websocket


async def answer_refused(ctx: Context, refused: Refusal) -> bool:
    """Answer who was not let in: by a fallback, where there was no place and the route has one."""
    fallback = ctx.route.fallback
    if fallback is None or not falls_back(ctx, refused.outcome):
        return turn_away(ctx, refused)
    ctx.end(refused.outcome, refused.detail)
    ctx.exchange.fallback = FallbackRecord()
    if fallback.upstream is not None and not _is_full(ctx):
        ctx.deadline = Deadline.after(ctx.route.rule.timeouts.total, now())
        await keep_body(ctx)
        if head := await _ask(ctx, fallback.upstream):
            return await _pass_on(ctx, fallback.upstream, head, refused.outcome)
    if fallback.static is not None:
        return _give(ctx, fallback.static, refused.outcome, refused.retry_in)
    return turn_away(ctx, refused)


async def answer_failed(
    ctx: Context, fallback: Fallback, failed: UpstreamResponse | NoAnswer
) -> bool:
    """Answer where the attempts came to no good end; `failed` itself where there is no better."""
    outcome, retry_in = o.UPSTREAM_ERROR, None
    if isinstance(failed, NoAnswer):
        outcome, retry_in = failed.outcome, failed.retry_in
    else:
        note_head(ctx, failed.head, failed.head.fields)
        ctx.settle(signal_of(failed.head.status), now())
    ctx.end(outcome)
    ctx.exchange.fallback = FallbackRecord()
    if fallback.upstream is not None and (head := await _ask(ctx, fallback.upstream)):
        return await _pass_on(ctx, fallback.upstream, head, outcome)
    if fallback.static is not None:
        ctx.let_go(whole=False)
        return _give(ctx, fallback.static, outcome, retry_in)
    if isinstance(failed, NoAnswer):
        return refuse(ctx, outcome, retry_in=retry_in)
    return await answer(ctx, failed)


def _is_full(ctx: Context) -> bool:
    """Whether Sidelight itself is full, so that another upstream is no way out."""
    return bool(ctx.places) and ctx.places[-1].places is ctx.plan.concurrency


async def _ask(ctx: Context, name: str) -> ResponseHead | None:
    """Ask the spare upstream once; None where it fails as well, or the request cannot be sent.

    What the record says of the failure stays, and the connection of an answer that failed is kept
    until there is another.
    """
    x, at = ctx.exchange, now()
    is_sendable = ctx.body is not None or (ctx.upload is None and not x.bytes_in)
    if not is_sendable or ctx.deadline.left(at) <= 0 or x.fallback is None:
        return None
    detail, ran, made = x.detail, x.clock_ran, len(x.attempts)
    failed_upstream, failed_connection = ctx.upstream, ctx.connection
    ctx.upstream, ctx.connection, ctx.choice = ctx.plan.upstreams[name], None, None
    ctx.write_head()
    head: ResponseHead | None = None
    limit = ctx.route.rule.max_response
    try:
        got = await attempt(ctx, at)
        if isinstance(got, ResponseHead) and got.status < _BROKEN and not is_too_large(got, limit):
            head = got
        else:
            signal = got.outcome.signal if isinstance(got, Failed) else signal_of(got.status)
            ctx.settle(signal, now())
    finally:
        x.fallback.upstream = name
        if len(x.attempts) > made:
            x.fallback.attempt = x.attempts.pop()
        x.note(detail)
        x.clock_over(ran)
        if head is None:
            ctx.settle("neutral", now())
            ctx.let_go(whole=False)
            ctx.upstream, ctx.connection = failed_upstream, failed_connection
        elif failed_connection is not None:
            failed_connection.abort()
    return head


async def _pass_on(ctx: Context, name: str, head: ResponseHead, outcome: Outcome) -> bool:
    """Give the client the spare upstream's answer."""
    _begin(ctx, name, outcome)
    return await answer(ctx, UpstreamResponse(head))


def _give(ctx: Context, fixed: StaticAnswer, outcome: Outcome, retry_in: float | None) -> bool:
    _begin(ctx, STATIC, outcome)
    return stand_in(ctx, fixed, outcome, retry_in)


def _begin(ctx: Context, name: str, outcome: Outcome) -> None:
    """From here on the fallback is what the client is given, and is told that it is one."""
    x, ours = ctx.exchange, ctx.plan.proxy_status
    if x.fallback is not None:
        x.fallback.given = name
    ctx.own_fields += b"X-Sidelight-Fallback: %b\r\n" % name.encode()
    if outcome is o.UPSTREAM_ERROR and x.upstream_status is not None:
        ctx.own_fields += ours.received(x.upstream_status, outcome.code)
    else:
        ctx.own_fields += ours.error(outcome, x.detail)
