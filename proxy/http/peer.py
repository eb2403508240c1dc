"""Who is at the other end of a client's connection."""


class Peer:
    """Where a request came from, and whether the peer's forwarding headers count.

    Never changed once it is made: requests under way share it.
    """

    __slots__ = ("cert_line", "client_cert", "peer", "scheme", "trusted")

    def __init__(
        self,
        peer: str,
        trusted: bool = False,
        scheme: bytes = b"http",
        client_cert: str = "",
        cert_line: bytes = b"",
    ) -> None:
        self.peer = peer
        """Its address; empty where it has none, as on a unix socket."""
        self.trusted = trusted
        self.scheme = scheme
        self.client_cert = client_cert
        """The name in the certificate that it has shown; empty where it has shown none."""
        self.cert_line = cert_line
        """The line that tells upstreams of it; empty where they are not told."""

    def at(self, peer: str, *, trusted: bool) -> "Peer":
        """The same, at this address."""
        return Peer(peer, trusted, self.scheme, self.client_cert, self.cert_line)
