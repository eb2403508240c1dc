"""Bounds how many bad exchanges of one second are compared: of very many, one stands for others."""

from typing import Final

from proxy.diagnostics.neighbours.rows import ComparedRow
from proxy.exchange import Exchange

EACH: Final = 50
"""Bad exchanges of one second that are compared each; the others name one that was."""
EACH_ROUTE: Final = 2 * EACH
"""Up to so many, others are compared where none of their route was that ended alike."""
PAIRS: Final = 10
"""Of these, by pairs of fields as well, which are looked for row by row."""
_ANY: Final = "\n"
"""No name of a route."""


class LatestSecond:
    """Those of the latest second that were compared."""

    def __init__(self) -> None:
        self._second = self._bad = 0
        self._latest: dict[tuple[str, str], Exchange] = {}
        """The latest of each kind, by route, and of whichever route."""

    @property
    def in_pairs(self) -> bool:
        """Whether the latest one is compared by pairs of fields as well."""
        return self._bad <= PAIRS

    def stands_for(self, row: ComparedRow) -> Exchange | None:
        """The one whose findings stand for this bad one; None: it is to be compared itself."""
        if int(row.ended) != self._second:
            self._second, self._bad = int(row.ended), 0
            self._latest.clear()
        self._bad += 1
        if self._bad <= EACH:
            return None
        like = self._latest.get((row.kind, row.route))
        if like is None and self._bad > EACH_ROUTE:
            like = self._latest.get((row.kind, _ANY))
        return like

    def compared(self, x: Exchange, row: ComparedRow) -> None:
        """It will stand for those that end alike."""
        self._latest[row.kind, row.route] = self._latest[row.kind, _ANY] = x
