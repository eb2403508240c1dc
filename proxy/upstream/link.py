"""What is known of a connection to an endpoint as such: it outlives it, for those it carried."""

from itertools import count
from typing import Final, Literal

LinkEnd = Literal["", "fin", "reset", "ours"]
"""Who ended it, and how: the upstream in order, the upstream by breaking it, or Sidelight."""

_NUMBERS: Final = count(1)


class Link:
    """Shared by the attempts that it carries."""

    __slots__ = ("end", "local", "number", "opened_at", "peer", "rested_at", "uses")

    def __init__(self, opened_at: float, local: object, peer: object) -> None:
        self.number = next(_NUMBERS)
        """Counts the connections of this process."""
        self.opened_at = opened_at
        self.local, self.peer = _address(local), _address(peer)
        """Addresses of both sides, as other programs show them."""
        self.uses = 0
        """Exchanges that it has begun to carry."""
        self.rested_at = 0.0
        """When it was put into the pool last."""
        self.end: LinkEnd = ""
        """Empty while it is open."""


def _address(address: object) -> str:
    """`10.0.0.1:80`, `[::1]:80`, or the path of a Unix socket; empty where there is none."""
    if isinstance(address, tuple) and len(address) >= 2:
        host = f"[{address[0]}]" if ":" in str(address[0]) else address[0]
        return f"{host}:{address[1]}"
    return address if isinstance(address, str) else ""
