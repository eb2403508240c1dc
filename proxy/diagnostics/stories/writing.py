"""Writes to the tables: inserts stories, saves and restores error groups, deletes what is too
old.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final

import orjson
from sqlalchemy import Column, Connection, delete, func, insert, select

from proxy.diagnostics.errors.groups import Group
from proxy.diagnostics.errors.saved import as_plain, from_json
from proxy.diagnostics.neighbours.usual import Saved
from proxy.diagnostics.stories.story import Story
from proxy.diagnostics.stories.tables import (
    error_groups,
    stories,
    story_fields,
    story_ids,
    usual_times,
)

FIELD_BYTES: Final = 100
"""What a field of the team's own takes besides its text, which stands in an index as well."""
ROW_BYTES: Final = 320
"""What a row and its places in the indexes take beside its body."""
CHUNK: Final = 500
"""Stories that are deleted at once."""


@dataclass(frozen=True, slots=True)
class Row:
    """A story, ready to be written."""

    columns: dict[str, object]
    fields: dict[str, str]
    ids: frozenset[str]
    """Of others, besides the Reference ID."""
    size: int
    """About the bytes it will take."""
    story: Story = field(default_factory=dict)
    """What it is made of."""

    @classmethod
    def of(cls, story: Story) -> "Row":
        """Raises orjson.JSONEncodeError for what is no JSON."""
        body = orjson.dumps(story).decode()
        route, given = story.get("route"), story.get("fields")
        fields = given if isinstance(given, dict) else {}
        size = len(body) + ROW_BYTES
        size += sum(FIELD_BYTES + 2 * (len(name) + len(value)) for name, value in fields.items())
        ids = _ids_of(story)
        size += sum(FIELD_BYTES + 2 * len(value) for value in ids)
        columns = {
            "request_id": story["request_id"],
            "ended": story["ended"],
            "code": story["code"],
            "route": route["name"] if isinstance(route, dict) else "",
            "status": story.get("status"),
            "size": size,
            "body": body,
        }
        return cls(columns, fields, ids, size, story)


def write_stories(connection: Connection, rows: Sequence[Row]) -> None:
    """All of them or none: the caller's transaction decides."""
    plain = [row.columns for row in rows if not (row.fields or row.ids)]
    if plain:
        connection.execute(insert(stories), plain)
    fields: list[dict[str, object]] = []
    ids: list[dict[str, object]] = []
    for row in rows:
        if row.fields or row.ids:
            made = connection.execute(insert(stories).values(**row.columns))
            key = made.inserted_primary_key[0] if made.inserted_primary_key else 0
            fields += ({"story_id": key, "name": k, "value": v} for k, v in row.fields.items())
            ids += ({"story_id": key, "value": value} for value in row.ids)
    for table, values in ((story_fields, fields), (story_ids, ids)):
        if values:
            connection.execute(insert(table), values)


def _ids_of(story: Story) -> frozenset[str]:
    """IDs of others and the trace that a story names, its attempts' included."""
    attempts = story.get("attempts")
    parts = [story, *(attempts if isinstance(attempts, list) else ())]
    ids = {str(value) for part in parts for value in _values(part.get("upstream_ids"))}
    if trace := story.get("trace_id"):
        ids.add(str(trace))
    if client := story.get("client_request_id"):
        ids.add(str(client))
    return frozenset(ids)


def _values(ids: object) -> Iterable[object]:
    return ids.values() if isinstance(ids, dict) else ()


def write_groups(connection: Connection, groups: Iterable[Group]) -> None:
    """Put each in the place of what was saved of it before."""
    rows = [
        {
            "fingerprint": group.kind.fingerprint,
            "last_seen": group.last_seen,
            "body": orjson.dumps(as_plain(group)).decode(),
        }
        for group in groups
    ]
    if rows:
        names = [row["fingerprint"] for row in rows]
        connection.execute(delete(error_groups).where(error_groups.c.fingerprint.in_(names)))
        connection.execute(insert(error_groups), rows)


def read_groups(connection: Connection, limit: int) -> list[Group]:
    """What was saved, the newest of it."""
    newest = select(error_groups.c.body).order_by(error_groups.c.last_seen.desc()).limit(limit)
    bodies = connection.execute(newest).scalars()
    groups = (from_json(body) for body in bodies)
    return [group for group in groups if group is not None]


def write_usual(connection: Connection, usual: Mapping[str, Saved]) -> None:
    """Put these in the place of all that was saved before."""
    rows = [
        {"route": route, "body": orjson.dumps(saved).decode()} for route, saved in usual.items()
    ]
    connection.execute(delete(usual_times))
    connection.execute(insert(usual_times), rows)


def read_usual(connection: Connection) -> dict[str, object]:
    """What was saved, by route; what is no JSON is passed over."""
    found: dict[str, object] = {}
    for route, body in connection.execute(select(usual_times.c.route, usual_times.c.body)):
        with suppress(ValueError):
            found[route] = orjson.loads(body)
    return found


def size_of(connection: Connection) -> int:
    """About the bytes that all stories take."""
    return int(connection.execute(select(func.sum(stories.c.size))).scalar() or 0)


def drop_aged(connection: Connection, before: float) -> int:
    """Delete up to a chunk of stories that ended before this wall time; the bytes freed."""
    connection.execute(delete(error_groups).where(error_groups.c.last_seen < before))
    aged = select(stories.c.id, stories.c.size).where(stories.c.ended < before)
    return drop(connection, [tuple(row) for row in connection.execute(aged.limit(CHUNK))])


def drop_oldest(connection: Connection, excess: int, by: Column[Any] = stories.c.id) -> int:
    """Delete up to a chunk of the oldest stories, until that many bytes are freed; those freed.

    `by` says which are old: where several write, not the ID.
    """
    oldest = select(stories.c.id, stories.c.size).order_by(by).limit(CHUNK)
    rows = [tuple(row) for row in connection.execute(oldest)]
    freed = accumulate(size for _, size in rows)
    enough = sum(1 for so_far in freed if so_far < excess) + 1
    return drop(connection, rows[:enough])


def drop(connection: Connection, rows: Sequence[tuple[int, int]]) -> int:
    """Delete these, each an ID and its bytes; the bytes freed."""
    keys = [key for key, _ in rows]
    if keys:
        connection.execute(delete(story_fields).where(story_fields.c.story_id.in_(keys)))
        connection.execute(delete(story_ids).where(story_ids.c.story_id.in_(keys)))
        connection.execute(delete(stories).where(stories.c.id.in_(keys)))
    return sum(size for _, size in rows)
