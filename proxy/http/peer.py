"""Who is at the other end of a client's connection."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a request came from, and whether the peer's forwarding headers count."""

    peer: str
    """Its address; empty where it has none, as on a unix socket."""
    trusted: bool = False
    scheme: bytes = b"http"
    client_cert: str = ""
    """The name in the certificate that it has shown; empty where it has shown none."""
    cert_line: bytes = b""
    """The line that tells upstreams of it; empty where they are not told."""

    def at(self, peer: str, *, trusted: bool) -> "Peer":
        """The same, at this address."""
        return Peer(peer, trusted, self.scheme, self.client_cert, self.cert_line)
