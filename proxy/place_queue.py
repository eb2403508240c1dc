"""Takes a place for a request, waiting for one in the queue of its route.

What is taken is given back at the end of the exchange; who does not wait any longer leaves at once.
"""

import asyncio

from proxy import outcome as o
from proxy.clock import now
from proxy.context import Context
from proxy.limits.places import Ticket
from proxy.outcome import Outcome
from proxy.time_spent import QUEUE


async def take_place(ctx: Context) -> tuple[Outcome, str] | None:
    """Why there is no place for the request, and in which words; None where it has one."""
    overall, own = ctx.plan.concurrency, ctx.route.concurrency
    if overall is not None:
        ticket = overall.ask(0)
        ctx.places += ((overall, ticket),)
        if ticket.state != "granted":
            return (
                o.CONCURRENCY_LIMITED,
                f"listen.concurrency: {overall.limit} under way",
            )
    if own is None:
        return None
    ticket = own.ask(ctx.asked, ctx.exchange)
    ctx.places += ((own.places, ticket),)
    if ticket.state == "waiting":
        await _wait(ctx, ticket, own.wait)
    refusal = own.refusal(ticket, ctx.asked, ctx.exchange)
    if refusal is not None:
        own.places.leave(ticket)  # the answer may take its time, the queue may not
    return refusal


async def _wait(ctx: Context, ticket: Ticket, wait: float) -> None:
    """Until the ticket is granted or pushed out, at most `wait` seconds."""
    turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    ticket.wake = lambda: None if turn.done() else turn.set_result(None)
    ctx.exchange.enter("Q")
    before = ctx.exchange.spent.enter(QUEUE, now())
    try:
        async with asyncio.timeout(wait):
            await turn
    except TimeoutError:
        pass  # whether it was granted in the same moment says its state
    finally:
        ctx.exchange.spent.enter(before, now())
