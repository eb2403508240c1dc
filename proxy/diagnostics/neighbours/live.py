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
        self._windows: dict[str, RouteWindow] = {}
        self._begun: dict[str, float] = {}

    @property
    def routes(self) -> Collection[str]:
        return self._windows.keys()

    def add(self, row: ComparedRow, gone: ComparedRow | None) -> None:
        """The ring has this one now, and no room any more for that one."""
        if gone is not None and gone.route in self._windows:
            self._windows[gone.route].lose(gone)
        if row.route in self._windows:
            self._windows[row.route].add(row)

    def of(self, row: ComparedRow) -> RouteWindow | None:
        """The counts of its route up to it, the newest; None: they are to be begun."""
        window = self._windows.get(row.route)
        if window is None or row.ended - self._begun[row.route] > REFRESH:
            return None
        window.expire(row.ended)
        return window

    def begin(self, window: RouteWindow, at: float) -> None:
        """Go on from these counts, whose newest row ended then."""
        self._windows[window.route], self._begun[window.route] = window, at
        self.let_go(at)

    def let_go(self, now: float) -> None:
        """Routes that are well again need no counts."""
        for route in [name for name, begun in self._begun.items() if now - begun > 2 * REFRESH]:
            del self._windows[route], self._begun[route]
