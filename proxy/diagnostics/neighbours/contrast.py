"""What a comparison finds: a value, or a pair of them, with counts on both sides."""

from dataclasses import dataclass
from typing import Final

from proxy.diagnostics.neighbours.window import Value

_SEPARATES: Final = 0.9
"""Shares, of both measures, from which a single field says it all."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """A value, or a pair, and how many ended alike with it and without."""

    values: tuple[tuple[str, Value], ...]
    """Names of fields, and what they had; None: nothing."""
    alike: int
    all: int
    rest_alike: int
    rest_all: int
    difference: float
    gap: float
    is_this: bool
    """Whether the exchange itself has it."""
    bad: tuple[str, ...] = ()
    good: tuple[str, ...] = ()
    """Request IDs, the newest first."""
    endpoints: int = 0
    """At how many of them those of the newest were that ended alike."""
    method: str = ""
    """Of these, where it was the same for all."""

    @property
    def share(self) -> float:
        """Of those with the value, how many ended alike."""
        return self.alike / self.all

    @property
    def covers(self) -> float:
        """Of those that ended alike, how many have the value."""
        return self.alike / (self.alike + self.rest_alike)

    @property
    def separates(self) -> bool:
        """Whether it is nearly always so with it, and nearly never without."""
        return self.share >= _SEPARATES and self.covers >= _SEPARATES
