"""Who is let in on a route: what is asked once it is known, in this order.

https, the type of the body, rate limits, the message, concurrency; what costs least is asked first.
"""

from dataclasses import dataclass

from proxy import outcome as o
from proxy.clock import now
from proxy.context import Context
from proxy.http import guards
from proxy.http.authority import host_name
from proxy.http.forwarding import is_https
from proxy.limits.message_guard import (
    LARGEST,
    WITH_MESSAGE,
    Unfit,
    refuse_message,
    refuse_type,
    refuse_unreadable,
)
from proxy.limits.overload import RETRY_IN
from proxy.limits.rate import Verdict
from proxy.outcome import Outcome
from proxy.own_response import refuse
from proxy.place_queue import ask_place, await_place
from proxy.upload import read_whole

_REDIRECTED = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The request is not let in; `retry_in` is in seconds."""

    outcome: Outcome
    detail: str | None = None
    retry_in: float | None = None
    number: int | None = None
    """For the message."""
    location: bytes = b""
    """Where a GET is sent instead."""


def refuse_new(ctx: Context) -> Refusal | None:
    """Why the request is not taken, whatever it asks for."""
    if refusal := guards.refuse_request(ctx.asked, ctx.plan.pseudonym):
        return Refusal(refusal)
    overload = ctx.plan.overload
    if overload.detail is not None:
        return Refusal(o.OVERLOAD_SHED, overload.refuse(), RETRY_IN)
    return Refusal(o.DRAINING, ctx.drain.refused_since) if ctx.drain.refuses else None


def is_limited(ctx: Context) -> bool:
    """Whether a guard or a limit is to be asked for leave."""
    return ctx.plan.concurrency is not None or not ctx.route.admits_all


def admit(ctx: Context) -> Refusal | None:
    """Why the request is not let in; None where it is, or where `ctx.waits` and `let_in` says."""
    asked, route = ctx.asked, ctx.route
    if route.guards_scheme:
        if is_https(ctx.source.scheme, asked.fields if ctx.source.trusted else None):
            ctx.own_fields += route.hsts_line  # stay with it: RFC 6797
        elif route.requires_https:
            return _refuse_plain(ctx)
    looks = False
    if route.guards_body and (asked.has_body or asked.method in WITH_MESSAGE):
        rule = route.rule
        if unfit := refuse_type(asked, rule.content_types):
            return _refusal(unfit)
        looks = rule.message.pointer is not None
        if looks and (unfit := refuse_unreadable(asked)):
            return _refusal(unfit)
    if route.rate_limits is not None:
        verdict = route.rate_limits.judge(asked, ctx.exchange, now())
        ctx.own_fields += verdict.fields
        if not verdict.all_fit and (refusal := _refuse_often(ctx, verdict)):
            return refusal
    if looks:
        ctx.waits = True
        return None
    refused = ask_place(ctx)
    return Refusal(*refused) if refused else None


async def let_in(ctx: Context) -> Refusal | None:
    """Why the request is not let in after what it waits for; None where it is.

    Raises RequestError where its body is waited for and does not come.
    """
    rule, own = ctx.route.rule, ctx.route.concurrency
    if not ctx.places and rule.message.pointer is not None:
        await read_whole(ctx, min(LARGEST, rule.max_body))
        unfit = refuse_message(ctx.body or b"", rule.message.pointer, rule.message.max_length)
        if unfit:
            return _refusal(unfit)
        ctx.waits = False
        if refused := ask_place(ctx):
            return Refusal(*refused)
    if not ctx.waits or own is None:
        return None
    refused = await await_place(ctx, own)
    return Refusal(*refused) if refused else None


def turn_away(ctx: Context, refusal: Refusal) -> bool:
    """Answer who was not let in. Whether the connection may carry another exchange."""
    is_sent_on = refusal.location != b""
    return refuse(
        ctx,
        refusal.outcome,
        refusal.detail,
        retry_in=refusal.retry_in,
        number=refusal.number,
        status=308 if is_sent_on else None,
        extra=b"Location: %b\r\n" % refusal.location if is_sent_on else b"",
    )


def _refusal(unfit: Unfit) -> Refusal:
    return Refusal(unfit.outcome, unfit.detail, number=unfit.number)


def _refuse_plain(ctx: Context) -> Refusal:
    """Refuse who came by plain HTTP, or send it to https."""
    asked, is_final = ctx.asked, ctx.route.rule.require_https == "refuse"
    if is_final or asked.method not in _REDIRECTED or not asked.host:
        return Refusal(o.HTTPS_REQUIRED)
    location = f"https://{host_name(ctx.exchange.host)}{asked.target}"
    return Refusal(o.HTTPS_REQUIRED, location=location.encode("utf-8", "surrogateescape"))


def _refuse_often(ctx: Context, verdict: Verdict) -> Refusal | None:
    if verdict.would_refuse is not None:
        ctx.exchange.would_refuse = verdict.would_refuse
    if verdict.detail is None:
        return None
    return Refusal(o.RATE_LIMITED, verdict.detail, verdict.wait)
