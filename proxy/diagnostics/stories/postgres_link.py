"""PostgreSQL as the store's database: how it is connected to, and what its errors mean.

No call takes longer than its session's patience, whatever the server or the network does: a
server that was stopped still accepts and acknowledges, so no timeout of TCP would notice.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from proxy.diagnostics.stories.postgres_passfile import with_passfile
from proxy.diagnostics.stories.store_files import passfile_of, why_passed_over
from proxy.diagnostics.stories.store_url import secrets_of
from proxy.diagnostics.stories.tables import NewerStoreError, WrongEncodingError
from proxy.observation.redaction import REDACTED, USER_AGENT_CHARS, redact

CONNECT: Final = 3
"""Seconds for a connection to each host, where the URL does not say; libpq wants whole ones, and
two at least."""
PATIENCE: Final = 10.0
"""Seconds for a statement that writes, 2 for one that reads."""
LOOK_UP: Final = 2.0
STEP: Final = 600.0
"""Seconds for a statement that brings tables forward: an index of very many stories."""
LOCKED: Final = 2.0
"""Seconds for which a lock of somebody else is waited for."""
HEARTBEAT: Final = 4.0
"""Seconds between two signs of life of an instance."""
SESSION: Final = 10.0
"""Seconds without one after which the server ends the session, and with it its locks."""

_NONE_GIVEN: Final = "no password supplied"
_REFUSED: Final = ("22", "23", "54")
"""Classes of SQLSTATE that say that a value cannot be stored, today or later."""

RV = TypeVar("RV")


class BoundedConnection(psycopg.Connection[Any]):
    """Gives up, and is of no more use, where an answer takes longer than `patience`."""

    patience: float = PATIENCE

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Run a generator of psycopg to its end. Raises psycopg.OperationalError."""
        return super().wait(self._within(gen), interval, timeout)

    def _within(self, gen: PQGen[RV]) -> Generator[Any, Any, RV]:
        deadline = monotonic() + self.patience
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and monotonic() > deadline:
                    self.pgconn.finish()  # or its rollback would wait as long again
                    raise psycopg.OperationalError(f"no answer within {self.patience:g}s")
                wanted = gen.send(ready)
        except StopIteration as done:
            value: RV = done.value
            return value


def engine_for_writing(url: str) -> Engine:
    """An engine of one connection, which is kept."""
    session = {
        "statement_timeout": PATIENCE * 0.8,
        "lock_timeout": LOCKED,
        "idle_in_transaction_session_timeout": SESSION,
        "idle_session_timeout": SESSION,
    }
    return _engine(url, PATIENCE, session, pool_size=1, max_overflow=0, pool_timeout=0.1)


def engine_for_reading(url: str) -> Engine:
    """An engine of two connections at most, which can change nothing."""
    session = {"statement_timeout": LOOK_UP * 0.8, "default_transaction_read_only": True}
    return _engine(
        url, LOOK_UP, session, pool_size=2, max_overflow=0, pool_timeout=LOOK_UP,
        pool_pre_ping=True, isolation_level="AUTOCOMMIT",
    )  # fmt: skip


@contextmanager
def unhurried(connection: Connection) -> Iterator[None]:
    """Let statements take as long as a step of the schema may, to the end of the transaction."""
    link = connection.connection.driver_connection
    connection.execute(text(f"SET LOCAL statement_timeout = {round(STEP * 1000)}"))
    before, link.patience = link.patience, STEP  # type: ignore[union-attr]
    try:
        yield
    finally:
        link.patience = before  # type: ignore[union-attr]


def _engine(url: str, patience: float, session: dict[str, float | bool], **pool: Any) -> Engine:
    settings = "; ".join(f"SET {name} = {_value(value)}" for name, value in session.items())

    def connect() -> BoundedConnection:
        with with_passfile(url) as conninfo:
            patient = {"connect_timeout": CONNECT, **conninfo_to_dict(conninfo)}
            connection = BoundedConnection.connect(
                conninfo, autocommit=True, connect_timeout=patient["connect_timeout"],
                client_encoding="utf8", fallback_application_name="sidelight",
                prepare_threshold=None,
            )  # fmt: skip
        connection.patience = patience
        connection.execute(settings.encode())
        connection.autocommit = False
        return connection

    return create_engine("postgresql+psycopg://", creator=connect, **pool)


def _value(value: float | bool) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(round(value * 1000))


def is_refused(error: DBAPIError) -> bool:
    """Whether a value is at fault, and not the server."""
    state = getattr(error.orig, "sqlstate", None) or ""
    return state.startswith(_REFUSED) or isinstance(error.orig, psycopg.DataError)


def is_gone(error: BaseException) -> bool:
    """Whether the server could not be talked to."""
    return isinstance(error, DBAPIError) and isinstance(error.orig, psycopg.OperationalError)


def server_reason(error: BaseException, url: str) -> str:
    """Why the store failed, in the server's words; never a value that was to be stored."""
    if isinstance(error, NewerStoreError):
        return f"written by a newer Sidelight (schema version {error})"
    if isinstance(error, WrongEncodingError):
        return f"the encoding of the database is {error}; CREATE DATABASE ... ENCODING 'UTF8'"
    if not isinstance(error, DBAPIError) or not isinstance(error.orig, psycopg.Error):
        return type(error).__name__
    if error.orig.sqlstate is None and not isinstance(error.orig, psycopg.OperationalError):
        return type(error.orig).__name__  # psycopg's own words may quote what it was given
    said = error.orig.diag.message_primary or " ".join(str(error.orig).split())
    for secret in secrets_of(url):
        said = said.replace(secret, REDACTED)
    return redact(said, USER_AGENT_CHARS) + _about_passfile(url, said)


def _about_passfile(url: str, said: str) -> str:
    path = passfile_of(url) if _NONE_GIVEN in said else None
    why = why_passed_over(path) if path is not None else None
    return f"; {why}" if why is not None else ""
