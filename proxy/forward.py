"""The way of a request, in the order of events.

open → refuse → route → call (attempts, until an answer or an outcome) → answer (relay) → close.
Before the commit an attempt may be repeated, after it nothing is.
Every exchange ends in exactly one record, also when it is cancelled.
"""

import asyncio
from math import inf
from typing import Protocol

from proxy import guards
from proxy import outcome as o
from proxy import own_response as reply
from proxy import respond as commit
from proxy.attempts import NoAnswer, call, keep_body
from proxy.client.connection import ClientConnection
from proxy.client.request import Request, RequestError
from proxy.clock import now
from proxy.context import Drain, Passage, Plan
from proxy.exchange import Exchange
from proxy.fault import fault_of
from proxy.http.cors import grants, is_preflight
from proxy.http.rules import CorsRule
from proxy.opening import open_passage, open_refused, open_unread
from proxy.outcome import Outcome, Result
from proxy.routing import NoRoute, Route

_UNROUTED_WRITE = 30.0
"""Seconds for which a client may not read an answer that no route's clocks bound."""


class Observer(Protocol):
    """Who is told of every exchange."""

    def opened(self, x: Exchange) -> None: ...

    def close(self, x: Exchange) -> None: ...

    def connection_refused(self) -> None: ...


class Forward:
    """Takes every request of the traffic port on its way."""

    def __init__(self, plan: Plan, observer: Observer) -> None:
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
        p = self._open(request)
        self.running.add(client)
        self.observer.opened(p.x)
        try:
            if p.x.fault is not None:
                return _stopped(p, o.INTERNAL_ERROR, "before it was read")
            return await self._travel(p) and await _is_read(p)
        except RequestError as error:
            return _stopped(p, error.outcome, error.detail)
        except asyncio.CancelledError:
            if client.gone_at is not None and not (client.outlives_client and self.drain.has_begun):
                _left(p)
                raise
            _leave(p, "drained")
            return _stopped(p, o.DRAIN_CUT if p.x.committed else o.DRAINING, "drain limit")
        except Exception as fault:  # noqa: BLE001  # the outermost door: our faults stay ours
            p.x.fault = fault_of(fault)
            return _stopped(p, o.INTERNAL_ERROR, type(fault).__name__)
        finally:
            self._close(p)
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
        p = open_refused(self.plan, self.drain, request)
        self.observer.opened(p.x)
        try:
            p.cors = _cors(p, self.plan.cors)
            return _stopped(p, error.outcome, error.detail)
        finally:
            self._close(p)

    def _open(self, request: Request) -> Passage:
        """Begin the record; of a request unread, where a fault of ours prevents more."""
        try:
            return open_passage(self.plan, self.drain, request)
        except Exception as fault:  # noqa: BLE001  # as above: the client gets its answer
            p = open_unread(self.plan, self.drain, request)
            p.x.fault = fault_of(fault)
            return p

    async def _travel(self, p: Passage) -> bool:
        if self.plan.cors is not None:
            p.cors = _cors(p, self.plan.cors)
        if refusal := self._refusal(p):
            return reply.refuse(p, refusal)
        found = _find(p)
        if isinstance(found, NoRoute):
            return _refuse_unrouted(p, found)
        self._enter(p, found)
        if found.rule.cors is not None and is_preflight(p.asked.method, p.asked.fields):
            return reply.allow(p, found.rule.cors)
        asked = p.asked
        p.x.detail = self.plan.router.ambiguity(found, p.x.host, asked.target, asked.method)
        if p.x.detail is not None:
            return reply.refuse(p, o.BAD_REQUEST)
        if refusal := guards.refuse_on_route(
            asked, found.rule.max_body, websocket=found.rule.websocket
        ):
            return reply.refuse(p, refusal)
        await keep_body(p)
        answer = await call(p)
        if isinstance(answer, NoAnswer):
            return reply.refuse(p, answer.outcome, answer.retry_in)
        return await commit.answer(p, answer)

    def _refusal(self, p: Passage) -> Outcome | None:
        if refusal := guards.refuse_request(p.asked, self.plan.pseudonym):
            return refusal
        return o.DRAINING if self.drain.refuses else None

    def _enter(self, p: Passage, route: Route) -> None:
        p.route = route
        p.x.route, p.x.upstream, p.x.terms = route.rule.name, route.rule.upstream, route.rule
        if route.rule.cors is not None or p.cors:
            p.cors = _cors(p, route.rule.cors)
        p.upstream = self.plan.upstreams[route.rule.upstream]
        host = p.upstream.rule.host
        p.write_head(host.encode() if host else None)

    def _close(self, p: Passage) -> None:
        """Give back what is held and tell the observer, whatever happened."""
        x = p.x
        x.ended = now()
        p.settle("neutral", x.ended)
        p.let_go(whole=False)
        if (
            p.client.gone_at is not None
            and not p.client.outlives_client
            and x.outcome is not None
            and x.outcome.category == "client"
        ):
            x.cancelled = now() - p.client.gone_at
        if x.route:
            x.breaker_state = p.route.breaker.state(x.ended)
            if x.outcome is not o.COMPLETED:
                x.breaker_counts = p.route.breaker.counts(x.ended)
                x.opening = p.route.breaker.opening
            p.client.bound_unread(p.route.rule.timeouts.client_write)
        self.observer.close(x)


def _find(p: Passage) -> Route | NoRoute:
    """The route; a preflight is about the method that is to follow."""
    asked = p.asked
    method = asked.method
    if is_preflight(method, asked.fields):
        method = asked.fields[b"access-control-request-method"].decode("latin-1")
        found = p.plan.router.match(p.x.host, asked.target, method)
        if not isinstance(found, NoRoute) and found.rule.cors is not None:
            return found
    return p.plan.router.match(p.x.host, asked.target, asked.method)


def _refuse_unrouted(p: Passage, found: NoRoute) -> bool:
    near = found.nearest
    if near is None or near.rule.cors is None or not is_preflight(p.asked.method, p.asked.fields):
        return reply.refuse(p, found.outcome, extra=_allow_line(found))
    why = f"methods of the route {near.name} ({', '.join(found.allow)})"
    return reply.refuse_preflight(p, near.rule.cors, why)


async def _is_read(p: Passage) -> bool:
    """Before the next exchange: wait for a client that asks and asks, and does not read."""
    if not p.client.is_full:
        return True
    silence = p.route.rule.timeouts.client_write if p.x.route else _UNROUTED_WRITE
    began = now()
    is_read = await p.client.drained(silence, inf)
    p.x.client_wait += now() - began
    if not is_read:
        p.x.outcome = o.CLIENT_TOO_SLOW
        p.client.abort()
    return is_read


def _stopped(p: Passage, outcome: Outcome, detail: str) -> bool:
    """End early: with an answer where none has gone out, else by breaking the connection."""
    p.x.detail = detail
    if p.x.committed is None and outcome.status is not None:
        return reply.refuse(p, outcome)
    p.x.outcome = outcome
    commit.break_off(p, outcome)
    return False


def _leave(p: Passage, result: Result) -> None:
    """Name the end of an attempt that was still waiting."""
    if p.x.attempts and p.x.attempts[-1].result is None:
        p.x.attempts[-1].result = result


def _left(p: Passage) -> None:
    """The client left: nobody's failure."""
    _leave(p, "client_gone")
    if p.x.committed is not None:
        p.x.outcome = o.CLIENT_CLOSED_STREAM
    else:
        p.x.outcome, p.x.status = o.CLIENT_CLOSED_REQUEST, 499


def _cors(p: Passage, rule: CorsRule | None) -> bytes:
    return grants(rule, p.asked.fields.get(b"origin"), p.plan.heads.id_name) if rule else b""


def _allow_line(found: NoRoute) -> bytes:
    return b"Allow: %b\r\n" % ", ".join(found.allow).encode() if found.allow else b""
