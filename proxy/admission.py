"""Who is let in on a route, and who has to wait: the limits that are asked once it is known."""

from dataclasses import dataclass

from proxy import outcome as o
from proxy.clock import now
from proxy.context import Context
from proxy.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Refusal:
    """The request is not let in; `retry_in` is in seconds."""

    outcome: Outcome
    detail: str
    retry_in: float | None = None


def admit(ctx: Context) -> Refusal | None:
    """Ask the limits of the route; None where all of them let the request in."""
    limits = ctx.route.rate_limits
    if limits is None:
        return None
    verdict = limits.judge(ctx.asked, ctx.exchange, now())
    ctx.limit_fields = verdict.fields
    if verdict.would_refuse is not None:
        ctx.exchange.would_refuse = verdict.would_refuse
    if verdict.detail is None:
        return None
    return Refusal(o.RATE_LIMITED, verdict.detail, verdict.wait)
