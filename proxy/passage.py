"""One exchange under way: its record, the plan it goes by, and what it holds and must give back."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from proxy.client.connection import ClientConnection
from proxy.client.request import Request
from proxy.events import EventStream, Watcher
from proxy.exchange import Exchange
from proxy.heads import Heads, Source
from proxy.http1 import Head
from proxy.identity import Trace
from proxy.inbound import Inbound
from proxy.outcome import Signal
from proxy.resilience.breaker import Permit
from proxy.resilience.deadline import Deadline
from proxy.routing import Route, Router
from proxy.rules import CorsRule, IdentityRule
from proxy.transport.connection import Connection
from proxy.transport.upstream import Upstream

MOST_INTERIM = 8
"""Interim responses that a client is given; the rest are read over."""

_HTTP_1_1 = (1, 1)


@dataclass(frozen=True, slots=True)
class Plan:
    """What exchanges go by; an exchange keeps the plan it began with."""

    router: Router
    upstreams: dict[str, Upstream]
    heads: Heads
    pseudonym: bytes
    """Our own name in `Via`."""
    identity: IdentityRule
    cors: CorsRule | None
    """For answers without a route."""
    fields: Callable[[Inbound], dict[str, str]]
    """Takes the team's own fields from a request."""
    watcher: Watcher
    """Is told of streams while they last."""


@dataclass(slots=True)
class Drain:
    """How far the process is on its way to the end."""

    has_begun: bool = False
    """Connections end with the exchange they carry."""
    refuses: bool = False
    """New exchanges are refused."""


class Answer:
    """The upstream's answer: its head, and of its body what has been read."""

    head: Head
    body: bytes = b""
    is_whole: bool = False
    """Whether `body` is all of it and the connection is given back."""
    stream: EventStream | None = None
    """Set where the head was held until the first event."""

    def __init__(self, head: Head) -> None:
        self.head = head


class Passage:
    """The working state of an exchange; nothing of it outlives it."""

    plan: Plan
    x: Exchange
    asked: Inbound
    request: Request
    client: ClientConnection
    trace: Trace
    source: Source
    drain: Drain
    route: Route
    """Set once one is found, as is `upstream`; `x.route` is empty until then."""
    upstream: Upstream
    body: bytes | None = b""
    """The whole body, kept for replay; None while it is streamed."""
    head: bytes = b""
    """The head for the upstream, the same for every attempt."""
    sent_at: float = 0.0
    """When the last attempt's request had been sent whole."""
    deadline: Deadline
    """Set when the attempts begin."""
    permit: Permit | None = None
    connection: Connection | None = None
    upload: "asyncio.Task[None] | None" = None
    stream: EventStream | None = None
    """Set from the commit on, where the answer is a stream of events."""
    cors: bytes = b""
    """Header lines that let a page of another origin read the answer."""
    closing: bool = False
    """Whether the client's connection ends with this exchange, whatever else speaks for it."""

    def __init__(
        self, plan: Plan, x: Exchange, asked: Inbound, request: Request, trace: Trace, drain: Drain
    ) -> None:
        self.plan = plan
        self.x = x
        self.asked = asked
        self.request = request
        self.client = request.client
        self.trace = trace
        self.source = request.client.source
        self.drain = drain

    @property
    def keeps_alive(self) -> bool:
        """Whether the client's connection may carry another exchange after this one."""
        return self.asked.keep_alive and not self.closing and not self.drain.has_begun

    def settle(self, signal: Signal, now: float) -> None:
        """Give back the permit, if one is held; a second time does nothing."""
        if self.permit is not None:
            self.route.breaker.settle(self.permit, signal, now)
            self.permit = None

    def pass_on_interim(self, head: Head) -> None:
        """Give the client an interim response of the upstream (RFC 9110 §15.2).

        That is no commit: what follows it may still be another attempt, or an answer of our own.
        """
        x = self.x
        if self.asked.version >= _HTTP_1_1 and len(x.interim) < MOST_INTERIM:
            x.interim += (head.status,)
            own_cors = self.route.rule.cors is not None
            self.client.write(self.plan.heads.interim(head, cors=own_cors))

    def let_go(self, *, whole: bool) -> None:
        """Give back the connection: for reuse where the answer was read `whole`, else closed."""
        if self.upload is not None:
            whole = whole and self.upload.done()
            self.upload.cancel()
            self.upload = None
        if self.connection is not None:
            if whole:
                self.connection.release()
            else:
                self.connection.abort()
            self.connection = None
