"""Tables that only PostgreSQL has, and its migrations.

A step must leave every older version able to write, or say that it does not: replicas are replaced
one after the other. It is made once, under a lock, however many start together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    func,
    select,
    text,
)

from proxy.diagnostics.stories.postgres_filters import STATEMENTS
from proxy.diagnostics.stories.postgres_link import LOCKED, unhurried
from proxy.diagnostics.stories.postgres_neighbours import PUBLISHED
from proxy.diagnostics.stories.postgres_told import TOLD
from proxy.diagnostics.stories.tables import (
    METADATA,
    NewerStoreError,
    WrongEncodingError,
    stories,
    story_fields,
    story_ids,
    usual_times,
)

MIGRATING: Final = 0x51DE
PRUNING: Final = 0x51DF
LEADING: Final = 0x51E0
"""First halves of advisory locks; the second is the schema, so that several share a database."""

ENCODINGS: Final = ("UTF8", "SQL_ASCII")
"""Of databases that store any text; the second looks at none."""

FLEET: Final = MetaData()

shared_version = Table(
    "sidelight_schema",
    FLEET,
    Column("version", Integer, nullable=False),
    Column("oldest_writer", Integer, nullable=False),
)
"""One row: the version of the tables, and the oldest version of Sidelight's that may write."""

writers = Table(
    "writers",
    FLEET,
    Column("writer", Text, primary_key=True),
    Column("instance", Text, nullable=False),
    Column("batch", BigInteger, nullable=False),
    Column("seen", DateTime(timezone=True), nullable=False, index=True),
)
"""Every process that has written, and its last batch: one that comes again is not written again."""

fleet_groups = Table(
    "fleet_groups",
    FLEET,
    Column("writer", Text, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("instance", Text, nullable=False),
    Column("last_seen", Float, nullable=False, index=True),
    Column("saved", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("body", Text, nullable=False),
    Index("ix_fleet_groups_saved", "saved"),
)
"""The errors that each process has counted since its start, by kind."""


@dataclass(frozen=True, slots=True)
class Step:
    """Makes one version out of the one before; may be made again where tables are missing."""

    make: Callable[[Connection], None]
    shuts_out: bool = False
    """Whether older versions can no longer write."""


def _begin(connection: Connection) -> None:
    METADATA.create_all(connection, tables=_BEGUN)
    FLEET.create_all(connection)


def _add_filters(connection: Connection) -> None:
    for statement in STATEMENTS:
        connection.execute(text(statement))


def _add_neighbours(connection: Connection) -> None:
    PUBLISHED.create_all(connection)


def _add_told(connection: Connection) -> None:
    TOLD.create_all(connection)


STEPS: Final = (
    Step(_begin),
    Step(_add_filters),
    Step(_add_neighbours),
    Step(_add_told),
    Step(_add_filters),  # that of the instance
)


def migrate_shared(connection: Connection, steps: tuple[Step, ...] = STEPS) -> None:
    """Bring the tables to the present version, within the caller's transaction.

    Raises NewerStoreError where they are of a version that this one must not write to, and
    WrongEncodingError where the first story with another letter would be refused.
    """
    encoding = connection.scalar(text("SHOW server_encoding"))
    if encoding not in ENCODINGS:
        raise WrongEncodingError(encoding)
    found = _fit(_found(connection), steps)
    if found is None or found[0] < len(steps) or _missing(connection):
        with unhurried(connection):
            _await_turn(connection)
            _migrate(connection, steps, _fit(_found(connection), steps))


def _fit(found: tuple[int, int] | None, steps: tuple[Step, ...]) -> tuple[int, int] | None:
    if found is not None and found[1] > len(steps):
        raise NewerStoreError(found[0])
    return found


def _await_turn(connection: Connection) -> None:
    """Where another brings them forward, it may take as long as it takes."""
    connection.execute(text("SET LOCAL lock_timeout = 0"))
    connection.execute(text(f"SELECT {lock('pg_advisory_xact_lock', MIGRATING)}"))
    connection.execute(text(f"SET LOCAL lock_timeout = {round(LOCKED * 1000)}"))


def storable(text: str) -> str:
    """Without the one character that PostgreSQL's text cannot hold; JSON writes it as an escape."""
    return text.replace("\x00", "\ufffd")


def lock(function: str, number: int) -> str:
    """The call that takes an advisory lock of this schema."""
    return f"{function}({number}, hashtext(current_schema()))"


def _migrate(
    connection: Connection, steps: tuple[Step, ...], found: tuple[int, int] | None
) -> None:
    version, oldest = found or (0, 0)
    made = version
    if missing := _missing(connection):
        made = 0
        if stories.name in missing:  # what belongs to it would belong to others
            connection.execute(text("DROP TABLE IF EXISTS story_fields, story_ids"))
    for number, step in enumerate(steps[made:], start=made + 1):
        step.make(connection)
        oldest = max(oldest, number) if step.shuts_out else oldest
    now = {"version": max(version, len(steps)), "oldest_writer": oldest}
    if found is None:
        connection.execute(shared_version.insert().values(**now))
    elif version < len(steps):
        connection.execute(shared_version.update().values(**now))


_TABLES: Final = text(
    "SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
    "WHERE relname = ANY (:names) AND nspname = ANY (current_schemas(false))"
)
"""A scan: what `to_regclass` says may be older than the lock that was waited for."""

_BEGUN: Final = (stories, story_fields, story_ids, usual_times)
_ALL: Final = {
    table.name
    for tables in (_BEGUN, *(data.tables.values() for data in (FLEET, PUBLISHED, TOLD)))
    for table in tables
}


def _found(connection: Connection) -> tuple[int, int] | None:
    if shared_version.name not in _present(connection):
        return None
    row = connection.execute(select(shared_version)).first()
    return (row[0], row[1]) if row is not None else None


def _missing(connection: Connection) -> set[str]:
    """Tables that are not there yet, or that somebody has dropped."""
    return _ALL - _present(connection)


def _present(connection: Connection) -> set[str]:
    return set(connection.scalars(_TABLES, {"names": sorted(_ALL)}))
