"""Rows of all instances in PostgreSQL, for routes on which one of them has trouble.

Each writes its own, a few seconds late, and reads from the others only which routes these are.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    delete,
    func,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from proxy import clock
from proxy.diagnostics.neighbours.published import (
    SLOT,
    RouteSlot,
    RowSource,
    from_texts,
    slot_of,
    to_text,
)
from proxy.diagnostics.neighbours.ring import SPAN
from proxy.diagnostics.neighbours.rows import ComparedRow

EVERY: Final = 4.0
"""Seconds between two looks at what is new."""
SOON: Final = 1.0
"""The same after a story was written: whoever is asked about it should know its neighbours."""
BACK: Final = 80.0
"""Seconds that are published: a minute, and what it takes to hear of trouble elsewhere."""
KEPT: Final = 86400.0
"""Seconds that they are kept."""
SHARE: Final = 8
"""They may take one part in so many of what stories may."""
CHUNK: Final = 500
MOST_READ: Final = 200
"""Pieces that are read for one question: the largest come of the busiest instances."""

_WALL_JUMPS: Final = 1.0

PUBLISHED: Final = MetaData()
neighbour_rows = Table(
    "neighbour_rows",
    PUBLISHED,
    Column("route", Text, primary_key=True),
    Column("slot", BigInteger, primary_key=True),
    Column("writer", Text, primary_key=True),
    Column("instance", Text, nullable=False),
    Column("troubled", Boolean, nullable=False),
    Column("size", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_neighbour_rows_slot", "slot"),
)
"""By route and piece of time, what each process has seen end."""


class NeighbourPublisher:
    """Used by the thread that writes."""

    def __init__(self, writer: str, instance: str, recent: RowSource) -> None:
        self._writer, self._instance, self._recent = writer, instance, recent
        self._offset = clock.wall() - clock.now()
        self._known: dict[tuple[str, int], int] = {}
        """How many rows were published of each piece."""
        self._due = self._last = 0.0

    def forget(self) -> None:
        """Begin anew: what is there now may be another database."""
        self._known.clear()
        self._due = 0.0

    def hurry(self) -> None:
        """A story was written."""
        self._due = min(self._due, self._last + SOON)

    def publish(self, engine: Engine) -> None:
        """What is new, if it is time."""
        if clock.now() < self._due:
            return
        self._last = clock.now()
        self._due = self._last + EVERY
        with engine.begin() as connection:
            self._publish(connection)

    def _publish(self, connection: Connection) -> None:
        offset = clock.wall() - clock.now()
        if abs(offset - self._offset) > _WALL_JUMPS:
            self._offset = offset
        recent = self._recent(_troubled(connection, clock.wall()))
        pieces = self._pieces(recent.rows)
        for (route, slot), rows in pieces.items():
            if self._known.get((route, slot)) == len(rows):
                continue
            lost = recent.lost_until + self._offset >= slot * SLOT
            body = to_text(recent.fields, rows, self._offset, at_least=lost)
            self._write(connection, route, slot, route in recent.troubled, body)
        self._known = {key: len(rows) for key, rows in pieces.items()}

    def _pieces(self, rows: Sequence[ComparedRow]) -> dict[tuple[str, int], list[ComparedRow]]:
        """Whole ones only: what ended earlier is known in part."""
        since = clock.wall() - BACK
        found: dict[tuple[str, int], list[ComparedRow]] = {}
        for row in rows:
            slot = slot_of(row.ended + self._offset)
            if slot * SLOT >= since:
                found.setdefault((row.route, slot), []).append(row)
        return found

    def _write(
        self, connection: Connection, route: str, slot: int, is_troubled: bool, body: str
    ) -> None:
        new = {"instance": self._instance, "troubled": is_troubled, "size": len(body), "body": body}
        made = upsert(neighbour_rows).values(route=route, slot=slot, writer=self._writer, **new)
        table = neighbour_rows.c
        keys = [table.route, table.slot, table.writer]
        connection.execute(made.on_conflict_do_update(index_elements=keys, set_=new))


def _troubled(connection: Connection, wall: float) -> set[str]:
    """Routes on which an instance has trouble now."""
    table = neighbour_rows.c
    asked = select(table.route).where(table.slot >= slot_of(wall - SPAN), table.troubled)
    return set(connection.scalars(asked.distinct()))


def read_slots(engine: Engine, route: str, until: float, request_id: str) -> list[RouteSlot]:
    """Pieces of all instances, of the minute up to this wall time, for the exchange of an ID."""
    table = neighbour_rows.c
    asked = select(table.instance, table.body).where(
        table.route == route, table.slot.between(slot_of(until - SPAN), slot_of(until))
    )
    with engine.connect() as connection:
        rows = connection.execute(asked.order_by(table.slot.desc()).limit(MOST_READ)).all()
    return from_texts(route, [(instance, body) for instance, body in rows], request_id)


def delete_slots(connection: Connection, before: float, most: int) -> None:
    """Delete up to a chunk of what is older than this wall time, or beyond so many bytes."""
    table = neighbour_rows.c
    size = connection.scalar(select(func.coalesce(func.sum(table.size), 0))) or 0
    oldest = select(table.route, table.slot, table.writer).order_by(table.slot).limit(CHUNK)
    if size <= most:
        oldest = oldest.where(table.slot < slot_of(before))
    keys = [tuple(row) for row in connection.execute(oldest)]
    if keys:
        is_one = tuple_(table.route, table.slot, table.writer).in_(keys)
        connection.execute(delete(neighbour_rows).where(is_one))
