"""Waits of a request for its turn: for a place on its route, and for the probe that is out.

What is taken is given back at the end of the exchange; who does not wait any longer leaves at once.
"""

import asyncio
from collections.abc import Callable

from proxy import outcome as o
from proxy.clock import now
from proxy.context import Context
from proxy.limits.concurrency import Concurrency
from proxy.outcome import Outcome
from proxy.resilience.permits import Permit, Refused
from proxy.time_spent import QUEUE


def ask_place(ctx: Context) -> tuple[Outcome, str] | None:
    """Why there is no place for the request, and in which words; None where it has one.

    Or may wait for one: then `ctx.waits`, and `await_place` says what came of it.
    """
    overall, own = ctx.plan.concurrency, ctx.route.concurrency
    if overall is not None:
        ticket = overall.ask(0)
        ctx.places = (ticket,)
        if ticket.state != "granted":
            return (
                o.CONCURRENCY_LIMITED,
                f"listen.concurrency: {overall.limit} under way",
            )
    if own is None:
        return None
    ticket = own.places.ask(own.keys.of(own.source, ctx.asked, ctx.exchange))
    ctx.places += (ticket,)
    if ticket.state == "granted":
        return None
    if ticket.state == "waiting":
        ctx.waits = True
        return None
    return own.refusal(ticket, ctx.asked, ctx.exchange)


async def await_place(ctx: Context, own: Concurrency) -> tuple[Outcome, str] | None:
    """Wait in the queue: why the request had to leave it; None where it has a place."""
    ticket = ctx.places[-1]
    turn = asyncio.get_running_loop().create_future()
    ticket.wake = _waker(turn)
    await _wait(ctx, turn, own.wait)
    if ticket.state == "granted":
        return None
    refusal = own.refusal(ticket, ctx.asked, ctx.exchange)
    own.places.leave(ticket)  # the answer may take its time, the queue may not
    return refusal


async def complete_upload(ctx: Context, permit: Permit) -> str | None:
    """Why the last bytes of an upload may not go up; None where they may.

    Where another whole probe is out its end is waited for, as a connection would be: at most
    `pool_wait`.
    """
    breaker = ctx.route.breaker
    left = ctx.route.rule.timeouts.pool_wait
    while not (may := breaker.complete(permit, began := now())):
        if left <= 0:
            return "another probe was out when the upload was to become whole"
        turn = asyncio.get_running_loop().create_future()
        permit.wake = _waker(turn)
        await _wait(ctx, turn, left)
        left -= now() - began
    return "the circuit opened during the upload" if isinstance(may, Refused) else None


def _waker(turn: "asyncio.Future[None]") -> Callable[[], None]:
    return lambda: None if turn.done() else turn.set_result(None)


async def _wait(ctx: Context, turn: "asyncio.Future[None]", wait: float) -> None:
    """Until it is its turn, at most `wait` seconds; which it was, the caller asks."""
    ctx.exchange.enter("Q")
    before = ctx.exchange.spent.enter(QUEUE, now())
    try:
        async with asyncio.timeout(wait):
            await turn
    except TimeoutError:
        pass
    finally:
        ctx.exchange.spent.enter(before, now())
