"""A port that speaks TLS: accepts, bounds the handshakes under way, and hands on what they make.

Refuses to know what is served.
"""

import asyncio
import socket
from collections.abc import Iterable
from typing import Final, Protocol

from proxy.clock import now
from proxy.tls.client_certificate import ClientCertificate
from proxy.tls.handshake import Handshake
from proxy.tls.parts import PortParts
from proxy.tls.protocol import Stage, TlsProtocol

HANDSHAKE: Final = 10.0
"""Seconds from the connection to the end of its handshake."""
MOST: Final = 1024
"""Handshakes under way at a time; for one more the oldest gives way."""
AT_ONCE: Final = 64
"""Connections accepted in one turn of the loop at most, before any of them is looked at."""


class TlsOwner(Protocol):
    """Whose port it is."""

    def has_room(self, fd: int, shaking: int) -> bool:
        """Whether a new connection with this descriptor may begin, beside `shaking` others."""

    def protocol(self, certificate: ClientCertificate | None) -> asyncio.BaseProtocol:
        """What serves a connection; None where the client has shown no certificate."""


class TlsPort:
    """`most` bounds the connections; half of them may be in their handshake, for `seconds`."""

    def __init__(
        self, owner: TlsOwner, parts: PortParts, most: int, seconds: float = HANDSHAKE
    ) -> None:
        self._owner = owner
        self._parts = parts
        self._seconds = seconds
        self.bound(most)
        self._loop = asyncio.get_running_loop()
        self._servers: list[asyncio.Server] = []
        self._shaking: dict[Handshake, None] = {}
        """The oldest first; those as well that are over, while they are told so."""
        self._clock: asyncio.TimerHandle | None = None
        """For the oldest; None where there is none."""

    def bound(self, most: int) -> None:
        """Allow so many connections from now on."""
        self._most = min(MOST, max(1, most // 2))

    async def start(self, sockets: Iterable[socket.socket], backlog: int) -> None:
        """Accept on these sockets, which are bound."""
        for sock in sockets:
            # asyncio takes the length of the kernel's queue for how many it accepts at once
            made = await self._loop.create_server(self._accepted, sock=sock, backlog=AT_ONCE)
            self._servers.append(made)
            sock.listen(backlog)

    def stop(self) -> None:
        """Accept nothing more, and break off the handshakes under way: they carry nothing yet."""
        for server in self._servers:
            server.close()
        self._servers = []
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
        for one in list(self._shaking):
            one.break_off("shed", "Sidelight ends")

    # What a handshake asks for.

    def protocol(self, certificate: ClientCertificate | None) -> asyncio.BaseProtocol:
        return self._owner.protocol(certificate)

    def forget(self, one: Handshake) -> None:
        self._shaking.pop(one, None)

    def _accepted(self) -> TlsProtocol:
        return TlsProtocol(self._begin)

    def _begin(self, protocol: TlsProtocol, tcp: asyncio.Transport) -> Stage:
        one = Handshake(self, self._parts, now())
        one.begin(protocol, tcp)
        if len(self._shaking) >= self._most:
            oldest = next(iter(self._shaking))
            self.forget(oldest)
            oldest.break_off("shed", "gave way to others")
        if not self._owner.has_room(tcp.get_extra_info("socket").fileno(), len(self._shaking)):
            one.is_over = True
            tcp.abort()
            return one
        self._shaking[one] = None
        if self._clock is None:
            self._clock = self._loop.call_later(self._seconds, self._look)
        return one

    def _look(self) -> None:
        """One clock for all: they began in this order, and have as long."""
        self._clock = None
        for one in list(self._shaking):
            left = one.began + self._seconds - now()
            if left > 0:
                self._clock = self._loop.call_later(left, self._look)
                return
            one.break_off("timeout", f"handshake not done in {self._seconds:g} s")
