"""One connection of a client from being accepted to the end of its handshake.

Looks at the first byte before TLS does: who speaks plain HTTP is told so in plain HTTP.
"""

import asyncio
import socket
import ssl
from typing import Final, Protocol, cast

from proxy.tls.alerts import AlertingContext
from proxy.tls.client_certificate import (
    ClientCertificate,
    chosen_name,
    forwarded_line,
    names_in,
)
from proxy.tls.handshake_log import HandshakeLog, HandshakeResult
from proxy.tls.rules import PortTls

HANDSHAKE: Final = 10.0
"""Seconds from the connection to the end of its handshake."""
SHUTDOWN: Final = 30.0
"""Seconds for which an answer to our close_notify is waited for."""
_LINGER: Final = 2.0
"""Seconds for which a client that is refused may take what it is told."""
_LINGER_READS: Final = 64
_PLAIN: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: 54\r\nConnection: close\r\nX-Sidelight-Error: bad_request\r\n\r\n"
    b"This port speaks TLS: ask it by https://, not http://\n"
)


class Handed(Protocol):
    """Who takes a connection whose handshake is done."""

    def protocol(self, certificate: ClientCertificate | None) -> asyncio.BaseProtocol:
        """What serves it; None where the client has shown no certificate."""


class Handshake(asyncio.Protocol):
    """Is the connection's protocol until the handshake is done; then it hands it on."""

    def __init__(
        self, sock: socket.socket, client_ip: str, rule: PortTls, log: HandshakeLog
    ) -> None:
        self.client_ip = client_ip
        self.task: asyncio.Task[None] | None = None
        self._sock = sock
        self._rule, self._log = rule, log
        self._to: Handed | None = None
        self.is_over = False
        """Whether how it ended was recorded."""

    async def run(self, context: AlertingContext, to: Handed, seconds: float) -> None:
        """Do it within `seconds`; whatever comes of it is recorded."""
        self._to = to
        is_ours = True
        """Whether the socket is ours to close, and no transport's."""
        try:
            async with asyncio.timeout(seconds):
                first = await _first_byte(self._sock)
                if not first:
                    self._fail("left", "left without a byte")
                elif _is_plain(first):
                    self._fail("plain_http", "plain HTTP on a port that speaks TLS")
                    await _answer_plain(self._sock)
                else:
                    is_ours = False
                    await self._shake(context, seconds)
        except TimeoutError:
            self._fail("timeout", f"handshake not done in {seconds:g} s")
        except asyncio.CancelledError:
            self._fail("shed", "gave way to others")
        except ssl.SSLError as error:
            self._fail(_result_of(error), str(error))
        except OSError as error:
            self._fail("left", str(error) or type(error).__name__)
        finally:
            if is_ours:
                self._sock.close()

    async def _shake(self, context: AlertingContext, seconds: float) -> None:
        context.begun.append(self._sock)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self,
                self._sock,
                ssl=context,
                ssl_handshake_timeout=2 * seconds,  # ours is the shorter
                ssl_shutdown_timeout=SHUTDOWN,
            )
        finally:
            context.forget(self._sock)
        self._fail("left", "left during the handshake")  # unless it is over already

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is done. Called by the loop before any byte behind it is given."""
        # uvloop's transports are no asyncio.Transport to isinstance
        made = cast("asyncio.Transport", transport)
        spoken = made.get_extra_info("ssl_object")
        certificate = None
        if self._rule.client_ca is not None and (der := spoken.getpeercert(binary_form=True)):
            certificate = self._certificate(spoken.getpeercert(), der)
            if certificate is None:
                made.close()
                asyncio.get_running_loop().call_later(_LINGER, made.abort)
                return
        self.is_over = True
        self._log.done(resumed=bool(spoken.session_reused))
        if self._to is not None:
            protocol = self._to.protocol(certificate)
            made.set_protocol(protocol)
            protocol.connection_made(made)

    def _certificate(self, shown: dict[str, object], der: bytes) -> ClientCertificate | None:
        """None where it may not come in."""
        names = names_in(shown)
        name = chosen_name(names, self._rule.client_names)
        if name is None:
            said = ", ".join(names) or "none at all"
            self._fail("client_name", f"client_names allows none of its names: {said}")
            return None
        line = forwarded_line(shown, der) if self._rule.forward_client_cert else b""
        return ClientCertificate(name, line)

    def _fail(self, result: HandshakeResult, detail: str) -> None:
        if not self.is_over:
            self.is_over = True
            self._log.failed(result, self.client_ip, detail)


async def _first_byte(sock: socket.socket) -> bytes:
    """Wait for it and leave it where it is; empty where the client has closed."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            return sock.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            pass
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_reader(sock.fileno(), _set, ready)
        try:
            await ready
        finally:
            loop.remove_reader(sock.fileno())


def _set(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


def _is_plain(first: bytes) -> bool:
    """Whether a request line may begin so: with a method, or the blank lines before it."""
    return first.isalpha() or first in b"\r\n"


async def _answer_plain(sock: socket.socket) -> None:
    """Answer, and read what still comes: closed at once, a reset could overtake the answer."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(_LINGER):
        await loop.sock_sendall(sock, _PLAIN)
        sock.shutdown(socket.SHUT_WR)
        for _ in range(_LINGER_READS):
            if not await loop.sock_recv(sock, 16 * 1024):
                return


def _result_of(error: ssl.SSLError) -> HandshakeResult:
    reason = error.reason or ""
    if isinstance(error, ssl.SSLCertVerificationError) or "PEER_DID_NOT_RETURN" in reason:
        return "client_certificate"
    return "refused_by_client" if "ALERT" in reason else "protocol"
