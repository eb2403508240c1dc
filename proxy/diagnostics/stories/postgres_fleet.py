"""The errors of all other instances, read as they change."""

from collections import deque
from typing import Final

from sqlalchemy import Connection, func, select, text

from proxy.diagnostics.alerts.fleet import TAKEOVER, FleetNews
from proxy.diagnostics.errors.fleet import FleetGroup, together
from proxy.diagnostics.errors.groups import Group
from proxy.diagnostics.errors.saved import from_json
from proxy.diagnostics.stories.postgres_tables import fleet_groups

MOST: Final = 5000
"""Groups that are held, each of one process: those seen last."""
OVERLAP: Final = 30
"""Seconds that are read again: a transaction shows later than it says, when it commits."""


class FleetView:
    """Used by the thread that writes.

    What others had before the first look counts for nobody's alerts, save what began within
    TAKEOVER of it: that has come while this instance was starting.
    """

    def __init__(self, writer: str) -> None:
        self._writer = writer
        self._groups: dict[tuple[str, str], tuple[str, Group]] = {}
        self._read_to: object = None
        self._totals: dict[tuple[str, str], int] | None = None
        """What was counted so far, to know what is new; None before the first look."""
        self.news: deque[FleetNews] = deque(maxlen=MOST)

    def forget(self) -> None:
        """Begin anew: what is there now may be another database."""
        self._groups.clear()
        self._read_to = None

    def read(self, connection: Connection, wall: float, age: float) -> dict[str, FleetGroup]:
        """All of them, apart from those last seen more than `age` seconds before `wall`, now."""
        before = wall - age
        now = connection.scalar(select(func.now() - text(f"interval '{OVERLAP} seconds'")))
        column = fleet_groups.c
        asked = select(column.writer, column.fingerprint, column.instance, column.body)
        asked = asked.where(column.writer != self._writer, column.last_seen >= before)
        if self._read_to is not None:
            asked = asked.where(column.saved >= self._read_to)
        asked = asked.order_by(column.last_seen.desc()).limit(MOST)
        for writer, fingerprint, instance, body in connection.execute(asked):
            if (group := from_json(body)) is not None:
                self._groups[writer, fingerprint] = instance, group
        self._read_to = now
        self._tell_news(wall)
        self._keep(before)
        return together(self._groups.values())

    def _tell_news(self, wall: float) -> None:
        """What was counted since the last look; at the first one, of what began just now."""
        groups = {key: group for key, (_, group) in self._groups.items()}
        totals = {key: group.total for key, group in groups.items()}
        before = self._totals
        if before is None:
            before = {k: n for k, n in totals.items() if groups[k].first_seen < wall - TAKEOVER}
        # Also of what is no longer held: it may come again, and not all of it is new then.
        self._totals = totals if len(before) > 2 * MOST else before | totals
        for key, (instance, group) in self._groups.items():
            new = group.total - before.get(key, 0)
            new = group.total if new < 0 else new  # it was forgotten there, and came again
            if new:
                samples = tuple(group.samples)[-new:]
                self.news.append(FleetNews(instance, group.severity, new, samples))

    def _keep(self, before: float) -> None:
        newest = sorted(self._groups.items(), key=lambda item: -item[1][1].last_seen)[:MOST]
        self._groups = {key: pair for key, pair in newest if pair[1].last_seen >= before}
