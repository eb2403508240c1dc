"""`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers): what a client may do.

They stand on lines of their own: fields of the same name that the upstream sent stay as they are.
"""

from collections.abc import Sequence
from typing import Final

from proxy.limits.gcra import Quota

_MOST: Final = 1024
"""Pairs of numbers that a member remembers."""
_PAIR: Final = 1 << 20
"""More than a burst may be."""


def policy_field(policies: Sequence[tuple[str, Quota]]) -> bytes:
    """The line with every policy, `q` requests in `w` seconds; nothing where there is none."""
    if not policies:
        return b""
    members = [f'"{name}";q={quota.count};w={quota.period}' for name, quota in policies]
    return f"RateLimit-Policy: {', '.join(members)}\r\n".encode()


def limit_field(members: list[bytes]) -> bytes:
    """The line with what is left of each limit."""
    return b"RateLimit: " + b", ".join(members) + b"\r\n"


class LimitMember:
    """What is left of one limit: `r` requests at once, and `t` seconds until there are as many as
    from rest. The pairs that came last are remembered: clients that keep to a limit see few."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._known: dict[int, bytes] = {}
        self._remaining = self._reset = -1
        self._last = b""

    def of(self, remaining: int, reset: int) -> bytes:
        if remaining == self._remaining and reset == self._reset:
            return self._last
        pair = reset * _PAIR + remaining
        known = self._known.get(pair)
        if known is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            known = self._known[pair] = f'"{self._name}";r={remaining};t={reset}'.encode()
        self._remaining, self._reset, self._last = remaining, reset, known
        return known
