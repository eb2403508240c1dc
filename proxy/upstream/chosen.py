"""Why an endpoint was chosen for an attempt, and what was known of the others: for the record."""

from typing import Literal

Why = Literal[
    "only", "turn", "fewer_requests", "hash", "panic", "elsewhere", "probe", "full", "none_better"
]
"""The reasons.

only            no other could be used
turn            round robin
fewer_requests  it had fewer requests under way for its weight than another that was drawn
hash            the client's key leads there
panic           too few work, so all of them are used, those that are down as well
elsewhere       another one had failed the same exchange before
probe           to see whether an ejected one works again
full            the one that was chosen had no connection free
none_better     every one that could be used had failed the same exchange before
"""

KnownStatus = Literal["usable", "down", "ejected", "resting"]

MOST_KNOWN = 8
"""Endpoints of which a story tells; those out of use come first."""


class Known:
    """What was known of one endpoint."""

    __slots__ = ("address", "endpoint", "reason", "status", "until")

    def __init__(
        self,
        endpoint: str,
        address: str | None,
        status: KnownStatus,
        reason: str | None,
        until: float | None,
    ) -> None:
        self.endpoint = endpoint
        self.address = address
        self.status = status
        self.reason = reason
        self.until = until
        """When it will be tried again, on `clock.now`; None where nobody knows."""


class Chosen:
    """One choice. What it points to never changes."""

    __slots__ = ("in_use", "known", "rival", "rival_in_use", "usable", "why")

    def __init__(self, why: Why, in_use: int, usable: int, known: tuple[Known, ...]) -> None:
        self.why = why
        self.in_use = in_use
        """Connections at work at the chosen one, just before."""
        self.usable = usable
        """Endpoints that could be used."""
        self.known = known
        """Of all, the first `MOST_KNOWN`."""
        self.rival: str | None = None
        """The other one that was drawn, where two were."""
        self.rival_in_use = 0
