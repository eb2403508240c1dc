"""SQLite as the store's database: how its file is opened, and what its errors mean."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from proxy.diagnostics.stories.private import make_directory, make_file, take_rights
from proxy.diagnostics.stories.tables import NewerStoreError, WrongEncodingError
from proxy.observation.redaction import USER_AGENT_CHARS, redact

BUSY: Final = 1.0
"""Seconds for which another process's lock is waited for."""

WRITING: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA journal_size_limit=16777216",
    "PRAGMA foreign_keys=OFF",
)
"""Pragmas of a connection that writes."""

_BROKEN: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_BESIDE: Final = ("", "-wal", "-shm")

STORE_ERRORS: Final = (SQLAlchemyError, OSError, NewerStoreError, WrongEncodingError)
"""Everything by which a database can fail us."""


def open_for_writing(path: Path) -> Engine:
    """An engine whose one connection is kept. Raises OSError where its file cannot be made.

    Nobody else may read it; what SQLite puts beside it has the rights of the file.
    """
    make_directory(path.parent)
    make_file(path)
    for suffix in _BESIDE[1:]:
        take_rights(Path(f"{path}{suffix}"))
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, connect_args={"timeout": BUSY})
    event.listen(engine, "connect", _preparing(WRITING))
    return engine


def open_for_reading(path: Path) -> Engine:
    """An engine that can change nothing and makes no file; a connection for each question."""
    name = f"file:{quote(os.fspath(path))}"
    url = URL.create("sqlite", database=name, query={"mode": "ro", "uri": "true"})
    return create_engine(url, connect_args={"timeout": BUSY}, poolclass=NullPool)


def is_broken(error: BaseException) -> bool:
    """Whether the file is no database, or one that can no longer be read."""
    return _name_of(error).startswith(_BROKEN)


def is_suspect(error: BaseException) -> bool:
    """Whether the file may be broken: it should be opened anew to know."""
    return _name_of(error).startswith((*_BROKEN, "SQLITE_IOERR"))


def _name_of(error: BaseException) -> str:
    name = getattr(getattr(error, "orig", None), "sqlite_errorname", "")
    return name if isinstance(name, str) else ""


def reason_of(error: BaseException) -> str:
    """Why the store failed, in the database's words; never a value that was to be stored."""
    if isinstance(error, NewerStoreError):
        return f"written by a newer Sidelight (schema version {error})"
    if isinstance(error, DBAPIError) and error.orig is not None:
        return redact(str(error.orig), USER_AGENT_CHARS)
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return type(error).__name__


def set_aside(path: Path) -> Path:
    """Rename a broken file and what belongs to it; one that was set aside before gives way."""
    aside = path.with_name(f"{path.name}.corrupt")
    for suffix in _BESIDE:
        old = Path(f"{path}{suffix}")
        if old.exists():
            old.replace(f"{aside}{suffix}")
        else:
            Path(f"{aside}{suffix}").unlink(missing_ok=True)
    return aside


def _preparing(pragmas: Sequence[str]) -> Callable[[DBAPIConnection, object], None]:
    def prepare(connection: DBAPIConnection, _: object) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    return prepare
