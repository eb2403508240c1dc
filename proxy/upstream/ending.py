"""What it means that a connection ended before the head of a response: who is to blame.

Pure: the connection says what is known, and this decides.
"""

from dataclasses import dataclass
from typing import Final, Literal

from proxy import outcome as o
from proxy.outcome import Outcome

Arrival = Literal["unsent", "unacknowledged", "acknowledged"]
"""How far the bytes of a request came, as the kernel says."""

STALE_WITHIN: Final = 1.0
"""Seconds: where the kernel does not say what was read, a connection that was closed while it
idled ends within these after the request was sent."""

CLIENT_IS_LATE: Final = 0.1
"""Seconds without a byte of a body, after which an upstream that closes has waited for it."""

GAVE_UP: Final = "the upstream did not wait for the rest of the body"


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known of it."""

    arrival: Arrival | None
    """None where the kernel does not say."""
    in_order: bool
    """Whether the upstream closed; else the connection broke."""
    silence: float
    """Seconds since a byte of the request was handed over."""
    has_idled: bool
    """Whether it had been kept, and was seen neither to read of this request nor to answer."""
    has_unsent: bool
    """Whether bytes of the request wait here."""
    is_uploading: bool
    """Whether more of the request was to come."""
    is_behind: bool
    """Whether the upstream has not taken all that the client sent."""

    @property
    def is_unread(self) -> bool:
        """Whether it is proven that the upstream read no byte of the request.

        An end acknowledges all that arrived before it. A reset drops what was still to be
        acknowledged, for which kernels wait up to 200 ms, and so proves nothing.
        """
        return self.arrival == "unsent" or (self.arrival == "unacknowledged" and self.in_order)

    @property
    def outcome(self) -> Outcome:
        if self.has_idled and self._found_nobody:
            return o.STALE_CONNECTION
        if self.has_unsent:
            return o.UPSTREAM_WRITE_FAILED
        if not self.is_uploading:
            return o.UPSTREAM_RESET
        is_owed = not self.is_behind and self.silence >= CLIENT_IS_LATE
        return o.REQUEST_TIMEOUT if is_owed else o.UPSTREAM_WRITE_FAILED

    @property
    def _found_nobody(self) -> bool:
        if self.arrival is None:
            return self.silence <= STALE_WITHIN
        return self.arrival != "acknowledged"


def retried_as(outcome: Outcome, detail: str | None) -> Outcome:
    """What a retry would be for: an upstream that did not wait for a slow client closed while it
    was sent to, and gets the whole body at once the next time."""
    gave_up = outcome is o.REQUEST_TIMEOUT and detail == GAVE_UP
    return o.UPSTREAM_WRITE_FAILED if gave_up else outcome
