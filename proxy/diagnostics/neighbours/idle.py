"""How long connections had idled before they were used: of those that were lost, and of good ones.

It decides between an endpoint that closes what idles and one that crashes.
"""

from dataclasses import dataclass
from typing import Final

from proxy import outcome as o
from proxy.diagnostics.neighbours.compare import LEAST
from proxy.diagnostics.neighbours.window import RouteWindow
from proxy.diagnostics.stories.words import count

_LOST: Final = (o.STALE_CONNECTION.code, o.UPSTREAM_RESET.code)
"""Kinds by which a kept connection is lost as it is used again; which of them is chance."""


@dataclass(frozen=True, slots=True)
class Idled:
    """In words, and as lengths of time in seconds."""

    words: str
    ill: tuple[float, float]
    """The least and the most of those that were lost."""
    well: tuple[float, float]
    """The same of good ones."""
    is_enough: bool
    """Whether there are so many of both that they can be compared."""

    @property
    def separates(self) -> bool:
        """Whether all that were lost had idled for longer than any good one."""
        return self.is_enough and self.ill[0] > self.well[1]

    @property
    def least_ill(self) -> str:
        return f"{self.ill[0]:.2f} s"

    @property
    def most_well(self) -> str:
        return f"{self.well[1]:.2f} s"


def idled_of(window: RouteWindow, kind: str) -> Idled | None:
    """None where no kept connection was lost, or none was well."""
    if kind not in _LOST:
        return None
    ill: list[float] = []
    well: list[float] = []
    for row, had, _ in window.rows:
        if row.idle is not None and (not had or had in _LOST):
            (ill if had else well).append(row.idle)
    if not ill or not well:
        return None
    words = (
        f"{count(len(ill), 'lost connection')} had idled for "
        f"{_span(ill)}, {len(well)} that were well for {_span(well)}"
    )
    enough = min(len(ill), len(well)) >= LEAST
    return Idled(words, (min(ill), max(ill)), (min(well), max(well)), enough)


def _span(idled: list[float]) -> str:
    return f"{min(idled):.2f} to {max(idled):.2f} s"
