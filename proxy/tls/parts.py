"""What a port needs to speak TLS."""

from dataclasses import dataclass

from proxy.tls.handshake_log import HandshakeLog
from proxy.tls.rules import PortTls
from proxy.tls.watched import PortWatchedTls


@dataclass(frozen=True, slots=True)
class PortParts:
    """What a port needs to speak TLS."""

    rule: PortTls
    tls: PortWatchedTls
    log: HandshakeLog
    forwards: bool = False
    """Whether what is served passes certificates of clients on."""
