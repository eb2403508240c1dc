"""A port that speaks TLS: accepts, bounds the handshakes under way, and hands on what they make.

Refuses to know what is served.
"""

import asyncio
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from proxy.tls.client_certificate import ClientCertificate
from proxy.tls.handshake import HANDSHAKE, Handshake
from proxy.tls.handshake_log import HandshakeLog
from proxy.tls.rules import PortTls
from proxy.tls.watched import PortWatchedTls

MOST: Final = 1024
"""Handshakes under way at a time; for one more the oldest gives way."""
AT_ONCE: Final = 64
"""Connections accepted in one turn of the loop at most, before any of them is looked at."""
_PAUSE: Final = 1.0
"""Seconds without accepting where the kernel has nothing left for a connection."""
_NONE_LEFT: Final = "socket.accept() out of system resource"
"""As asyncio says it of ports without TLS."""


class TlsOwner(Protocol):
    """Whose port it is."""

    def has_room(self, fd: int, shaking: int) -> bool:
        """Whether a new connection with this descriptor may begin, beside `shaking` others."""

    def protocol(self, certificate: ClientCertificate | None) -> asyncio.BaseProtocol:
        """What serves a connection; None where the client has shown no certificate."""


@dataclass(frozen=True, slots=True)
class PortParts:
    """What a port needs to speak TLS."""

    rule: PortTls
    tls: PortWatchedTls
    log: HandshakeLog


class TlsPort:
    """`most` bounds the connections; half of them may be in their handshake, for `seconds`."""

    def __init__(
        self, owner: TlsOwner, parts: PortParts, most: int, seconds: float = HANDSHAKE
    ) -> None:
        self._owner = owner
        self._rule, self._tls, self._log = parts.rule, parts.tls, parts.log
        self._seconds = seconds
        self.bound(most)
        self._loop = asyncio.get_running_loop()
        self._sockets: list[socket.socket] = []
        self._shaking: dict[Handshake, None] = {}
        """The oldest first."""
        self._resuming: asyncio.TimerHandle | None = None

    def bound(self, most: int) -> None:
        """Allow so many connections from now on."""
        self._most = min(MOST, max(1, most // 2))

    def start(self, sockets: Iterable[socket.socket], backlog: int) -> None:
        """Accept on these sockets, which are bound."""
        self._sockets += sockets
        for sock in self._sockets:
            sock.listen(backlog)
        self._listen()

    def stop(self) -> None:
        """Accept nothing more, and break off the handshakes under way: they carry nothing yet."""
        if self._resuming is not None:
            self._resuming.cancel()
        for sock in self._sockets:
            self._loop.remove_reader(sock.fileno())
            sock.close()
        self._sockets = []
        for one in list(self._shaking):
            self._shed(one)

    async def close(self) -> None:
        """Stop, and wait until every handshake is over."""
        tasks = [one.task for one in self._shaking if one.task is not None and not one.is_over]
        self.stop()
        if tasks:
            await asyncio.wait(tasks)

    def _listen(self) -> None:
        for sock in self._sockets:
            self._loop.add_reader(sock.fileno(), self._accept, sock)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                sock, address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._rest(error)
                return
            self._begin(sock, address)

    def _rest(self, error: OSError) -> None:
        """No descriptor or memory is left: who waits to be accepted keeps waiting."""
        self._loop.call_exception_handler({"message": _NONE_LEFT, "exception": error})
        for sock in self._sockets:
            self._loop.remove_reader(sock.fileno())
        self._resuming = self._loop.call_later(_PAUSE, self._listen)

    def _begin(self, sock: socket.socket, address: tuple[str, int]) -> None:
        if len(self._shaking) >= self._most:
            self._shed(next(iter(self._shaking)))
        if not self._owner.has_room(sock.fileno(), len(self._shaking)):
            sock.close()
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one = Handshake(sock, address[0].removeprefix("::ffff:"), self._rule, self._log)
        self._shaking[one] = None
        one.task = self._loop.create_task(self._run(one))

    async def _run(self, one: Handshake) -> None:
        try:
            await one.run(self._tls.context, self._owner, self._seconds)
        finally:
            self._shaking.pop(one, None)

    def _shed(self, one: Handshake) -> None:
        self._shaking.pop(one, None)
        if one.task is not None and not one.is_over:
            one.task.cancel()
