"""The connections of clients on a port: makes them, and bounds what all together may hold.

Refuses to know how they are accepted.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from proxy.client.connection import ClientConnection
from proxy.client.owner import ConnectionLimits, FixedLimits, Refuse, Serve
from proxy.client.protocol import ClientProtocol
from proxy.http.peer import Peer
from proxy.http.trust import Peers
from proxy.tls.client_certificate import ClientCertificate

_BY_TLS: Final = Peer("", scheme=b"https")


class PortLimits(ConnectionLimits, Protocol):
    """What bounds a port."""

    @property
    def max_connections(self) -> int: ...

    @property
    def unread_bytes(self) -> int:
        """Of requests that wait for their turn, on all connections."""


class ClientRegistry:
    """The `Owner` of every connection.

    `serve` and `refuse` take their requests. `has_room` says whether a new connection with this
    descriptor may be kept; `refused` is told of each for which there was no place.
    """

    def __init__(
        self,
        serve: Serve,
        refuse: Refuse,
        limits: PortLimits,
        peers: Peers,
        has_room: Callable[[int], bool],
        refused: Callable[[], None],
    ) -> None:
        self._serve, self._refuse = serve, refuse
        self._has_room, self._refused = has_room, refused
        self._peers = peers
        self._clients: dict[ClientConnection, None] = {}
        self._idle: dict[ClientConnection, None] = {}
        """Those that wait for a request, the longest first."""
        self.held_bytes = 0
        """Bytes of requests that wait for their turn, on all connections."""
        self._emptied = asyncio.Event()
        self.take(limits, peers)

    def take(self, limits: PortLimits, peers: Peers) -> None:
        """Have other bounds for new connections, and another opinion of the peers of all."""
        self._limits = FixedLimits.of(limits)
        self._most, self._unread_bytes = limits.max_connections, limits.unread_bytes
        if peers == self._peers:
            return
        self._peers = peers
        for client in self._clients:
            client.source.trust(peers)

    @property
    def connections(self) -> list[ClientConnection]:
        """Those whose sockets are open, those included that nobody serves any more."""
        return list(self._clients)

    async def emptied(self) -> None:
        """Wait until there is none."""
        while self._clients:
            self._emptied.clear()
            await self._emptied.wait()

    # What a port asks for.

    def plain(self) -> ClientProtocol:
        """What serves a connection by plain HTTP."""
        client = ClientConnection(self, self._limits, self._peers, self._serve, self._refuse)
        return ClientProtocol(client)

    def protocol(self, certificate: ClientCertificate | None) -> ClientProtocol:
        """What serves a connection whose TLS handshake is done."""
        made = self.plain()
        made.client.source.peer = (
            _BY_TLS
            if certificate is None
            else Peer("", False, b"https", certificate.name, certificate.line)
        )
        return made

    def has_room(self, fd: int, shaking: int) -> bool:
        """Whether one more may begin its handshake, beside `shaking` others."""
        if not self._has_room(fd):
            return False
        return len(self._clients) + shaking < self._most or self._make_room()

    # What a connection tells.

    def opened(self, client: ClientConnection, fd: int) -> bool:
        self._clients[client] = None
        if not self._has_room(fd):
            return False
        return len(self._clients) <= self._most or self._make_room()

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
        return self.held_bytes <= self._unread_bytes

    def _make_room(self) -> bool:
        """For one more connection than there may be: the oldest idle one gives way."""
        for oldest in self._idle:
            oldest.close()
            return True
        self._refused()
        return False
