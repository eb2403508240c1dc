"""The endpoints that one entry of the settings stands for: one, or each address of its name.

A name with one address is one endpoint, whatever that address is. Of a name with several each is
one of its own, and stays the same for as long as the name leads to it.
"""

from collections.abc import Sequence

from proxy.upstream.dns import Address, Lookup, paired
from proxy.upstream.endpoint import Endpoint, addresses_of


class EndpointName:
    """One entry."""

    __slots__ = ("_keys", "addresses", "endpoints", "url", "weight")

    def __init__(self, url: str, weight: int, lookup: Lookup) -> None:
        self.url = url
        self.weight = weight
        self.addresses = addresses_of(url, lookup)
        self.endpoints = [Endpoint(url, weight=weight, addresses=self.addresses)]
        self._keys: list[tuple[str, ...]] = [()]
        """What each endpoint was found at; empty before the first answer."""

    @property
    def is_known(self) -> bool:
        """Whether the DNS has ever answered, or need not."""
        return self._keys != [()]

    def answered(self, found: Sequence[Address]) -> list[Endpoint]:
        """The name leads there now; those to which it led and does not any more."""
        pairs = paired(found)
        keys = [tuple(sorted(str(address[4][0]) for address in pair)) for pair in pairs]
        before = dict(zip(self._keys, self.endpoints, strict=True))
        if len(pairs) == len(self.endpoints) == 1 or self._keys == [()]:
            before = {keys[0]: self.endpoints[0]}
        self._keys = keys
        self.endpoints = [self._at(key, before) for key in keys]
        for endpoint, pair, key in zip(self.endpoints, pairs, keys, strict=True):
            endpoint.pair = pair if len(pairs) > 1 else None
            endpoint.address = _told(key) if len(pairs) > 1 else None
        return [endpoint for key, endpoint in before.items() if key not in keys]

    def _at(self, key: tuple[str, ...], before: dict[tuple[str, ...], Endpoint]) -> Endpoint:
        known = before.get(key)
        return known or Endpoint(self.url, weight=self.weight, addresses=self.addresses)


def _told(key: tuple[str, ...]) -> str:
    """The address that people know a machine by: that of IPv4 where it has one."""
    return next((address for address in key if ":" not in address), key[0])
