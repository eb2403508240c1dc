"""The line without sockets: clients and endpoints that are scripts, over transports in memory.

Everything between them is the real thing. What an endpoint is to do stands in `answers`, one for
each request in turn; where a connection is made, `dials` may have another end in store.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from proxy.client.body import NO_BODY, Body
from proxy.client.connection import ClientConnection
from proxy.client.protocol import ClientProtocol
from proxy.client.request import Request
from proxy.context import Context, Plan
from proxy.drain import Drain
from proxy.exchange import Exchange
from proxy.forward import Forward
from proxy.http.head_writer import Heads
from proxy.http.proxy_status import ProxyStatus
from proxy.http.request_head import RequestHead, read_request
from proxy.http.trust import Peers
from proxy.limits.overload import Overload
from proxy.opening import open_exchange
from proxy.resilience.breaker import Breaker
from proxy.resilience.budget import Budget
from proxy.routing import Route, Router
from proxy.settings.load import parse
from proxy.upstream.connection import Connection
from proxy.upstream.endpoint import Endpoint
from proxy.upstream.protocol import EndpointProtocol
from proxy.upstream.result import Failed
from proxy.upstream.upstream import Upstream
from tests.house.house import settings_of

ENDPOINT = "http://127.0.0.1:9"
PSEUDONYM = "sidelight-test"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"
CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"

CLOSE = object()
"""An endpoint closes its connection."""
SILENCE = object()
"""An endpoint says nothing."""


class Socket:
    """Only its descriptor is asked for: one that never has anything to read."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        return self._fd

    def getsockopt(self, *_which: int) -> bytes:
        raise OSError

    def recv(self, _size: int) -> bytes:
        raise OSError

    def setsockopt(self, *_: object) -> None: ...


class Wire:
    """A transport: keeps what is written, and tells `on_write` of it."""

    def __init__(
        self, protocol: asyncio.BufferedProtocol, sock: Socket, on_write: Callable[[bytes], None]
    ) -> None:
        self.written = self.written_last = b""
        self.is_closed = self.is_aborted = False
        self._protocol, self._sock, self._on_write = protocol, sock, on_write

    def write(self, data: bytes) -> None:
        self.written += data
        self._on_write(data)

    def write_last(self, data: bytes) -> None:
        """Asked of connections by TLS: a goodbye may go with it."""
        self.written_last += data
        self.write(data)

    def feed(self, data: bytes) -> None:
        if not self.is_closed:
            self._protocol.get_buffer(-1)[: len(data)] = data
            self._protocol.buffer_updated(len(data))

    def lose(self, exc: Exception | None = None) -> None:
        """The connection is gone, by the other side."""
        if not self.is_closed:
            self.is_closed = True
            self._protocol.connection_lost(exc)

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        self.is_aborted = True
        self.close()

    def is_closing(self) -> bool:
        return self.is_closed

    def get_extra_info(self, name: str) -> object:
        return {"socket": self._sock, "peername": ("192.0.2.1", 1)}.get(name)

    def get_write_buffer_size(self) -> int:
        return 0

    def can_write_eof(self) -> bool:
        return False

    def set_write_buffer_limits(self, high: int) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Owner:
    """Has room for every client."""

    def opened(self, client: ClientConnection, fd: int) -> bool:
        return True

    def idle(self, client: ClientConnection) -> None: ...

    def busy(self, client: ClientConnection) -> None: ...

    def lost(self, client: ClientConnection) -> None: ...

    def may_hold(self, more: int) -> bool:
        return True


class Watcher:
    """Keeps the records."""

    def __init__(self) -> None:
        self.begun: list[Exchange] = []
        self.ended: list[Exchange] = []

    def opened(self, x: Exchange) -> None:
        self.begun.append(x)

    def close(self, x: Exchange) -> None:
        self.ended.append(x)

    def connection_refused(self) -> None: ...

    def stream_gaps(self, x: Exchange) -> Callable[[float], None]:
        return lambda _: None

    def stream_started(self, x: Exchange) -> None: ...

    def stream_progress(self, x: Exchange) -> None: ...


@dataclass
class Line:
    """One plan with one route, `all`; unusual settings as those of a house."""

    settings: dict[str, object]
    sock: Socket
    fields: Callable[[RequestHead], dict[str, str]]
    """The team's own."""
    answers: list[object] = field(default_factory=list)
    dials: list[Failed] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    """To endpoints, in the order in which they were made."""

    def __post_init__(self) -> None:
        given = parse(json.dumps(settings_of(ENDPOINT, **self.settings)))
        self.limits = given.listen
        self.observer = Watcher()
        self.upstreams = {
            name: Upstream(name, rule, on_endpoint=lambda *_: None)
            for name, rule in given.upstreams.items()
        }
        self.routes = [
            Route(rule, Breaker(rule.name, rule.breaker, lambda _: None), Budget(rule.retry.budget))
            for rule in given.routes
        ]
        self.route = self.routes[0]
        self.plan = Plan(
            router=Router(self.routes),
            upstreams=self.upstreams,
            heads=Heads("X-Request-ID", PSEUDONYM),
            pseudonym=PSEUDONYM.encode(),
            identity=given.identity,
            other_ids=given.identity.other_ids,
            proxy_status=ProxyStatus("test", on_all=False),
            problem_json=False,
            cors=given.cors,
            fields=self.fields,
            watcher=self.observer,
            overload=Overload(None, None, lambda *_: None),
        )
        self.forward = Forward(self.plan, self.observer)

    # The client.

    def client(self) -> tuple[ClientConnection, Wire]:
        """A client that is connected; what it sends is fed to its wire."""
        peers = Peers((), ())
        client = ClientConnection(
            Owner(), self.limits, peers, self.forward, self.forward.refuse
        )  # fmt: skip
        protocol = ClientProtocol(client)
        wire = Wire(protocol, self.sock, lambda _: None)
        protocol.connection_made(wire)
        return client, wire

    async def ask(self, asked: bytes) -> tuple[bytes, Exchange]:
        """Send a request, and give all that came back once its exchange has ended."""
        _, wire = self.client()
        wire.feed(asked)
        x = await self.end(len(self.observer.ended) + 1)
        return wire.written, x

    async def end(self, n: int = 1) -> Exchange:
        """The exchange that was the `n`-th to end."""
        await until(lambda: len(self.observer.ended) >= n)
        return self.observer.ended[n - 1]

    def context(
        self, *lines: tuple[bytes, bytes], method: str = "GET", body: Body = NO_BODY, target="/"
    ) -> Context:
        """An exchange that has just begun, on its route."""
        ctx = self.opened(asked(*lines, method=method, target=target), body)
        rule = self.route.rule
        ctx.route, ctx.upstream = self.route, self.upstreams[rule.upstream]
        ctx.exchange.route, ctx.exchange.terms = rule.name, rule
        ctx.write_head(None)
        return ctx

    def opened(self, head: RequestHead, body: Body = NO_BODY) -> Context:
        client, _ = self.client()
        return open_exchange(self.plan, Drain(), Request(head, body, client))

    # The endpoints.

    async def dial(self, endpoint: Endpoint, rule: object, owner: object) -> Connection | Failed:
        if self.dials:
            return self.dials.pop(0)
        protocol = EndpointProtocol(endpoint.url, rule, self.sock)
        wire = Wire(protocol, self.sock, lambda _: self._play(wire))
        protocol.connection_made(wire)
        self.wires.append(wire)
        connection = Connection(protocol, owner)
        connection.target = endpoint
        connection.connect_seconds = 0.001
        return connection

    def _play(self, wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        for act in _acts(self.answers.pop(0) if self.answers else SILENCE):
            if act is CLOSE:
                loop.call_soon(wire.lose)
            elif isinstance(act, bytes):
                loop.call_soon(wire.feed, act)

    async def stop(self) -> None:
        for upstream in self.upstreams.values():
            await upstream.close()


def _acts(answer: object) -> Iterator[object]:
    yield from answer if isinstance(answer, tuple) else (answer,)


def asked(
    *lines: tuple[bytes, bytes], method: str = "GET", target: str = "/", version=(1, 1)
) -> RequestHead:
    return read_request(method, target, version, ((b"Host", b"a"), *lines), should_close=False)


async def until(condition: Callable[[], object]) -> None:
    """Let the loop turn until that is so; it is a matter of turns, not of time."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  # whatever makes it so has no event
            await asyncio.sleep(0)
