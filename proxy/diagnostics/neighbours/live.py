"""The counts of routes that have trouble now, which move on with the rows.

A window never has a row that the ring has not: together they are as bounded as that is.
"""

from collections.abc import Collection
from typing import Final

from proxy.diagnostics.neighbours.rows import ComparedRow
from proxy.diagnostics.neighbours.window import RouteWindow

REFRESH: Final = 10.0
"""Seconds after which a window is counted anew, by what is slow then."""


class LiveWindows:
    """At most one for each route."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[RouteWindow, float]] = {}
        """Each with the end of the row that it was begun with."""

    @property
    def routes(self) -> Collection[str]:
        return self._windows.keys()

    def add(self, row: ComparedRow, gone: ComparedRow | None) -> None:
        """The ring has this one now, and no room any more for that one."""
        if gone is not None and gone.route in self._windows:
            self._windows[gone.route][0].lose(gone)
        if row.route in self._windows:
            self._windows[row.route][0].add(row)

    def of(self, row: ComparedRow) -> RouteWindow | None:
        """The counts of its route up to it, the newest; None: they are to be begun."""
        known = self._windows.get(row.route)
        if known is None or row.ended - known[1] > REFRESH:
            return None
        known[0].expire(row.ended)
        return known[0]

    def begin(self, window: RouteWindow, at: float) -> None:
        """Go on from these counts, whose newest row ended then."""
        self._windows[window.route] = window, at
        self.let_go(at)

    def let_go(self, now: float) -> None:
        """Routes that are well again need no counts."""
        for route in [r for r, (_, at) in self._windows.items() if now - at > 2 * REFRESH]:
            del self._windows[route]
