"""What a connection gives where a head or body bytes were hoped for."""

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


class EndOfBody:
    """The type of END_OF_BODY."""

    __slots__ = ()


END_OF_BODY: Final = EndOfBody()
"""The body has ended as its framing said."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The loop ended without an answer of the upstream; `retry_in` is in seconds."""

    outcome: Outcome
    retry_in: float | None = None
