"""The loop of attempts: admit, send, decide; it ends at an answer or at an outcome.

Nothing has gone to the client yet, so everything here may be done again.
"""

import asyncio
from dataclasses import dataclass

from proxy import outcome as o
from proxy.attempt import attempt
from proxy.client.request import RequestError, read_body
from proxy.clock import now, wall
from proxy.context import Answer, Passage
from proxy.http.framing import Head
from proxy.http.headers import combine
from proxy.http.identity import other_ids
from proxy.outcome import NotRetried, Outcome, signal_of
from proxy.resilience.breaker import Refused
from proxy.resilience.deadline import Deadline
from proxy.resilience.retry import Again, Failure, Standing, Stop, decide, is_idempotent
from proxy.resilience.retry_after import rest_asked
from proxy.respond import open_stream
from proxy.upstream.result import EndOfBody, Failed


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The loop ended without an answer of the upstream; `retry_in` is in seconds."""

    outcome: Outcome
    retry_in: float | None = None


async def call(p: Passage) -> Answer | NoAnswer:
    """Make attempts until one is good or the rules say stop; gives the last real answer."""
    last: Answer | NoAnswer | None = None
    avoid: str | None = None
    rule = p.route.rule
    at = now()
    p.route.budget.earn(at)
    p.x.breaker_before = p.route.breaker.state(at)
    p.deadline = Deadline(at + rule.timeouts.total)
    while True:
        admitted = p.route.breaker.admit(at)
        if isinstance(admitted, Refused):
            return _refused(p, admitted, last)
        p.permit = admitted
        got = await attempt(p, avoid)
        if isinstance(got, Head) and got.status < 400:
            if not p.route.rule.stream.hold_first_event:
                return Answer(got)
            held = await _hold(p, got)
            if isinstance(held, Answer):
                return held
            got = held
        step = _next(p, got)
        if not isinstance(step, Again):
            return _final(p, got, step, last)
        avoid = p.x.attempts[-1].endpoint
        if isinstance(got, Head):
            last = await _set_aside(p, got)
            if isinstance(last, Answer) and not last.is_whole:
                return _not_again(p, "committed", last)
            p.settle(signal_of(got.status), now())
        else:
            last = last if isinstance(last, Answer) else NoAnswer(got.outcome)
        if why := _in_vain(p, step.pause):
            return _not_again(p, why, last)
        p.x.forget_stream()
        await _pause(p, step.pause)
        at = now()


async def _hold(p: Passage, head: Head) -> Answer | Failed:
    """Keep the head of a stream back until its first event; a silent one is a failed attempt."""
    fields = combine(head.headers)
    stream = open_stream(p, head, fields)
    if stream is None or p.connection is None:
        return Answer(head)
    p.x.phase = "F"
    failed = await stream.hold(p.connection, p.deadline.left(now()))
    if failed is None:
        answer = Answer(head)
        answer.stream = stream
        return answer
    p.let_go(whole=False)
    tried = p.x.attempts[-1]
    tried.outcome, tried.result = failed.outcome, failed.outcome.result
    tried.detail = p.x.detail = failed.detail
    tried.upstream_ids = other_ids(fields, p.plan.other_ids, p.x.request_id)
    return failed


async def keep_body(p: Passage) -> None:
    """Read the body before the first attempt, if it is small enough to be sent again."""
    asked, limit = p.asked, p.route.rule.retry.replay_body
    if not asked.has_body:
        return
    if p.request.body.failure is not None:
        raise RequestError(p.request.body.failure, p.request.body.why)
    at_hand = p.request.body.is_whole and p.request.body.buffered <= limit
    announced = asked.length is not None and asked.length <= limit and not asked.expects_continue
    if not at_hand and not announced:
        p.body = None
        return
    began = now()
    pieces = []
    try:
        while piece := await read_body(p.request, p.route.rule.timeouts.request_body_gap):
            pieces.append(piece)
            p.x.bytes_in += len(piece)
    finally:
        p.x.client_wait += now() - began
    p.body = b"".join(pieces)
    if p.x.bytes_in > p.route.rule.max_body:
        raise RequestError(o.BODY_TOO_LARGE, "body over the limit")


def _next(p: Passage, got: Head | Failed) -> Again | Stop | None:
    """What follows from an attempt; None where nothing failed that a retry could be for."""
    rule = p.route.rule.retry
    if isinstance(got, Failed):
        p.settle(got.outcome.signal, now())
        failure = Failure(got.outcome, sent=p.x.attempts[-1].sent if p.x.attempts else False)
    else:
        asked_for = _rest_asked(p, got)
        if _is_still_at_work(p, got):
            return None
        if got.status < 500 and got.status not in rule.statuses:
            return None
        if got.length is not None and got.length > rule.keep_answer:
            return Stop("committed")  # too large to be kept: it is relayed at once
        failure = Failure(o.UPSTREAM_ERROR, got.status, asked_for)
    standing = Standing(
        made=len(p.x.attempts),
        left=p.deadline.left(now()),
        idempotent=not p.asked.wants_websocket
        and is_idempotent(rule, p.asked.method, has_key=b"idempotency-key" in p.asked.fields),
        replayable=p.body is not None,
        draining=p.drain.has_begun,
    )
    step = decide(rule, failure, standing, p.route.budget, now())
    if p.x.attempts:
        p.x.attempts[-1].budget_left = p.route.budget.tokens(now())
    return step


def _rest_asked(p: Passage, head: Head) -> float | None:
    """Seconds the upstream asks us to stay away; a 429 may cool the route down."""
    rest = p.x.attempts[-1].retry_after = rest_asked(head.headers, wall())
    if head.status == 429:
        p.route.breaker.cool(rest, now())
    return rest


def _in_vain(p: Passage, pause: float) -> NotRetried | None:
    """Why a pause would end in no attempt; None where one may follow."""
    at = now()
    if pause >= p.deadline.left(at):  # to set the answer aside took too long
        return "deadline_near"
    return "circuit_open" if p.route.breaker.will_refuse(at + pause) else None


def _is_still_at_work(p: Passage, head: Head) -> bool:
    """Whether a repeat was told 409 because its own first attempt, of the same `Idempotency-Key`,
    is not done yet: nobody failed, and a third attempt would be told the same."""
    if head.status != 409 or b"idempotency-key" not in p.asked.fields:
        return False
    attempts = p.x.attempts
    if not any(earlier.sent and earlier.status is None for earlier in attempts[:-1]):
        return False
    attempts[-1].detail = p.x.detail = (
        "409 to a repeat with the same Idempotency-Key: the first attempt is still at work"
    )
    return True


def _final(
    p: Passage, got: Head | Failed, step: Stop | None, last: Answer | NoAnswer | None
) -> Answer | NoAnswer:
    if step is not None:
        p.x.retry_stopped = step.why
    if isinstance(got, Head):
        return Answer(got)
    return last if isinstance(last, Answer) else NoAnswer(got.outcome)


def _refused(p: Passage, refused: Refused, last: Answer | NoAnswer | None) -> Answer | NoAnswer:
    """The breaker says no. On a retry the client gets what the last attempt gave, not that."""
    if last is None:
        p.x.phase = "B"
        return NoAnswer(refused.outcome, refused.retry_in)
    p.x.retry_stopped = "circuit_open"
    return last


def _not_again(p: Passage, why: NotRetried, last: Answer | NoAnswer) -> Answer | NoAnswer:
    """The retry that was decided on, and paid for, is not made after all."""
    p.route.budget.refund()
    p.x.retry_stopped = why
    return last


async def _set_aside(p: Passage, head: Head) -> Answer | NoAnswer:
    """Read an answer that is to be retried, so that it can be given after all.

    One that is too large comes back as far as it was read, to be relayed at once.
    """
    connection, limit = p.connection, p.route.rule.retry.keep_answer
    answer = Answer(head)
    p.x.attempts[-1].upstream_ids = other_ids(
        combine(head.headers), p.plan.other_ids, p.x.request_id
    )
    while connection is not None and len(answer.body) <= limit:
        began = now()
        piece = await connection.read(p.deadline.cut(p.route.rule.timeouts.gap, began))
        p.x.upstream_wait += now() - began
        if isinstance(piece, Failed):
            p.let_go(whole=False)
            return NoAnswer(o.UPSTREAM_RESET)  # half an answer is none
        if isinstance(piece, EndOfBody):
            answer.is_whole = True
            p.let_go(whole=True)
            break
        answer.body += piece
    return answer


async def _pause(p: Passage, pause: float) -> None:
    p.x.attempts[-1].pause = pause
    p.x.phase = "Q"
    began = now()
    await asyncio.sleep(pause)
    p.x.paused += now() - began
