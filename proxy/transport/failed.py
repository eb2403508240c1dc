"""What comes back from the transport where an answer was hoped for."""

from dataclasses import dataclass
from typing import Final

from proxy.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Failed:
    """How it ended, in the words of the outcome table."""

    outcome: Outcome
    detail: str
    """What happened in technical words; internal, never sent to a client."""
    endpoint: str


class End:
    """The type of END."""

    __slots__ = ()


END: Final = End()
"""The body has ended as its framing said."""
