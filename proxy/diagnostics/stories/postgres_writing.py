"""Writes to the tables on PostgreSQL, where many processes write at once, and deletes."""

from collections.abc import Iterable, Mapping, Sequence

import orjson
from sqlalchemy import Connection, delete, extract, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from proxy.diagnostics.errors.groups import Group
from proxy.diagnostics.errors.saved import as_plain
from proxy.diagnostics.neighbours.usual import Saved
from proxy.diagnostics.stories.postgres_filters import filtered_stories, filters_of
from proxy.diagnostics.stories.postgres_tables import (
    LEADING,
    PRUNING,
    fleet_groups,
    lock,
    storable,
    writers,
)
from proxy.diagnostics.stories.tables import stories, story_fields, story_ids, usual_times
from proxy.diagnostics.stories.writing import CHUNK, Row, drop


def is_first(connection: Connection, writer: str, instance: str, batch: int) -> bool:
    """Whether this batch of this writer was not written yet; from now on it was.

    Where an attempt of the same batch is still under way, it is waited for.
    """
    values = {"writer": writer, "instance": instance, "batch": batch, "seen": func.now()}
    made = upsert(writers).values(values)
    once = made.on_conflict_do_update(
        index_elements=[writers.c.writer],
        set_={"batch": made.excluded.batch, "seen": made.excluded.seen},
        where=writers.c.batch < made.excluded.batch,
    )
    return connection.scalar(once.returning(writers.c.batch)) is not None


def insert_stories(connection: Connection, rows: Sequence[Row]) -> None:
    """All of them or none, in as few round trips as may be."""
    columns = [
        {
            name: storable_value(value)
            for name, value in (row.columns | filters_of(row.story)).items()
        }
        for row in rows
    ]
    key = filtered_stories.c.id
    made = insert(filtered_stories).returning(key, sort_by_parameter_order=True)
    keys = connection.execute(made, columns).scalars().all()
    fields = [
        {"story_id": key, "name": name, "value": storable(value)}
        for key, row in zip(keys, rows, strict=True)
        for name, value in row.fields.items()
    ]
    ids = [
        {"story_id": key, "value": value}
        for key, row in zip(keys, rows, strict=True)
        for value in {storable(value) for value in row.ids}
    ]
    for table, values in ((story_fields, fields), (story_ids, ids)):
        if values:
            connection.execute(insert(table), values)


def storable_value(value: object) -> object:
    """As PostgreSQL can store it."""
    if isinstance(value, list):
        return [storable(each) for each in value]
    return storable(value) if isinstance(value, str) else value


def save_groups(
    connection: Connection, writer: str, instance: str, groups: Iterable[Group]
) -> None:
    """Put each in the place of what this writer saved of it before."""
    rows = [
        {
            "writer": writer,
            "fingerprint": group.kind.fingerprint,
            "instance": instance,
            "last_seen": group.last_seen,
            "body": orjson.dumps(as_plain(group)).decode(),
        }
        for group in groups
    ]
    made = upsert(fleet_groups)
    new = {name: made.excluded[name] for name in ("last_seen", "body")}
    saved = made.on_conflict_do_update(
        index_elements=[fleet_groups.c.writer, fleet_groups.c.fingerprint],
        set_={**new, "saved": func.now()},
    )
    connection.execute(saved, rows)


def save_usual(connection: Connection, usual: Mapping[str, Saved]) -> None:
    """Put each in the place of what any instance saved of it before."""
    rows = [
        {"route": route, "body": orjson.dumps(saved).decode()}
        for route, saved in sorted(usual.items())  # in one order, or two writers wait in a ring
    ]
    made = upsert(usual_times)
    connection.execute(
        made.on_conflict_do_update(
            index_elements=[usual_times.c.route], set_={"body": made.excluded.body}
        ),
        rows,
    )


def server_wall(connection: Connection) -> float:
    """The server's wall time: one instance whose clock is wrong must not delete what all have."""
    return float(connection.scalar(select(extract("epoch", func.now()))) or 0.0)


def may_prune(connection: Connection) -> bool:
    """Whether nobody else deletes at the moment; holds to the end of the transaction."""
    return bool(connection.scalar(text(f"SELECT {lock('pg_try_advisory_xact_lock', PRUNING)}")))


def may_lead(connection: Connection) -> bool:
    """Whether nobody else leads; holds as long as the session lives."""
    return bool(connection.scalar(text(f"SELECT {lock('pg_try_advisory_lock', LEADING)}")))


def delete_aged(connection: Connection, before: float) -> int:
    """Delete up to a chunk of what ended before this wall time; how many stories."""
    aged = select(stories.c.id, stories.c.size).where(stories.c.ended < before)
    rows = [
        (row.id, row.size)
        for row in connection.execute(aged.order_by(stories.c.ended).limit(CHUNK))
    ]
    drop(connection, rows)
    old = fleet_groups.c.last_seen < before
    some = select(fleet_groups.c.writer, fleet_groups.c.fingerprint).where(old).limit(CHUNK)
    for writer, fingerprint in connection.execute(some).all():
        is_it = (fleet_groups.c.writer == writer) & (fleet_groups.c.fingerprint == fingerprint)
        connection.execute(delete(fleet_groups).where(is_it & old))
    gone = select(writers.c.writer).where(writers.c.seen < func.to_timestamp(before)).limit(CHUNK)
    connection.execute(delete(writers).where(writers.c.writer.in_(gone)))
    return len(rows)
