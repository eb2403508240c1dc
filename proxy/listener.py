"""The traffic port: sockets of ours, hosted by aiohttp's public API, a connection of ours on each.

Accepts, counts, bounds and closes connections; what happens to a request is `forward`'s.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from aiohttp import web

from proxy.client.connection import ClientConnection
from proxy.client.owner import FixedLimits
from proxy.client.protocol import ClientProtocol
from proxy.forward import Forward
from proxy.http.peer import Peer
from proxy.http.trust import Peers
from proxy.settings.sections import Listen
from proxy.tls.client_certificate import ClientCertificate
from proxy.tls.parts import PortParts
from proxy.tls.port import AT_ONCE, TlsPort
from proxy.tls.sockets import bound_sockets

_LAST_WORDS = 2.0
"""Seconds that clients get at the very end to take what is queued for them."""

UNSENT: Final = 16 * 1024
"""Bytes for a client that the kernel takes before they can be sent: more of them would only wait
there, up to 4 MiB for each client that is slow."""

_BY_TLS: Final = Peer("", scheme=b"https")


class TrafficServer(web.Server):
    """Makes a `ClientConnection` for each connection, and bounds what all of them may hold."""

    def __init__(
        self,
        forward: Forward,
        rule: Listen,
        peers: Peers,
        has_room: Callable[[int], bool],
        shed: Counter[tuple[str, str]],
    ) -> None:
        super().__init__(forward)  # type: ignore[arg-type]  # we read requests, it never does
        self._forward = forward
        self._rule = rule
        self._limits = FixedLimits.of(rule)
        self._peers = peers
        self._has_room = has_room
        self._shed = shed
        self._clients: dict[ClientConnection, None] = {}
        self._idle: dict[ClientConnection, None] = {}
        """Those that wait for a request, the longest first."""
        self.held_bytes = 0
        """Bytes of requests that wait for their turn, on all connections."""
        self._emptied = asyncio.Event()

    def __call__(self) -> ClientProtocol:  # type: ignore[override]
        client = ClientConnection(
            self, self._limits, self._peers, self._forward, self._forward.refuse
        )
        return ClientProtocol(client)

    @property
    def connections(self) -> list[ClientConnection]:  # type: ignore[override]
        """Connections whose sockets are open, those included that nobody serves any more."""
        return list(self._clients)

    def take(self, rule: Listen, peers: Peers) -> None:
        """Have other bounds for new connections, and another opinion of the peers of all."""
        self._rule, self._limits = rule, FixedLimits.of(rule)
        if peers == self._peers:
            return
        self._peers = peers
        for client in self._clients:
            client.source.trust(peers)

    def opened(self, client: ClientConnection, fd: int) -> bool:
        self._clients[client] = None
        if not self._has_room(fd):
            return False
        if len(self._clients) <= self._rule.max_connections:
            return True
        return self._make_room()

    def has_room(self, fd: int, shaking: int) -> bool:
        """Whether one more may begin its handshake, beside `shaking` others."""
        if not self._has_room(fd):
            return False
        return len(self._clients) + shaking < self._rule.max_connections or self._make_room()

    def protocol(self, certificate: ClientCertificate | None) -> ClientProtocol:
        """What serves a connection whose handshake is done."""
        made = self()
        made.client.source.peer = (
            _BY_TLS
            if certificate is None
            else Peer("", False, b"https", certificate.name, certificate.line)
        )
        return made

    def _make_room(self) -> bool:
        """For one more connection than there may be: the oldest idle one gives way."""
        for oldest in self._idle:
            oldest.close()
            return True
        self._shed["traffic", "connection_limit"] += 1
        self._forward.observer.connection_refused()
        return False

    def idle(self, client: ClientConnection) -> None:
        self._idle[client] = None

    def busy(self, client: ClientConnection) -> None:
        self._idle.pop(client, None)

    def lost(self, client: ClientConnection) -> None:
        self._clients.pop(client, None)
        if not self._clients:
            self._emptied.set()

    def may_hold(self, more: int) -> bool:
        self.held_bytes += more
        return self.held_bytes <= self._rule.unread_bytes

    async def close(self) -> None:
        """Close every connection once what is queued for it is written, or it takes too long."""
        for client in self.connections:
            client.close()
        try:
            async with asyncio.timeout(_LAST_WORDS):
                while self._clients:
                    self._emptied.clear()
                    await self._emptied.wait()
        except TimeoutError:
            for client in self.connections:
                client.abort()

    def close_idle(self) -> None:
        """Close every connection that carries no exchange."""
        for client in self.connections:
            if client.carries_nothing:
                client.close()


class Listener:
    """The sockets of the traffic port and its server."""

    def __init__(
        self,
        forward: Forward,
        rule: Listen,
        peers: Peers,
        has_room: Callable[[int], bool],
        shed: Counter[tuple[str, str]],
        tls: PortParts | None = None,
    ) -> None:
        self._rule = rule
        self._forward = forward
        self._peers = peers
        self._shed = shed
        """Connections that were refused, by whose and why."""
        self._has_room = has_room
        """Whether a client's new connection with this descriptor may be kept."""
        self._tls = tls
        """None where it speaks plain HTTP."""
        self._tls_port: TlsPort | None = None
        self._runner: web.ServerRunner | None = None
        self.server: TrafficServer | None = None
        """Has the connections; None until `start`."""
        self.port = rule.port

    async def start(self) -> None:
        """Bind and accept. Raises OSError where the address is taken or not ours."""
        self.server = TrafficServer(
            self._forward, self._rule, self._peers, self._has_room, self._shed
        )
        self._runner = web.ServerRunner(self.server)
        await self._runner.setup()
        sockets = await bound_sockets(self._rule.host, self._rule.port)
        self.port = sockets[0].getsockname()[1]
        for sock in sockets:  # what is accepted inherits it
            with suppress(OSError):  # another kernel
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
        if self._tls is not None:
            self._tls_port = TlsPort(self.server, self._tls, self._rule.max_connections)
            await self._tls_port.start(sockets, self._rule.backlog)
            return
        for sock in sockets:
            # asyncio takes the length of the kernel's queue for how many it accepts at once
            await web.SockSite(self._runner, sock, backlog=AT_ONCE).start()
            sock.listen(self._rule.backlog)

    def take(self, rule: Listen, peers: Peers) -> None:
        """Have other settings; where it listens stays as it is."""
        self._rule, self._peers = rule, peers
        if self.server is not None:
            self.server.take(rule, peers)
        if self._tls_port is not None:
            self._tls_port.bound(rule.max_connections)

    async def stop_accepting(self) -> None:
        """Refuse new connections and close the idle ones; running exchanges go on."""
        if self._runner is not None and self.server is not None:
            for site in self._runner.sites:
                await site.stop()
            if self._tls_port is not None:
                self._tls_port.stop()
            self.server.close_idle()

    async def stop(self) -> None:
        """Close what is left."""
        await self.stop_accepting()
        if self._runner is not None and self.server is not None:
            await self.server.close()
            await self._runner.cleanup()
