"""What became of an endpoint, as it is told to whoever writes log and metrics."""

from dataclasses import dataclass
from typing import Literal

ChangeKind = Literal["down", "up", "ejected", "returned", "dns_failed", "dns_found"]


@dataclass(frozen=True, slots=True)
class EndpointChange:
    """A change of state, reported when it is complete."""

    endpoint: str
    """Its URL."""
    kind: ChangeKind
    reason: str
    """In technical words."""
    address: str | None = None
    """Which of the addresses of its name; None where it has one only, or all are meant."""
    seconds: float | None = None
    """For how long; None where nobody knows."""
