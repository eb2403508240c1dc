"""The rows of the latest exchanges, bounded by their number."""

from collections import deque
from collections.abc import Iterator
from math import inf
from typing import Final

from proxy.diagnostics.neighbours.rows import ComparedRow

ROOM: Final = 8192
"""Rows that are kept."""

SPAN: Final = 60.0
"""Seconds before the end of an exchange within which others are compared with it."""


class Ring:
    """Rows in the order in which their exchanges ended."""

    def __init__(self, room: int = ROOM) -> None:
        self._rows: deque[ComparedRow] = deque(maxlen=room)
        self._room = room
        self.lost_until = -inf
        """The end of the latest row that had to go."""

    def add(self, row: ComparedRow) -> ComparedRow | None:
        """Keep it; the oldest, which is given back, goes where there is no more room."""
        gone: ComparedRow | None = None
        if len(self._rows) == self._room:
            gone = self._rows[0]
            self.lost_until = max(self.lost_until, gone.ended)
        self._rows.append(row)
        return gone

    def lose(self, until: float) -> None:
        """Exchanges that ended up to then never became rows."""
        self.lost_until = max(self.lost_until, until)

    def newest_first(self) -> Iterator[ComparedRow]:
        """All that are kept."""
        return reversed(self._rows)

    def window(self, until: float) -> list[ComparedRow]:
        """Those that ended within SPAN up to `until`, oldest first."""
        found: list[ComparedRow] = []
        for row in reversed(self._rows):
            if row.ended < until - SPAN:
                break
            if row.ended <= until:
                found.append(row)
        found.reverse()
        return found
