"""SQLite as the store's database, as its one writer uses it: open, write, keep within its bounds.

Knows no thread and no queue. Everything raises one of STORE_ERRORS where the database fails.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from proxy import clock
from proxy.diagnostics.alerts.fleet import FleetNews, ToldLedger
from proxy.diagnostics.errors.fleet import FleetGroups
from proxy.diagnostics.errors.groups import MOST, Group
from proxy.diagnostics.neighbours.usual import Saved
from proxy.diagnostics.stories.files import (
    STORE_ERRORS,
    is_broken,
    is_suspect,
    open_for_writing,
    reason_of,
    set_aside,
)
from proxy.diagnostics.stories.rules import StoreRule
from proxy.diagnostics.stories.tables import migrate
from proxy.diagnostics.stories.writing import (
    Row,
    drop_aged,
    drop_oldest,
    read_groups,
    read_usual,
    size_of,
    write_groups,
    write_stories,
    write_usual,
)

PRUNE: Final = 60.0
"""Seconds between two looks for what is too old."""


_NONE: Final[Mapping[str, Saved]] = {}


class StoryDatabase:
    """Used by one thread only."""

    def __init__(self, path: Path, rule: StoreRule) -> None:
        self.rule = rule
        """How much it may hold, and for how long."""
        self._path = path
        self.where: Mapping[str, str] = {"path": str(path)}
        self.every = PRUNE
        self.fleet: FleetGroups | None = None
        self.is_leader = False
        self.news: deque[FleetNews] = deque()
        self.told = ToldLedger()
        self._engine: Engine | None = None
        self._file: tuple[int, int] | None = None
        """The file that is open, whatever stands under its name by now."""
        self._size = 0
        self._prune_at = 0.0
        self.restored: list[Group] | None = None
        """What was saved before the start; None until it could be read."""
        self.usual: dict[str, object] = {}
        """What was usual on each route before the start, as it was saved."""
        self.renewals = 0
        """How often the file was opened anew after that: it may have lost what it had."""

    def write(
        self, rows: Sequence[Row], groups: Sequence[Group], usual: Mapping[str, Saved] = _NONE
    ) -> int:
        """All of it in one transaction, or nothing; SQLite refuses no row."""
        with self._open().begin() as connection:
            if rows:
                write_stories(connection, rows)
            if groups:
                write_groups(connection, groups)
            if usual:
                write_usual(connection, usual)
        self._size += sum(row.size for row in rows)
        return 0

    def keep_bounds(self) -> None:
        """Delete what is too old or too much, if it is time to look."""
        if clock.now() >= self._prune_at:
            self._prune_at = clock.now() + PRUNE
            self._drop_aged(clock.wall() - self.rule.age)
        while self._size > self.rule.size:
            with self._open().begin() as connection:
                freed = drop_oldest(connection, self._size - self.rule.size)
            if not freed:
                break
            self._size -= freed

    def let_go(self) -> None:
        """Close the file; the next write opens it anew."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def failed(self, error: BaseException) -> str:
        """Let go, and set a broken file aside. Why it failed."""
        self.let_go()
        if is_broken(error):
            try:
                set_aside(self._path)
            except OSError as hindrance:
                return reason_of(hindrance)
        return reason_of(error)

    def is_suspect(self, error: BaseException, /) -> bool:
        """Whether the file may be broken."""
        return is_suspect(error)

    def _drop_aged(self, before: float) -> None:
        """In small transactions, so that no lock is held for long."""
        engine, freed = self._open(), 1
        while freed:
            with engine.begin() as connection:
                freed = drop_aged(connection, before)
            self._size -= freed

    def _open(self) -> Engine:
        if self._engine is not None and self._file == _identity(self._path):
            return self._engine
        self.let_go()  # somebody took the file away, or put another in its place
        engine = open_for_writing(self._path)
        try:
            self._begin(engine)
        except STORE_ERRORS:
            engine.dispose()
            raise
        self._engine, self._file = engine, _identity(self._path)
        return engine

    def _begin(self, engine: Engine) -> None:
        with engine.begin() as connection:
            migrate(connection)
            self._size = size_of(connection)
            restored = read_groups(connection, MOST)
            usual = read_usual(connection)
        if self.restored is None:
            self.usual = usual
            self.restored = restored
        else:
            self.renewals += 1


def _identity(path: Path) -> tuple[int, int] | None:
    """Identity of the file: another one of the same name differs; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
