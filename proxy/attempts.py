"""The loop of attempts: admit, send, decide; it ends at an answer or at an outcome.

Nothing has gone to the client yet, so everything here may be done again.
"""

import asyncio

from proxy import outcome as o
from proxy.attempt import attempt
from proxy.client.request import RequestError
from proxy.clock import now, wall
from proxy.context import Context
from proxy.http.framing import ResponseHead
from proxy.http.identity import other_ids
from proxy.outcome import NotRetried, signal_of
from proxy.resilience.deadline import Deadline
from proxy.resilience.permits import Refused
from proxy.resilience.retry import Again, Failure, Standing, Stop, decide, is_idempotent
from proxy.resilience.retry_after import rest_asked
from proxy.respond import open_stream
from proxy.streams.holding import hold
from proxy.streams.upstream_response import UpstreamResponse
from proxy.time_spent import PAUSE, UPSTREAM
from proxy.upload import read_rest
from proxy.upstream.ending import retried_as
from proxy.upstream.result import EndOfBody, Failed, NoAnswer


async def call(ctx: Context) -> UpstreamResponse | NoAnswer:
    """Make attempts until one is good or the rules say stop; gives the last real answer."""
    last: UpstreamResponse | NoAnswer | None = None
    terms, at = ctx.route.terms, now()
    ctx.route.budget.earn(at)
    ctx.exchange.breaker_before = ctx.route.breaker.state(at)
    ctx.deadline = Deadline(at + terms.total)
    while True:
        admitted = ctx.route.breaker.admit(at, is_sent=ctx.body is not None)
        if isinstance(admitted, Refused):
            return _refused(ctx, admitted, last)
        ctx.permit = admitted
        got = await attempt(ctx, at)
        if isinstance(got, ResponseHead) and got.status < 400:
            if not terms.hold_first_event:
                return UpstreamResponse(got)
            held = await _hold(ctx, got)
            if isinstance(held, UpstreamResponse):
                return held
            got = held
        step = _next(ctx, got)
        if not isinstance(step, Again):
            return _final(ctx, got, step, last)
        if isinstance(got, ResponseHead):
            last = await _set_aside(ctx, got)
        elif not isinstance(last, UpstreamResponse):
            last = NoAnswer(got.outcome)
        if why := await _in_vain(ctx, last, step.pause):
            return _not_again(ctx, why, last)
        ctx.exchange.forget_stream()
        await _pause(ctx, step.pause)
        at = now()


async def _hold(ctx: Context, head: ResponseHead) -> UpstreamResponse | Failed:
    """Keep the head of a stream back until its first event; a silent one is a failed attempt."""
    fields = head.fields
    stream = open_stream(ctx, head, fields)
    if stream is None or ctx.connection is None:
        return UpstreamResponse(head)
    ctx.exchange.enter("F")
    failed = await hold(stream, ctx.connection, ctx.deadline.left(now()))
    if failed is None:
        answer = UpstreamResponse(head)
        answer.stream = stream
        return answer
    ctx.let_go(whole=False)
    tried = ctx.exchange.attempts[-1]
    tried.fail(failed.outcome, failed.detail)
    ctx.exchange.note(failed.detail)
    tried.upstream_ids = other_ids(fields, ctx.plan.other_ids, ctx.exchange.request_id)
    return failed


def _next(ctx: Context, got: ResponseHead | Failed) -> Again | Stop | None:
    """What follows from an attempt; None where nothing failed that a retry could be for."""
    rule = ctx.route.rule.retry
    if isinstance(got, Failed):
        ctx.settle(got.outcome.signal, now())
        sent = ctx.exchange.attempts[-1].sent if ctx.exchange.attempts else False
        failure = Failure(retried_as(got.outcome, got.detail), sent=sent)
        if failure.outcome.category == "client":
            return None  # its body did not come
    else:
        asked_for = _rest_asked(ctx, got)
        if _is_still_at_work(ctx, got):
            return None
        if got.status < 500 and got.status not in rule.statuses:
            return None
        if got.length is not None and got.length > rule.keep_answer:
            return Stop("committed")  # too large to be kept: it is relayed at once
        failure = Failure(o.UPSTREAM_ERROR, got.status, asked_for)
    standing = Standing(
        made=len(ctx.exchange.attempts),
        left=ctx.deadline.left(now()),
        idempotent=not ctx.asked.wants_websocket
        and is_idempotent(rule, ctx.asked.method, has_key=b"idempotency-key" in ctx.asked.fields),
        replayable=ctx.is_replayable,
        draining=ctx.drain.has_begun,
        elsewhere=rule.elsewhere == "at_once" and ctx.upstream.has_another(ctx.choice),
    )
    step = decide(rule, failure, standing, ctx.route.budget, now())
    if ctx.exchange.attempts:
        ctx.exchange.attempts[-1].budget_left = ctx.route.budget.tokens(now())
    return step


def _rest_asked(ctx: Context, head: ResponseHead) -> float | None:
    """Seconds the upstream asks us to stay away; a 429 may cool the route down."""
    rest = ctx.exchange.attempts[-1].retry_after = rest_asked(head.headers, wall())
    ctx.upstream.passive.rest(ctx.choice, head.status, rest, now())
    if head.status == 429:
        ctx.route.breaker.cool(rest, now())
    return rest


async def _in_vain(
    ctx: Context, last: UpstreamResponse | NoAnswer, pause: float
) -> NotRetried | None:
    """Why the retry cannot be made after all; None where it can."""
    if isinstance(last, UpstreamResponse) and not last.is_whole:
        return "committed"  # too large to be kept: it is relayed at once
    if ctx.body is None and ctx.exchange.attempts[-1].sent and not await _is_here(ctx, last):
        return "body_not_replayable"
    at = now()
    if pause >= ctx.deadline.left(at):  # to set the answer aside took too long
        return "deadline_near"
    return "circuit_open" if ctx.route.breaker.will_refuse(at + pause) else None


async def _is_here(ctx: Context, last: UpstreamResponse | NoAnswer) -> bool:
    """Wait for the rest of the body: the next attempt sends it at once. Whether it was small.

    Raises RequestError where it does not come, and there is no answer to give.
    """
    ctx.exchange.enter("W")
    try:
        is_kept = await read_rest(ctx)
    except RequestError:
        if isinstance(last, UpstreamResponse):
            return False
        ctx.route.budget.refund()
        raise
    ctx.deadline = Deadline.after(ctx.route.rule.timeouts.total, now())
    return is_kept


def _is_still_at_work(ctx: Context, head: ResponseHead) -> bool:
    """Whether a repeat was told 409 because its own first attempt, of the same `Idempotency-Key`,
    is not done yet: nobody failed, and a third attempt would be told the same."""
    if head.status != 409 or b"idempotency-key" not in ctx.asked.fields:
        return False
    attempts = ctx.exchange.attempts
    if not any(earlier.sent and earlier.status is None for earlier in attempts[:-1]):
        return False
    detail = "409 to a repeat with the same Idempotency-Key: the first attempt is still at work"
    attempts[-1].note(detail)
    ctx.exchange.note(detail)
    return True


def _final(
    ctx: Context,
    got: ResponseHead | Failed,
    step: Stop | None,
    last: UpstreamResponse | NoAnswer | None,
) -> UpstreamResponse | NoAnswer:
    if step is not None:
        ctx.exchange.retry_stopped = step.why
    if isinstance(got, ResponseHead):
        return UpstreamResponse(got)
    if isinstance(last, UpstreamResponse):
        return last
    if got.outcome is o.NO_HEALTHY_UPSTREAM:
        return last or NoAnswer(got.outcome, ctx.upstream.next_check_in())
    wait = ctx.route.breaker.wait(now()) if got.outcome is o.CIRCUIT_OPEN else None
    return NoAnswer(got.outcome, wait)


def _refused(
    ctx: Context, refused: Refused, last: UpstreamResponse | NoAnswer | None
) -> UpstreamResponse | NoAnswer:
    """The breaker says no. On a retry the client gets what the last attempt gave, not that."""
    if last is None:
        ctx.exchange.enter("B")
        return NoAnswer(refused.outcome, refused.retry_in)
    ctx.exchange.retry_stopped = "circuit_open"
    return last


def _not_again(
    ctx: Context, why: NotRetried, last: UpstreamResponse | NoAnswer
) -> UpstreamResponse | NoAnswer:
    """The retry that was decided on, and paid for, is not made after all."""
    ctx.route.budget.refund()
    ctx.exchange.retry_stopped = why
    return last


async def _set_aside(ctx: Context, head: ResponseHead) -> UpstreamResponse | NoAnswer:
    """Read an answer that is to be retried, so that it can be given after all.

    One that is too large comes back as far as it was read, to be relayed at once.
    """
    ctx.stop_upload()
    connection, limit = ctx.connection, ctx.route.rule.retry.keep_answer
    spent = ctx.exchange.spent
    answer = UpstreamResponse(head)
    ctx.exchange.attempts[-1].upstream_ids = other_ids(
        head.fields, ctx.plan.other_ids, ctx.exchange.request_id
    )
    while connection is not None and len(answer.body) <= limit:
        began = now()
        before = spent.enter(UPSTREAM, began)
        try:
            piece = await connection.read(ctx.route.rule.timeouts.gap, ctx.deadline.left(began))
        finally:
            spent.enter(before, now())
        if not isinstance(piece, bytes):
            answer.is_whole = isinstance(piece, EndOfBody)
            ctx.let_go(whole=answer.is_whole)
            ctx.settle(signal_of(head.status), now())
            return answer if answer.is_whole else NoAnswer(o.UPSTREAM_RESET)  # half of one is none
        answer.body += piece
    return answer


async def _pause(ctx: Context, pause: float) -> None:
    ctx.exchange.attempts[-1].pause = pause
    ctx.exchange.enter("Q")
    before = ctx.exchange.spent.enter(PAUSE, now())
    try:
        await asyncio.sleep(pause)
    finally:
        ctx.exchange.spent.enter(before, now())
