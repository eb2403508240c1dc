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
from proxy.client.protocol import ClientProtocol
from proxy.client.registry import ClientRegistry
from proxy.forward import Forward
from proxy.http.trust import Peers
from proxy.settings.sections import Listen
from proxy.tls.parts import PortParts
from proxy.tls.port import AT_ONCE, TlsPort
from proxy.tls.sockets import bound_sockets

_LAST_WORDS = 2.0
"""Seconds that clients get at the very end to take what is queued for them."""

UNSENT: Final = 16 * 1024
"""Bytes for a client that the kernel takes before they can be sent: more of them would only wait
there, up to 4 MiB for each client that is slow."""


class TrafficServer(web.Server):
    """What aiohttp's sites ask for a protocol, and what ends with them: `clients` does the work."""

    def __init__(
        self,
        forward: Forward,
        rule: Listen,
        peers: Peers,
        has_room: Callable[[int], bool],
        shed: Counter[tuple[str, str]],
    ) -> None:
        super().__init__(forward)  # type: ignore[arg-type]  # we read requests, it never does
        self._observer, self._shed = forward.observer, shed
        self.clients = ClientRegistry(
            forward, forward.refuse, rule, peers, has_room, self._connection_refused
        )

    def __call__(self) -> ClientProtocol:  # type: ignore[override]
        return self.clients.plain()

    @property
    def connections(self) -> list[ClientConnection]:  # type: ignore[override]
        """Connections whose sockets are open, those included that nobody serves any more."""
        return self.clients.connections

    def _connection_refused(self) -> None:
        self._shed["traffic", "connection_limit"] += 1
        self._observer.connection_refused()

    async def close(self) -> None:
        """Close every connection once what is queued for it is written, or it takes too long."""
        for client in self.connections:
            client.close()
        try:
            async with asyncio.timeout(_LAST_WORDS):
                await self.clients.emptied()
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
            self._tls_port = TlsPort(self.server.clients, self._tls, self._rule.max_connections)
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
            self.server.clients.take(rule, peers)
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
