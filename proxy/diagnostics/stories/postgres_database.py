"""PostgreSQL as the store's database, as the one writer of each process uses it.

A batch that is written again, because nobody knows whether it was, is kept once: it has a number,
and its transaction writes the number too.
"""

from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from proxy import clock
from proxy.diagnostics.alerts.fleet import ToldLedger
from proxy.diagnostics.errors.fleet import FleetGroups
from proxy.diagnostics.errors.groups import Group
from proxy.diagnostics.neighbours.published import RowSource, no_rows
from proxy.diagnostics.neighbours.usual import Saved
from proxy.diagnostics.stories import postgres_writing as sql
from proxy.diagnostics.stories.files import STORE_ERRORS
from proxy.diagnostics.stories.postgres_backfill import Backfill
from proxy.diagnostics.stories.postgres_fleet import FleetView
from proxy.diagnostics.stories.postgres_link import (
    HEARTBEAT,
    SESSION,
    engine_for_writing,
    is_refused,
    server_reason,
)
from proxy.diagnostics.stories.postgres_neighbours import (
    KEPT,
    SHARE,
    NeighbourPublisher,
    delete_slots,
)
from proxy.diagnostics.stories.postgres_tables import migrate_shared
from proxy.diagnostics.stories.postgres_told import read_told, save_told
from proxy.diagnostics.stories.rules import StoreRule
from proxy.diagnostics.stories.store_url import address_of
from proxy.diagnostics.stories.tables import stories
from proxy.diagnostics.stories.writing import Row, drop_oldest, read_usual, size_of

PRUNE: Final = 60.0
"""Seconds between two looks for what is too old."""
LEASE: Final = SESSION - 1.0
"""Seconds for which a leader is sure to lead after a sign of life."""
PIECES: Final = 20
"""Pieces that are deleted before stories are written again."""


class PostgresDatabase:
    """Used by one thread only."""

    def __init__(
        self, url: str, rule: StoreRule, instance: str, recent: RowSource = no_rows
    ) -> None:
        self.rule = rule
        self._url, self._instance = url, instance
        self._writer: Final = token_hex(8)
        self._batch = 1
        self._engine: Engine | None = None
        self._fleet = FleetView(self._writer)
        self._backfill = Backfill()
        self._published = NeighbourPublisher(self._writer, instance, recent)
        self._heartbeat_at = self._prune_at = 0.0
        self.where: Mapping[str, str] = {"url": address_of(url)}
        self.every = HEARTBEAT
        self.restored: list[Group] | None = None
        """Empty once it is open: what was saved before belongs to the others."""
        self.usual: dict[str, object] = {}
        self.renewals = 0
        self.fleet: FleetGroups | None = {}
        self.news = self._fleet.news
        self.told = ToldLedger()
        self._leads = False
        self._leads_until = 0.0

    @property
    def is_leader(self) -> bool:
        """Not for longer than the server keeps a session that is silent: it may be another then."""
        return clock.now() < self._leads_until

    def write(
        self, rows: Sequence[Row], groups: Sequence[Group], usual: Mapping[str, Saved]
    ) -> int:
        """All of it in one transaction; how many rows were refused for what they hold."""
        engine = self._open()
        if not (rows or groups or usual):
            return 0
        refused = 0
        if rows:
            self._published.hurry()
        try:
            with engine.begin() as connection:
                self._write(connection, rows, groups, usual)
        except DBAPIError as error:
            if not is_refused(error):
                raise
            with engine.begin() as connection:
                refused = self._write_singly(connection, rows, groups, usual)
        self._batch += 1
        return refused

    def keep_bounds(self) -> None:
        """Look at the others' errors, fill and delete what is to be, if it is time."""
        now, engine = clock.now(), self._open()
        self._save_told(engine)
        if now >= self._heartbeat_at or self.told.is_asked:
            self._heartbeat_at, self.told.is_asked = now + HEARTBEAT, False
            with engine.begin() as connection:
                self._leads = self._leads or sql.may_lead(connection)
                self.told.seen = read_told(connection)  # once it leads, nobody writes there
                self.fleet = self._fleet.read(
                    connection, sql.server_wall(connection), self.rule.age
                )
            self.told.seen_at = now
            self._leads_until = now + LEASE if self._leads else 0.0
        self._published.publish(engine)
        self._backfill.go_on(engine)
        if now >= self._prune_at and self._is_pruned(engine):
            self._prune_at = now + PRUNE

    def _save_told(self, engine: Engine) -> None:
        new = self.told.take()
        if not new:
            return
        try:
            with engine.begin() as connection:
                save_told(connection, new)
        except STORE_ERRORS:
            self.told.give_back(new)
            raise

    def let_go(self) -> None:
        """Close the connection; the next write opens one."""
        self._leads, self._leads_until = False, 0.0
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def failed(self, error: BaseException) -> str:
        """Let go. Why it failed."""
        self.let_go()
        return server_reason(error, self._url)

    def is_suspect(self, _: BaseException, /) -> bool:
        """Never: a server is no file."""
        return False

    def _write(
        self,
        connection: Connection,
        rows: Sequence[Row],
        groups: Sequence[Group],
        usual: Mapping[str, Saved],
    ) -> None:
        if not sql.is_first(connection, self._writer, self._instance, self._batch):
            return
        if rows:
            sql.insert_stories(connection, rows)
        self._write_rest(connection, groups, usual)

    def _write_rest(
        self, connection: Connection, groups: Sequence[Group], usual: Mapping[str, Saved]
    ) -> None:
        if groups:
            sql.save_groups(connection, self._writer, self._instance, groups)
        if usual:
            sql.save_usual(connection, usual)

    def _write_singly(
        self,
        connection: Connection,
        rows: Sequence[Row],
        groups: Sequence[Group],
        usual: Mapping[str, Saved],
    ) -> int:
        """The same without those rows that cannot be stored; how many they are."""
        refused = 0
        if not sql.is_first(connection, self._writer, self._instance, self._batch):
            return 0
        for row in rows:
            try:
                with connection.begin_nested():
                    sql.insert_stories(connection, [row])
            except DBAPIError as error:
                if not is_refused(error):
                    raise
                refused += 1
        self._write_rest(connection, groups, usual)
        return refused

    def _is_pruned(self, engine: Engine) -> bool:
        """In small transactions, so that no lock is held for long. False: there is more of it."""
        excess: int | None = None
        for _ in range(PIECES):
            with engine.begin() as connection:
                if not sql.may_prune(connection):
                    return True
                wall, age = sql.server_wall(connection), self.rule.age
                delete_slots(connection, wall - min(age, KEPT), self.rule.size // SHARE)
                if sql.delete_aged(connection, wall - age):
                    continue
                if excess is None:
                    excess = size_of(connection) - self.rule.size
                if excess <= 0:
                    return True
                excess -= drop_oldest(connection, excess, stories.c.ended)
        return False

    def _open(self) -> Engine:
        if self._engine is not None:
            return self._engine
        engine = engine_for_writing(self._url)
        try:
            with engine.begin() as connection:
                migrate_shared(connection)
                usual = read_usual(connection)
        except STORE_ERRORS:
            engine.dispose()
            raise
        self._engine = engine
        self._fleet.forget()
        self._published.forget()
        self._backfill.forget()
        self._heartbeat_at = 0.0
        if self.restored is None:
            self.usual, self.restored = usual, []
        else:
            self.renewals += 1
        return engine
