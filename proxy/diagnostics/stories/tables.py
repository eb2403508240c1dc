"""The tables of the store, and the migrations of older schemas.

Portable SQL only: the same tables on SQLite and on PostgreSQL, which has some of its own besides.
A table that has been released is never changed here without a migration.
"""

from collections.abc import Callable
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    select,
)
from sqlalchemy.types import TypeEngine

METADATA: Final = MetaData()

_KEY: Final = Integer().with_variant(BigInteger(), "postgresql")


def _text(length: int) -> TypeEngine[str]:
    """Text about this long. SQLite never minds its length, so PostgreSQL must not either."""
    return String(length).with_variant(Text(), "postgresql")


schema_version = Table("sidelight_schema", METADATA, Column("version", Integer, nullable=False))

stories = Table(
    "stories",
    METADATA,
    Column("id", _KEY, primary_key=True),
    Column("request_id", _text(256), nullable=False, index=True),
    Column("ended", Float, nullable=False),
    Column("code", _text(64), nullable=False),
    Column("route", _text(64), nullable=False),
    Column("status", Integer),
    Column("size", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_stories_ended", "ended", postgresql_include=["size"]),
    Index("ix_stories_code_ended", "code", "ended"),
    Index("ix_stories_route_ended", "route", "ended").ddl_if("postgresql"),
    Index("ix_stories_status_ended", "status", "ended").ddl_if("postgresql"),
)
"""`ended` is wall time in seconds, `size` about the bytes a row takes, `body` the story as JSON."""

story_fields = Table(
    "story_fields",
    METADATA,
    Column("story_id", _KEY, ForeignKey("stories.id"), primary_key=True),
    Column("name", _text(64), primary_key=True),
    Column("value", _text(256), nullable=False),
    Index("ix_story_fields_value", "name", "value", "story_id"),
)

story_ids = Table(
    "story_ids",
    METADATA,
    Column("story_id", _KEY, ForeignKey("stories.id"), primary_key=True),
    Column("value", _text(256), primary_key=True),
    Index("ix_story_ids_value", "value", "story_id"),
)
"""IDs of others that lead to a story: the client's own and the upstream's, as they are shown."""

error_groups = Table(
    "error_groups",
    METADATA,
    Column("fingerprint", _text(12), primary_key=True),
    Column("last_seen", Float, nullable=False),
    Column("body", Text, nullable=False),
)

usual_times = Table(
    "usual_times",
    METADATA,
    Column("route", _text(64), primary_key=True),
    Column("body", Text, nullable=False),
)
"""What is usual on a route: its sketches as JSON."""


class NewerStoreError(Exception):
    """The store was written by a newer Sidelight; the argument is its version."""


class WrongEncodingError(Exception):
    """Not every text can be stored in this database; the argument is its encoding."""


def _begin(connection: Connection) -> None:
    METADATA.create_all(connection)


def _add_ids(connection: Connection) -> None:
    story_ids.create(connection, checkfirst=True)


def _add_usual(connection: Connection) -> None:
    usual_times.create(connection, checkfirst=True)


MIGRATIONS: Final[tuple[Callable[[Connection], None], ...]] = (_begin, _add_ids, _add_usual)
"""Step n makes version n + 1 out of version n; a step that was cut short may be made again."""


def migrate(
    connection: Connection, steps: tuple[Callable[[Connection], None], ...] = MIGRATIONS
) -> None:
    """Bring the tables to the present version, within the caller's transaction.

    Raises NewerStoreError where they are ahead of it; then nothing was touched.
    """
    schema_version.create(connection, checkfirst=True)
    found = connection.execute(select(schema_version.c.version)).scalar()
    version = found or 0
    if version > len(steps):
        raise NewerStoreError(version)
    for step in steps[version:]:
        step(connection)
    if found is None:
        connection.execute(schema_version.insert().values(version=len(steps)))
    elif found < len(steps):
        connection.execute(schema_version.update().values(version=len(steps)))
