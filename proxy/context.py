"""One exchange under way: its record, the plan it goes by, and what it holds and must give back."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from proxy.client.connection import ClientConnection
from proxy.client.kept_body import KeptBody
from proxy.client.request import Request
from proxy.clock import now
from proxy.drain import Drain
from proxy.exchange import Exchange
from proxy.http.framing import ResponseHead
from proxy.http.head_writer import Heads
from proxy.http.identity import OtherIds
from proxy.http.peer import Peer
from proxy.http.proxy_status import ProxyStatus
from proxy.http.request_head import RequestHead
from proxy.http.rules import CorsRule, IdentityRule
from proxy.limits.overload import Overload
from proxy.limits.places import Places, Ticket
from proxy.outcome import UPSTREAM_ERROR, Outcome, Signal
from proxy.resilience.deadline import Deadline
from proxy.resilience.opening import FailedAttempt
from proxy.resilience.permits import Permit
from proxy.routing import Route, Router
from proxy.streams.observer import StreamObserver
from proxy.streams.relay import EventStream
from proxy.timing.upload_clocks import UploadClocks
from proxy.tracing.sampling import Sampler
from proxy.upstream.choice import Choice
from proxy.upstream.connection import Connection
from proxy.upstream.upstream import Upstream

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
    """Our own name in `Via` of requests; nobody else has it, or is told it by us."""
    identity: IdentityRule
    other_ids: OtherIds
    """Headers of answers that carry IDs of the upstream's own."""
    proxy_status: ProxyStatus
    problem_json: bool
    """Whether errors of ours are problem details (RFC 9457), asked for or not."""
    cors: CorsRule | None
    """For answers without a route."""
    fields: Callable[[RequestHead], dict[str, str]] | None
    """Takes the team's own fields from a request; None where it has none."""
    watcher: StreamObserver
    """Is told of streams while they last."""
    overload: Overload
    """Whether new requests are refused."""
    config_hash: str = ""
    """Of the settings it was built from."""
    concurrency: Places | None = None
    """For all routes together; None: as many as come."""
    sampler: Sampler | None = None
    """Decides which exchanges become spans; None: none do, and trace headers just pass."""
    html_errors: bool = False
    """Whether people get errors of ours as a page."""


class Context:
    """The working state of an exchange; nothing of it outlives it."""

    __slots__ = (
        "asked", "base", "body", "choice", "client", "closing", "connection", "cors", "deadline",
        "drain", "exchange", "head", "kept", "own_fields", "permit", "places", "plan", "request",
        "route", "sent_at", "source", "stream", "upload", "upload_clocks", "upstream", "waits",
    )  # fmt: skip

    plan: Plan
    exchange: Exchange
    asked: RequestHead
    request: Request
    client: ClientConnection
    source: Peer
    drain: Drain
    route: Route
    """Set once one is found, as is `upstream`; `x.route` is empty until then."""
    upstream: Upstream
    body: bytes | None
    """The whole body, kept for replay; None while that is not at hand."""
    kept: KeptBody | None
    """What was taken of a body that is not whole yet; lost where it is too much to be kept."""
    upload_clocks: UploadClocks | None
    """Of the body, once it was waited for."""
    head: bytes
    """The head for the upstream, for every attempt at endpoints with this `base`: but for its span,
    the same."""
    base: str
    sent_at: float
    """When the last attempt's request had been sent whole."""
    deadline: Deadline
    """Set when the attempts begin."""
    permit: Permit | None
    connection: Connection | None
    choice: Choice | None
    """Of the endpoints of `upstream`; None where there is one only."""
    upload: "asyncio.Task[None] | None"
    stream: EventStream | None
    """Set from the commit on, where the answer is a stream of events."""
    cors: bytes
    """Header lines that let a page of another origin read the answer."""
    places: tuple[Ticket, ...]
    """Places that it has, or waits for."""
    waits: bool
    """Whether it is let in only after a wait: for the message in its body, or for a place."""
    own_fields: bytes
    """Header lines of our own for whatever answer the client gets: what its limits leave it."""
    closing: bool
    """Whether the client's connection ends with this exchange, whatever else speaks for it."""

    def __init__(
        self, plan: Plan, exchange: Exchange, asked: RequestHead, request: Request, drain: Drain
    ) -> None:
        self.body = self.head = self.cors = self.own_fields = b""
        self.kept = self.upload_clocks = self.permit = self.connection = self.choice = None
        self.upload = self.stream = None
        self.base, self.sent_at, self.places = "", 0.0, ()
        self.waits = self.closing = False
        self.plan, self.exchange, self.drain, self.asked = plan, exchange, drain, asked
        self.request, self.client, self.source = request, request.client, request.client.source.peer

    @property
    def keeps_alive(self) -> bool:
        """Whether the client's connection may carry another exchange after this one."""
        return self.asked.keep_alive and not self.closing and not self.drain.has_begun

    def commit(self, status: int, data: bytes, *, last: bool = False) -> None:
        """The head goes out, with the body at hand; no retry after it. `last`: nothing follows."""
        self.exchange.commit(status, now())
        if self.choice is not None and status < 500:
            self.upstream.passive.answered(self.choice, now())
        write = self.client.write_last if last else self.client.output.write
        write(data)
        if self.upload_clocks is not None:
            self.upload_clocks.answered()

    def end(self, outcome: Outcome, detail: str | None = None) -> None:
        """How the exchange ends; without `detail` the words of its last attempt stand."""
        self.exchange.end(outcome, detail)

    def settle(self, signal: Signal, at: float) -> None:
        """Give back the permit, if one is held; a second time does nothing."""
        permit = self.permit
        if self.choice is not None:
            signal = self.upstream.passive.ended(self.choice, signal, self.exchange, at)
        if permit is not None:
            failed = None if signal in ("success", "neutral") else self._failed(at)
            self.route.breaker.settle(permit, signal, at, failed)
            self.permit = None

    def _failed(self, at: float) -> FailedAttempt:
        x, tried = self.exchange, self.exchange.attempts[-1]
        code = (tried.outcome or x.outcome or UPSTREAM_ERROR).code
        return FailedAttempt(x.request_id, code, tried.status, tried.endpoint, at)

    def write_head(self, authority: bytes | None = None, base: str = "") -> None:
        """Write the head for the upstream, for an endpoint whose service is below `base`.

        `authority` is sent where the upstream has none of its own; None: the client's.
        """
        self.base = base
        self.head = self.plan.heads.request(
            self.asked,
            self.exchange,
            self.source,
            host=self.upstream.host or authority,
            strip=self.route.terms.strip_prefix,
            via=self.upstream.via,
            base=base,
            change=self.route.request_headers,
        )

    def pass_on_interim(self, head: ResponseHead) -> None:
        """Give the client an interim response of the upstream (RFC 9110 §15.2).

        That is no commit: what follows it may still be another attempt, or an answer of our own.
        """
        x = self.exchange
        if self.asked.version >= _HTTP_1_1 and len(x.interim) < MOST_INTERIM:
            x.interim += (head.status,)
            cors, change = self.route.terms.cors is not None, self.route.response_headers
            self.client.output.write(self.plan.heads.interim(head, cors=cors, change=change))

    def keep(self) -> None:
        """The whole body was taken: where it was kept, it can be sent again."""
        if self.kept is not None and not self.kept.is_lost:
            self.body, self.kept = self.kept.joined(), None

    @property
    def is_replayable(self) -> bool:
        """Whether the whole body is at hand, or can be once the rest of it has come."""
        return self.body is not None if self.kept is None else self.kept.may_be_whole

    def stop_upload(self) -> None:
        """No more of the body goes up on this connection, which then carries nothing else."""
        if self.upload is not None and not self.upload.done():
            self.upload.cancel()
            self.upload = None

    def leave_places(self) -> None:
        """Give back the places, also one in a queue."""
        for ticket in self.places:
            ticket.places.leave(ticket)
        self.places = ()

    def let_go(self, *, whole: bool) -> None:
        """Give back the connection: for reuse where the answer was read `whole`, else closed."""
        if self.upload is not None:
            whole = whole and self.upload.done()
            self.upload.cancel()
            self.upload = None
        connection = self.connection
        if connection is not None:
            if not whole:
                connection.abort()
            elif connection.is_private and self.client.gone_at is None:
                self._bind(connection)
            else:
                connection.release()
            self.connection = None

    def take_bound(self) -> Connection | None:
        """The connection to the upstream that belongs to this client alone, if there is one."""
        bound = self.client.bound.pop(self.upstream.name, None)
        return bound if isinstance(bound, Connection) and bound.rise() else None

    def _bind(self, connection: Connection) -> None:
        if self.upstream.is_retired:
            connection.abort()  # its place is taken by one that this connection does not lead to
        elif connection.rest():
            self.client.bound[self.upstream.name] = connection
