"""The way of a request, in the order of events.

open → refuse → route → call (attempts, until an answer or an outcome) → answer (relay) → close.
Before the commit an attempt may be repeated, after it nothing is.
Every exchange ends in exactly one record, also when it is cancelled.
"""

import asyncio
from math import inf
from typing import Protocol

from proxy import guards, own_response, respond
from proxy import outcome as o
from proxy.attempts import NoAnswer, call, keep_body
from proxy.client.connection import ClientConnection
from proxy.client.request import Request, RequestError
from proxy.clock import now
from proxy.context import Context, Drain, Plan
from proxy.exchange import Exchange
from proxy.fault import fault_of
from proxy.http.cors import grants, is_preflight
from proxy.http.rules import CorsRule
from proxy.loop_lag import waited
from proxy.opening import open_exchange, open_refused, open_unread
from proxy.outcome import Outcome, Result
from proxy.routing import NoRoute, Route

_UNROUTED_WRITE = 30.0
"""Seconds for which a client may not read an answer that no route's clocks bound."""


class ExchangeObserver(Protocol):
    """Who is told of every exchange."""

    def opened(self, x: Exchange) -> None: ...

    def close(self, x: Exchange) -> None: ...

    def connection_refused(self) -> None: ...


class Forward:
    """Takes every request of the traffic port on its way."""

    def __init__(self, plan: Plan, observer: ExchangeObserver) -> None:
        self.plan = plan
        self.observer = observer
        self.drain = Drain()
        self.running: set[ClientConnection] = set()
        """Clients whose exchange is under way."""
        self._empty = asyncio.Event()

    async def __call__(self, request: Request) -> bool:
        """Take one request all the way: whether its connection may carry another one.

        Raises CancelledError only where the client has left.
        """
        client = request.client
        ctx = self._open(request)
        self.running.add(client)
        self.observer.opened(ctx.exchange)
        try:
            if ctx.exchange.fault is not None:
                return _stopped(ctx, o.INTERNAL_ERROR, "before it was read")
            return await self._travel(ctx) and await _is_read(ctx)
        except RequestError as error:
            return _stopped(ctx, error.outcome, error.detail)
        except asyncio.CancelledError:
            if client.gone_at is not None and not (client.outlives_client and self.drain.has_begun):
                _left(ctx)
                raise
            _leave(ctx, "drained")
            return _stopped(
                ctx, o.DRAIN_CUT if ctx.exchange.committed else o.DRAINING, "drain limit"
            )
        except Exception as fault:  # noqa: BLE001  # the outermost door: our faults stay ours
            ctx.exchange.fault = fault_of(fault)
            return _stopped(ctx, o.INTERNAL_ERROR, type(fault).__name__)
        finally:
            self._close(ctx)
            client.outlives_client = False
            self.running.discard(client)
            if not self.running:
                self._empty.set()

    async def finished(self, limit: float) -> bool:
        """Wait until no exchange is under way; False if that took longer than `limit` seconds."""
        try:
            async with asyncio.timeout(limit):
                while self.running:
                    self._empty.clear()
                    await self._empty.wait()
        except TimeoutError:
            return False
        return True

    async def cut(self) -> None:
        """End what is still under way; the clients are told as far as they can be."""
        for client in self.running:
            client.interrupt()
        await self.finished(1.0)

    async def refuse(self, request: Request, error: RequestError) -> bool:
        """Answer what never became a request: its reader or a clock of its head refused it."""
        ctx = open_refused(self.plan, self.drain, request)
        self.observer.opened(ctx.exchange)
        try:
            ctx.cors = _cors(ctx, self.plan.cors)
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

    async def _travel(self, ctx: Context) -> bool:
        if self.plan.cors is not None:
            ctx.cors = _cors(ctx, self.plan.cors)
        if refusal := self._refusal(ctx):
            return own_response.refuse(ctx, refusal)
        found = _find(ctx)
        if isinstance(found, NoRoute):
            return _refuse_unrouted(ctx, found)
        self._enter(ctx, found)
        if found.rule.cors is not None and is_preflight(ctx.asked.method, ctx.asked.fields):
            return own_response.allow(ctx, found.rule.cors)
        asked = ctx.asked
        ctx.exchange.detail = self.plan.router.ambiguity(
            found, ctx.exchange.host, asked.target, asked.method
        )
        if ctx.exchange.detail is not None:
            return own_response.refuse(ctx, o.BAD_REQUEST)
        if refusal := guards.refuse_on_route(
            asked, found.rule.max_body, websocket=found.rule.websocket
        ):
            return own_response.refuse(ctx, refusal)
        await keep_body(ctx)
        answer = await call(ctx)
        if isinstance(answer, NoAnswer):
            return own_response.refuse(ctx, answer.outcome, answer.retry_in)
        return await respond.answer(ctx, answer)

    def _refusal(self, ctx: Context) -> Outcome | None:
        if refusal := guards.refuse_request(ctx.asked, self.plan.pseudonym):
            return refusal
        return o.DRAINING if self.drain.refuses else None

    def _enter(self, ctx: Context, route: Route) -> None:
        ctx.route = route
        ctx.exchange.route, ctx.exchange.upstream, ctx.exchange.terms = (
            route.rule.name,
            route.rule.upstream,
            route.rule,
        )
        if route.rule.cors is not None or ctx.cors:
            ctx.cors = _cors(ctx, route.rule.cors)
        ctx.upstream = self.plan.upstreams[route.rule.upstream]
        host = ctx.upstream.rule.host
        ctx.write_head(host.encode() if host else None)

    def _close(self, ctx: Context) -> None:
        """Give back what is held and tell the observer, whatever happened."""
        x = ctx.exchange
        x.ended = now()
        ctx.settle("neutral", x.ended)
        ctx.let_go(whole=False)
        if (
            ctx.client.gone_at is not None
            and not ctx.client.outlives_client
            and x.outcome is not None
            and x.outcome.category == "client"
        ):
            x.cancelled = now() - ctx.client.gone_at
        if x.route:
            x.breaker_state = ctx.route.breaker.state(x.ended)
            if x.outcome is not o.COMPLETED:
                x.breaker_counts = ctx.route.breaker.counts(x.ended)
                x.opening = ctx.route.breaker.opening
            ctx.client.bound_unread(ctx.route.rule.timeouts.client_write)
        self.observer.close(x)


def _find(ctx: Context) -> Route | NoRoute:
    """The route; a preflight is about the method that is to follow."""
    asked = ctx.asked
    method = asked.method
    if is_preflight(method, asked.fields):
        method = asked.fields[b"access-control-request-method"].decode("latin-1")
        found = ctx.plan.router.match(ctx.exchange.host, asked.target, method)
        if not isinstance(found, NoRoute) and found.rule.cors is not None:
            return found
    return ctx.plan.router.match(ctx.exchange.host, asked.target, asked.method)


def _refuse_unrouted(ctx: Context, found: NoRoute) -> bool:
    near = found.nearest
    if (
        near is None
        or near.rule.cors is None
        or not is_preflight(ctx.asked.method, ctx.asked.fields)
    ):
        return own_response.refuse(ctx, found.outcome, extra=_allow_line(found))
    why = f"methods of the route {near.name} ({', '.join(found.allow)})"
    return own_response.refuse_preflight(ctx, near.rule.cors, why)


async def _is_read(ctx: Context) -> bool:
    """Before the next exchange: wait for a client that asks and asks, and does not read."""
    if not ctx.client.is_full:
        return True
    silence = ctx.route.rule.timeouts.client_write if ctx.exchange.route else _UNROUTED_WRITE
    began = now()
    is_read = await ctx.client.drained(silence, inf)
    ctx.exchange.client_wait += waited(began, now())
    if not is_read:
        ctx.exchange.outcome = o.CLIENT_TOO_SLOW
        ctx.client.abort()
    return is_read


def _stopped(ctx: Context, outcome: Outcome, detail: str) -> bool:
    """End early: with an answer where none has gone out, else by breaking the connection."""
    ctx.exchange.detail = detail
    if ctx.exchange.committed is None and outcome.status is not None:
        return own_response.refuse(ctx, outcome)
    ctx.exchange.outcome = outcome
    respond.break_off(ctx, outcome)
    return False


def _leave(ctx: Context, result: Result) -> None:
    """Name the end of an attempt that was still waiting."""
    if ctx.exchange.attempts and ctx.exchange.attempts[-1].result is None:
        ctx.exchange.attempts[-1].result = result


def _left(ctx: Context) -> None:
    """The client left: nobody's failure."""
    _leave(ctx, "client_gone")
    if ctx.exchange.committed is not None:
        ctx.exchange.outcome = o.CLIENT_CLOSED_STREAM
    else:
        ctx.exchange.outcome, ctx.exchange.status = o.CLIENT_CLOSED_REQUEST, 499


def _cors(ctx: Context, rule: CorsRule | None) -> bytes:
    return grants(rule, ctx.asked.fields.get(b"origin"), ctx.plan.heads.id_name) if rule else b""


def _allow_line(found: NoRoute) -> bytes:
    return b"Allow: %b\r\n" % ", ".join(found.allow).encode() if found.allow else b""
