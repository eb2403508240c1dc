"""The store: stories and groups of errors in a database, written by one thread.

Nothing that happens to the database reaches traffic: who hands something over never waits, a full
queue drops and counts, and a batch that could not be written is tried again until it can be.
A failure is said once, and so is that it is over.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, Literal

import orjson
from sqlalchemy import Engine

from proxy import clock
from proxy.errors.groups import MOST, Group
from proxy.exchange import Exchange
from proxy.observation.record import ms
from proxy.outcome import Level
from proxy.stories.files import STORE_ERRORS, is_broken, open_for_writing, reason_of, set_aside
from proxy.stories.rule import StoreRule
from proxy.stories.story import story_of
from proxy.stories.tables import migrate
from proxy.stories.writing import (
    Row,
    drop_aged,
    drop_oldest,
    read_groups,
    size_of,
    write_groups,
    write_stories,
)

BATCH: Final = 250
"""Stories of one transaction."""
LINGER: Final = 0.25
"""Seconds between two of them: it bounds what the thread takes away from the event loop."""
PAUSES: Final = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before a batch that could not be written is tried again; then the last, for ever."""
PRUNE: Final = 60.0
"""Seconds between two looks for what is too old or too much."""

Tell = Callable[[str, Level, Mapping[str, object]], None]
Item = tuple[Exchange, str]
"""An exchange that has ended, and the hash of the settings it ran under."""


class Store:
    """Every method but `close` may be called in the event loop and never waits."""

    def __init__(
        self,
        path: Path,
        rule: StoreRule,
        tell: Tell,
        *,
        worker: int = 0,
        linger: float = LINGER,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._path, self._rule, self._tell, self._worker = path, rule, tell, worker
        self._linger, self._pauses = linger, pauses
        self.dropped: Counter[str] = Counter()
        """Stories lost since the start, by cause: queue_full, rejected."""
        self.failing: str | None = None
        """Why nothing is written at the moment; None while it is."""
        self._failed_at = 0.0
        self._waiting: deque[Item] = deque()
        self._groups: dict[str, Group] = {}
        self._restored: list[Group] | None = None
        self._is_new = threading.Event()
        self._guard = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._engine: Engine | None = None
        self._size = 0
        self._was_read = False
        self._prune_at = 0.0
        self._thread = threading.Thread(target=self._run, name="sidelight-store", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._wake.set()

    @property
    def queued(self) -> int:
        """Stories that wait to be written."""
        return len(self._waiting)

    def put(self, items: Iterable[Item]) -> None:
        """Have these written; what finds no room is dropped and counted."""
        for item in items:
            if len(self._waiting) >= self._rule.queue:
                self.dropped["queue_full"] += 1
            else:
                self._waiting.append(item)
        self._wake.set()

    def put_groups(self, groups: Iterable[Group]) -> None:
        """Have these saved. They must be copies: the thread reads them later."""
        with self._guard:
            self._groups.update((group.kind.fingerprint, group) for group in groups)
        self._wake.set()

    def take_restored(self) -> list[Group] | None:
        """What was saved before the start, once; None while it is not known, and afterwards."""
        restored, self._restored = self._restored, None
        return restored

    def take_renewal(self) -> bool:
        """Whether the file was begun anew since this was last asked."""
        is_new = self._is_new.is_set()
        self._is_new.clear()
        return is_new

    def close(self, timeout: float) -> bool:
        """Write what waits, for at most `timeout` seconds. False: some of it was left."""
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive() and not self._waiting

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(PRUNE)
            self._wake.clear()
            self._write_waiting()
        self._write_waiting()
        self._let_go()

    def _write_waiting(self) -> None:
        """Write until nothing waits; a batch is given up only where we are closing."""
        while True:
            rows, groups = self._next_rows(), self._next_groups()
            if not self._written(rows, groups) or not self._waiting:
                return
            self._closing.wait(self._linger)

    def _next_rows(self) -> list[Row]:
        items = list(islice(iter(self._waiting.popleft, None), min(BATCH, len(self._waiting))))
        rows: list[Row] = []
        for x, config_hash in items:
            try:
                rows.append(Row.of(story_of(x, worker=self._worker, config_hash=config_hash)))
            except (orjson.JSONEncodeError, LookupError, TypeError, ValueError, AttributeError):
                self.dropped["rejected"] += 1  # a story that cannot be told must not stop the rest
            time.sleep(0)  # lets the event loop have the interpreter
        return rows

    def _next_groups(self) -> list[Group]:
        with self._guard:
            groups, self._groups = list(self._groups.values()), {}
        return groups

    def _written(self, rows: list[Row], groups: list[Group]) -> bool:
        """Try until it is written; False: given up because we are closing."""
        tried = 0
        while True:
            try:
                self._write(rows, groups)
            except STORE_ERRORS as error:
                self._failed(error)
                if self._closing.wait(self._pauses[min(tried, len(self._pauses) - 1)]):
                    self.dropped["closing"] += len(rows)
                    return False
                tried += 1
            else:
                self._healed()
                return True

    def _write(self, rows: list[Row], groups: list[Group]) -> None:
        with self._open().begin() as connection:
            if rows:
                write_stories(connection, rows)
            if groups:
                write_groups(connection, groups)
        self._size += sum(len(str(row.columns["body"])) for row in rows)
        if clock.now() >= self._prune_at or self._size > self._rule.size:
            self._prune()

    def _open(self) -> Engine:
        """The engine; opened anew after a failure, or where somebody took the file away."""
        if self._engine is not None and self._path.exists():
            return self._engine
        self._let_go()
        engine = open_for_writing(self._path)
        try:
            with engine.begin() as connection:
                migrate(connection)
                self._size = size_of(connection)
                if not self._was_read:
                    self._restored = read_groups(connection, MOST)
        except STORE_ERRORS:
            engine.dispose()
            raise
        if self._was_read:
            self._is_new.set()
        self._was_read = True
        self._engine = engine
        return engine

    def _prune(self) -> None:
        """Delete in small transactions, so that no lock is held for long."""
        before = clock.wall() - self._rule.age
        engine = self._open()
        freed = 1
        while freed:
            with engine.begin() as connection:
                freed = drop_aged(connection, before)
        with engine.begin() as connection:
            self._size = size_of(connection)
        while self._size > self._rule.size:
            with engine.begin() as connection:
                freed = drop_oldest(connection)
            self._size -= freed
            if not freed:
                break
        self._prune_at = clock.now() + PRUNE

    def _failed(self, error: BaseException) -> None:
        self._let_go()
        reason = reason_of(error)
        if self.failing is None:
            self._failed_at = clock.now()
            self._tell("store_failed", "error", {"reason": reason, "path": str(self._path)})
        self.failing = reason
        if is_broken(error):
            self._begin_anew()

    def _begin_anew(self) -> None:
        try:
            set_aside(self._path)
        except OSError as error:
            self.failing = reason_of(error)

    def _healed(self) -> None:
        if self.failing is None:
            return
        failed_for, self.failing = clock.now() - self._failed_at, None
        lost = self.dropped.total()
        fields = {"failed_for_ms": ms(failed_for), "dropped": lost, "path": str(self._path)}
        self._tell("store_healed", "info", fields)

    def _let_go(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


State = Literal["off", "ok", "failing"]
