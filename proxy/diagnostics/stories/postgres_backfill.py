"""Fills the columns of filters in stories that an older Sidelight has written, and still writes.

In small transactions, the newest stories first, by one instance at a time and never beside one that
deletes: what ends in the middle is gone on with by whoever comes next.
"""

from math import inf
from typing import Final

from sqlalchemy import Connection, Engine, bindparam, select, update

from proxy import clock
from proxy.diagnostics.stories.postgres_filters import filtered_stories, filters_of
from proxy.diagnostics.stories.postgres_writing import may_prune, storable_value
from proxy.diagnostics.stories.reading import parsed

EVERY: Final = 60.0
"""Seconds between two looks for such stories, where there was none."""
CHUNK: Final = 100
"""Stories of one transaction."""
PIECES: Final = 20
"""Transactions before stories are written again."""

_KEY: Final = "key"


class Backfill:
    """Used by the thread that writes."""

    def __init__(self) -> None:
        self._due = 0.0
        self._until = inf
        """Those that ended later are done; infinite where a look begins."""

    def forget(self) -> None:
        """Begin anew: what is there now may be another database."""
        self._due, self._until = 0.0, inf

    def go_on(self, engine: Engine) -> None:
        """Fill some of them, if it is time."""
        if clock.now() < self._due:
            return
        for _ in range(PIECES):
            with engine.begin() as connection:
                reached = _fill(connection, self._until) if may_prune(connection) else None
            if reached is None:
                self._due, self._until = clock.now() + EVERY, inf
                return
            self._until = reached


def _fill(connection: Connection, until: float) -> float | None:
    """Fill a chunk of those that ended until this wall time; when the oldest of them did.

    None: there is none. Sorted as the index is, which leads to them without reading any other.
    """
    column = filtered_stories.c
    asked = select(column.id, column.body, column.ended).where(column.instance.is_(None))
    asked = asked.where(column.ended <= until)
    asked = asked.order_by(column.instance.desc(), column.ended.desc()).limit(CHUNK)
    rows = connection.execute(asked).all()
    if not rows:
        return None
    filled = [{_KEY: row.id, **_columns(row.body)} for row in rows]
    connection.execute(update(filtered_stories).where(column.id == bindparam(_KEY)), filled)
    return float(rows[-1].ended)


def _columns(body: str) -> dict[str, object]:
    return {name: storable_value(value) for name, value in filters_of(parsed(body) or {}).items()}
