"""An answer of the DNS as a record keeps it: the addresses, since when, and those before."""

from collections.abc import Sequence
from typing import Final

MOST_TOLD: Final = 8
"""Addresses of an answer that are kept for records."""


class Resolved:
    """One answer, until another one comes. Never changed."""

    __slots__ = ("addresses", "before", "since")

    def __init__(self, addresses: Sequence[str], since: float, before: Sequence[str] = ()) -> None:
        self.addresses = addresses
        self.since = since
        """When it became what it is, on `clock.now`."""
        self.before = before
        """What had been the answer until then; empty where there was none."""

    def follow(self, addresses: Sequence[str], at: float) -> "Resolved":
        """The next answer, at `at`: this one where the addresses are the same, in any order."""
        if sorted(addresses) == sorted(self.addresses):
            return self
        return Resolved(addresses, at, self.addresses)
