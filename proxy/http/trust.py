"""Which peers are trusted: proxies whose forwarding headers count, and those that may set
request IDs.
"""

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
            address = parsed_address(member.strip())
            if address is None:
                break
            nearest = str(address)
            if not _within(nearest, self.proxies):
                break
        return nearest


def parsed_address(text: str) -> IPv4Address | IPv6Address | None:
    """`text` as an address, None if it is none.

    Brackets, port and zone are left out; IPv4 that was mapped into IPv6 is IPv4 again.
    """
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


@lru_cache(maxsize=1024)
def _within(address: str, networks: Networks) -> bool:
    one = parsed_address(address)
    return one is not None and any(one in network for network in networks)
