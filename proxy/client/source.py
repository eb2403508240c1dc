"""Who is at the other end of a client's connection, and how far it is believed."""

import asyncio

from proxy.http.peer import Peer
from proxy.http.trust import Peers

_NOWHERE = Peer("")
_MAPPED = "::ffff:"
"""What an IPv4 address begins with on a socket that takes both kinds (RFC 4291 §2.5.5.2)."""


class ClientSource:
    """Of one connection; `peers` are those that are trusted."""

    __slots__ = ("_peers", "address", "id_trusted", "peer")

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self.address = ""
        """Of the peer; empty where it has none."""
        self.peer = _NOWHERE
        self.id_trusted = False
        """Whether its request IDs are kept in mode `trust_from`."""

    def connected(self, transport: asyncio.Transport) -> None:
        """The connection is there."""
        peer = transport.get_extra_info("peername")
        self.address = peer[0].removeprefix(_MAPPED) if peer else ""
        self.trust(self._peers)

    def trust(self, peers: Peers) -> None:
        """From now on these are trusted."""
        self._peers = peers
        self.peer = self.peer.at(self.address, trusted=peers.is_proxy(self.address))
        self.id_trusted = peers.names_ids(self.address)

    def origin(self, forwarded_for: bytes | None) -> str:
        """Who asks: the peer, or whom trusted proxies name."""
        if forwarded_for is None or not self.peer.trusted:
            return self.address
        return self._peers.origin(self.address, forwarded_for)
