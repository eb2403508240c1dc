"""One connection of a client from being accepted to the end of its handshake.

Looks at the first byte before TLS does: who speaks plain HTTP is told so in plain HTTP.
"""

import asyncio
import ssl
from contextlib import suppress
from typing import Final, Protocol, cast

from proxy.tls.client_certificate import (
    ClientCertificate,
    chosen_name,
    forwarded_line,
    names_in,
)
from proxy.tls.handshake_log import HandshakeResult
from proxy.tls.parts import PortParts
from proxy.tls.protocol import TlsProtocol
from proxy.tls.transport import TlsTransport

_RECORD: Final = 22
"""What TLS begins with: the type of a handshake's record (RFC 8446 §5.1)."""
_LINGER: Final = 2.0
"""Seconds for which a client that is refused may take what it is told."""
_PLAIN: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: 54\r\nConnection: close\r\nX-Sidelight-Error: bad_request\r\n\r\n"
    b"This port speaks TLS: ask it by https://, not http://\n"
)


class HandshakeOwner(Protocol):
    """Whose port it is."""

    def protocol(self, certificate: ClientCertificate | None) -> asyncio.BaseProtocol:
        """What serves the connection; None where the client has shown no certificate."""

    def forget(self, one: "Handshake") -> None:
        """It is done, or its connection is gone."""


class Handshake:
    """The first stage of a connection; makes the second one."""

    def __init__(self, owner: HandshakeOwner, parts: PortParts, began: float) -> None:
        self.began = began
        """On the `now` clock."""
        self.is_over = False
        """Whether how it ended was recorded."""
        self._owner, self._parts = owner, parts
        self._protocol: TlsProtocol
        self._tcp: asyncio.Transport
        self._tls: ssl.SSLObject | None = None
        """None before the first byte."""
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._farewell: asyncio.TimerHandle | None = None

    def begin(self, protocol: TlsProtocol, tcp: asyncio.Transport) -> None:
        """The connection is there."""
        self._protocol, self._tcp = protocol, tcp

    def break_off(self, result: HandshakeResult, detail: str) -> None:
        """Have no more of it."""
        self._fail(result, detail)
        self._tcp.abort()

    def received(self, data: memoryview) -> None:
        """Bytes from the client."""
        if self.is_over:
            return  # it is refused; read only so that closing does not become a reset
        if self._tls is None:
            if data[0] != _RECORD and _is_plain(bytes(data[:1])):
                self._fail("plain_http", "plain HTTP on a port that speaks TLS")
                self._answer_plain()
                return
            self._tls = self._parts.tls.context.wrap_bio(self._incoming, self._outgoing, True)
        self._incoming.write(data)
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLError as error:
            self._flush()  # our alert
            self._fail(_result_of(error), str(error))
            self._leave()
        else:
            self._done(self._tls)

    def ended(self) -> None:
        """The client has closed its side."""
        if self._tls is None:
            self._fail("left", "left without a byte")
        else:
            self._fail("left", "left during the handshake")

    def lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        if self._farewell is not None:
            self._farewell.cancel()
        self._fail("left", str(exc or "left during the handshake"))
        self._owner.forget(self)

    def paused(self) -> None:
        """A flight of ours is small."""

    def resumed(self) -> None:
        """As `paused`."""

    def _done(self, tls: ssl.SSLObject) -> None:
        certificate = None
        if self._parts.rule.client_ca is not None and (der := tls.getpeercert(binary_form=True)):
            certificate = self._certificate(cast("dict[str, object]", tls.getpeercert()), der)
            if certificate is None:
                with suppress(ssl.SSLError):  # it has not said goodbye yet
                    tls.unwrap()
                self._flush()
                self._leave()
                return
        self.is_over = True
        self._owner.forget(self)
        self._parts.log.done(resumed=bool(tls.session_reused))
        if tls.version() != "TLSv1.3":  # there only tickets are left, which the first answer takes
            self._flush()
        transport = TlsTransport(self._tcp, tls, self._incoming, self._outgoing)
        self._protocol.stage = transport
        transport.begin(self._owner.protocol(certificate))

    def _certificate(self, shown: dict[str, object], der: bytes) -> ClientCertificate | None:
        """None where it may not come in."""
        names = names_in(shown)
        name = chosen_name(names, self._parts.rule.client_names)
        if name is None:
            said = ", ".join(names) or "none at all"
            self._fail("client_name", f"client_names allows none of its names: {said}")
            return None
        line = forwarded_line(shown, der) if self._parts.forwards else b""
        return ClientCertificate(name, line)

    def _answer_plain(self) -> None:
        """Answer, and read what still comes: closed at once, a reset could overtake the answer."""
        self._tcp.write(_PLAIN)
        self._tcp.write_eof()
        self._farewell = asyncio.get_running_loop().call_later(_LINGER, self._tcp.abort)

    def _leave(self) -> None:
        """Close behind what is queued, if it is taken."""
        self._tcp.close()
        self._farewell = asyncio.get_running_loop().call_later(_LINGER, self._tcp.abort)

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._tcp.write(self._outgoing.read())

    def _fail(self, result: HandshakeResult, detail: str) -> None:
        if not self.is_over:
            self.is_over = True
            peer = self._tcp.get_extra_info("peername")
            address = peer[0].removeprefix("::ffff:") if peer else ""
            self._parts.log.failed(result, address, detail)


def _is_plain(first: bytes) -> bool:
    """Whether a request line may begin so: with a method, or the blank lines before it."""
    return first.isalpha() or first in b"\r\n"


def _result_of(error: ssl.SSLError) -> HandshakeResult:
    reason = error.reason or ""
    if isinstance(error, ssl.SSLCertVerificationError) or "PEER_DID_NOT_RETURN" in reason:
        return "client_certificate"
    return "refused_by_client" if "ALERT" in reason else "protocol"
