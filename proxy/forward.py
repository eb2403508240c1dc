"""The way of a request, in the order of events: `forward` is the line itself.

Before the commit an attempt may be repeated, after it nothing is.
Every exchange ends in exactly one record, also when it is cancelled.
"""

import asyncio
from math import inf
from typing import Protocol

from proxy import outcome as o
from proxy import respond
from proxy.admission import admit, is_limited, let_in, refuse_new
from proxy.attempts import call
from proxy.client.request import Request, RequestError
from proxy.clock import now
from proxy.context import Context, Plan
from proxy.drain import Drain
from proxy.evidence.gather import gather
from proxy.evidence.near_miss import near_miss
from proxy.exchange import Exchange
from proxy.fallback.giving import answer_failed, answer_refused, fails
from proxy.http import guards
from proxy.http.cors import grants, is_preflight
from proxy.http.rules import CorsRule
from proxy.observation.fault import fault_of
from proxy.opening import open_exchange, open_refused, open_unread
from proxy.outcome import Outcome, Result
from proxy.own_response import allow, refuse, refuse_preflight
from proxy.routing import NoRoute, Route
from proxy.time_spent import CLIENT, GUARDS, ROUTE
from proxy.upload import keep_body
from proxy.upstream.result import NoAnswer


async def forward(ctx: Context) -> bool:
    """Take a request all the way. Whether its connection may carry another one."""
    spent, asked = ctx.exchange.spent, ctx.asked
    if new := refuse_new(ctx):
        return refuse(ctx, new.outcome, new.detail, retry_in=new.retry_in)
    spent.enter(ROUTE, now())
    route = _find(ctx)
    if isinstance(route, NoRoute):
        return _refuse_unrouted(ctx, route)
    _enter(ctx, route)
    spent.enter(GUARDS, now())
    terms = route.terms
    if terms.cors is not None and is_preflight(asked.method, asked.fields):
        return allow(ctx, terms.cors)
    if unclear := _ambiguity(ctx, route):
        return refuse(ctx, o.BAD_REQUEST, unclear)
    if refusal := guards.refuse_on_route(asked, terms.max_body, websocket=terms.websocket):
        return refuse(ctx, refusal)
    if is_limited(ctx) and (refused := admit(ctx) or (await let_in(ctx) if ctx.waits else None)):
        return await answer_refused(ctx, refused)
    if asked.has_body:
        await keep_body(ctx)
    answer = await call(ctx)
    if route.fallback is not None and fails(ctx, answer):
        return await answer_failed(ctx, route.fallback, answer)
    if isinstance(answer, NoAnswer):
        return refuse(ctx, answer.outcome, retry_in=answer.retry_in)
    return await respond.answer(ctx, answer)


_UNROUTED_WRITE = 30.0
"""Seconds for which a client may not read an answer that no route's clocks bound."""


class ExchangeObserver(Protocol):
    """Who is told of every exchange."""

    def opened(self, x: Exchange) -> None: ...
    def close(self, x: Exchange) -> None: ...
    def connection_refused(self) -> None: ...


class Forward:
    """Takes every request of the traffic port on its way, and sees to its end."""

    def __init__(self, plan: Plan, observer: ExchangeObserver) -> None:
        self.plan, self.observer, self.drain = plan, observer, Drain()

    async def __call__(self, request: Request) -> bool:
        """Serve one request: whether its connection may carry another one.

        Raises CancelledError only where the client has left.
        """
        client = request.client
        ctx = self._open(request)
        self.drain.enter(client)
        self.observer.opened(ctx.exchange)
        try:
            if ctx.exchange.fault is not None:
                return _stopped(ctx, o.INTERNAL_ERROR, "before it was read")
            ctx.cors = _cors(ctx, ctx.plan.cors)
            goes_on = await forward(ctx)
            return await _is_read(ctx) if goes_on and client.output.is_full else goes_on
        except RequestError as error:
            ctx.exchange.clock_over(error.waited)
            return _stopped(ctx, error.outcome, error.detail)
        except asyncio.CancelledError:
            if client.gone_at is not None and not (client.outlives_client and self.drain.has_begun):
                _left(ctx)
                raise
            _leave(ctx, "drained")
            cut = o.DRAIN_CUT if ctx.exchange.committed else o.DRAINING
            return _stopped(ctx, cut, self.drain.cut_by)
        except Exception as fault:  # noqa: BLE001  # the outermost door: our faults stay ours
            ctx.exchange.fault = fault_of(fault)
            return _stopped(ctx, o.INTERNAL_ERROR, type(fault).__name__)
        finally:
            self._close(ctx)
            client.outlives_client = False
            self.drain.leave(client)

    async def refuse(self, request: Request, error: RequestError) -> bool:
        """Answer what never became a request: its reader or a clock of its head refused it."""
        ctx = open_refused(self.plan, self.drain, request)
        self.observer.opened(ctx.exchange)
        try:
            ctx.cors = _cors(ctx, ctx.plan.cors)
            return _stopped(ctx, error.outcome, error.detail)
        finally:
            self._close(ctx)

    def _open(self, request: Request) -> Context:
        """Begin the record; of a request unread, where a fault of ours prevents more."""
        try:
            return open_exchange(self.plan, self.drain, request)
        except Exception as fault:  # noqa: BLE001  # as above: the client gets its answer
            ctx = open_unread(self.plan, self.drain, request)
            ctx.exchange.fault = fault_of(fault)
            return ctx

    def _close(self, ctx: Context) -> None:
        """Give back what is held and tell the observer, whatever happened."""
        x, client, ended = ctx.exchange, ctx.client, now()
        x.close(ended)
        gather(x, ctx.asked, client, ctx.stream, ctx.connection, ctx.cors)
        if ctx.permit is not None or ctx.choice is not None:
            ctx.settle("neutral", ended)
        if ctx.connection is not None or ctx.upload is not None:
            ctx.let_go(whole=False)
        if ctx.places:
            ctx.leave_places()
        gone = None if client.outlives_client else client.gone_at
        if gone is not None and x.outcome is not None and x.outcome.category == "client":
            x.cancelled = now() - gone
        in_force = self.plan.config_hash
        if x.config_hash != in_force:
            x.replaced_by = in_force
        if x.route:
            breaker = ctx.route.breaker
            x.breaker_state = breaker.state(ended)
            if x.outcome is not o.COMPLETED:
                x.breaker_counts = breaker.counts(ended)
                x.opening = breaker.opening
            client.bound_unread(ctx.route.terms.client_write)
        if x.span is not None and not x.span.sampled and self.plan.sampler is not None:
            self.plan.sampler.end(x, x.span)
        self.observer.close(x)


def _find(ctx: Context) -> Route | NoRoute:
    """The route; a preflight is about the method that is to follow."""
    asked = ctx.asked
    if is_preflight(asked.method, asked.fields):
        method = asked.fields[b"access-control-request-method"].decode("latin-1")
        names = asked.fields.get(b"access-control-request-headers", b"")
        host, fields = ctx.exchange.host, asked.fields
        found = ctx.plan.router.match(host, asked.target, method, fields, announced=names)
        if not isinstance(found, NoRoute) and found.rule.cors is not None:
            return found
    return ctx.plan.router.match(ctx.exchange.host, asked.target, asked.method, asked.fields)


def _ambiguity(ctx: Context, route: Route) -> str | None:
    asked, host = ctx.asked, ctx.exchange.host
    return ctx.plan.router.ambiguity(route, host, asked.target, asked.method, asked.fields)


def _enter(ctx: Context, route: Route) -> None:
    """From here on the route's rule is what the exchange goes by."""
    x, terms = ctx.exchange, route.terms
    ctx.route, ctx.upstream = route, ctx.plan.upstreams[terms.upstream]
    x.route, x.upstream, x.terms = terms.name, terms.upstream, route.rule
    if terms.cors is not None or ctx.cors:
        ctx.cors = _cors(ctx, terms.cors)
    ctx.write_head()


def _refuse_unrouted(ctx: Context, found: NoRoute) -> bool:
    near, asked = found.nearest, ctx.asked
    if near is None or near.rule.cors is None or not is_preflight(asked.method, asked.fields):
        why = near_miss(ctx.plan.router, found, ctx.exchange.host, asked)
        return refuse(ctx, found.outcome, why, extra=_allow_line(found))
    why = f"methods of the route {near.name} ({', '.join(found.allow)})"
    return refuse_preflight(ctx, near.rule.cors, why)


async def _is_read(ctx: Context) -> bool:
    """Before the next exchange: wait for a client that asks and asks, and does not read."""
    silence = ctx.route.terms.client_write if ctx.exchange.route else _UNROUTED_WRITE
    before = ctx.exchange.spent.enter(CLIENT, now())
    try:
        is_read = await ctx.client.output.drained(silence, inf)
    finally:
        ctx.exchange.spent.enter(before, now())
    if not is_read:
        ctx.end(o.CLIENT_TOO_SLOW)
        ctx.client.abort()
    return is_read


def _stopped(ctx: Context, outcome: Outcome, detail: str) -> bool:
    """End early: with an answer where none has gone out, else by breaking the connection."""
    if ctx.exchange.committed is None and outcome.status is not None:
        return refuse(ctx, outcome, detail)
    ctx.end(outcome, detail)
    respond.break_off(ctx, outcome)
    return False


def _left(ctx: Context) -> None:
    """The client left: nobody's failure."""
    _leave(ctx, "client_gone")
    began = ctx.exchange.committed is not None
    ctx.end(o.CLIENT_CLOSED_STREAM if began else o.CLIENT_CLOSED_REQUEST)


def _leave(ctx: Context, result: Result) -> None:
    """Name the end of an attempt that was still waiting."""
    spare = ctx.exchange.fallback
    if spare is not None and spare.attempt is not None:
        spare.attempt.leave(result)
    elif ctx.exchange.attempts:
        ctx.exchange.attempts[-1].leave(result)


def _cors(ctx: Context, rule: CorsRule | None) -> bytes:
    return grants(rule, ctx.asked.fields.get(b"origin"), ctx.plan.heads.id_name) if rule else b""


def _allow_line(found: NoRoute) -> bytes:
    return b"Allow: %b\r\n" % ", ".join(found.allow).encode() if found.allow else b""
