"""Whose words about others are believed: addresses of trusted proxies and of those who name IDs."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Networks = tuple[IPv4Network | IPv6Network, ...]


@dataclass(frozen=True, slots=True)
class Peers:
    """Networks from the settings."""

    proxies: Networks = ()
    identities: Networks = ()

    def is_proxy(self, address: str) -> bool:
        """Whether `X-Forwarded-*` of this peer is inherited."""
        return bool(self.proxies) and _within(address, self.proxies)

    def names_ids(self, address: str) -> bool:
        """Whether request IDs of this peer are kept in mode `trust_from`."""
        return bool(self.identities) and _within(address, self.identities)

    def origin(self, peer: str, forwarded_for: bytes) -> str:
        """The nearest address in `X-Forwarded-For` that is no trusted proxy.

        Read from the right: what stands further left was written by somebody not trusted.
        The peer where nothing usable is said.
        """
        nearest = peer
        for member in reversed(forwarded_for.decode("latin-1").split(",")):
            address = parsed(member.strip())
            if address is None:
                break
            nearest = str(address)
            if not _within(nearest, self.proxies):
                break
        return nearest


def parsed(text: str) -> IPv4Address | IPv6Address | None:
    """`text` as an address, with or without brackets; None if it is none."""
    try:
        return ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def _within(address: str, networks: Networks) -> bool:
    one = parsed(address)
    if one is None:
        return False
    if isinstance(one, IPv6Address) and one.ipv4_mapped is not None:
        one = one.ipv4_mapped
    return any(one in network for network in networks if network.version == one.version)
