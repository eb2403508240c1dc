"""The store: stories and groups of errors in a database, written by one thread.

Nothing that happens to the database reaches traffic: who hands something over never waits, a full
queue drops and counts, and a batch that could not be written is tried again until it can be.
A failure is said once, and so is that it is over.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from proxy import clock
from proxy.diagnostics.errors.groups import Group
from proxy.diagnostics.neighbours.across import UNREADABLE
from proxy.diagnostics.neighbours.published import RouteSlot
from proxy.diagnostics.neighbours.usual import Saved
from proxy.diagnostics.stories.around import Complete, leave
from proxy.diagnostics.stories.backend import Database, StoryReader
from proxy.diagnostics.stories.files import STORE_ERRORS
from proxy.diagnostics.stories.missing import OldestStory
from proxy.diagnostics.stories.query import Query
from proxy.diagnostics.stories.rules import StoreRule
from proxy.diagnostics.stories.story import Story, story_of
from proxy.diagnostics.stories.writing import Row
from proxy.exchange import Exchange
from proxy.observation.fault import of_ours
from proxy.observation.record import EmitEvent, ms

BATCH: Final = 250
"""Stories of one transaction."""
LINGER: Final = 0.25
"""Seconds between two of them: it bounds what the thread takes away from the event loop."""
PAUSES: Final = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before a batch that could not be written is tried again; then the last, for ever."""
Found = TypeVar("Found")


class Store:
    """`put…` and what is read from attributes is for the event loop: it never waits.

    `find` and `search` block; they are for other threads.
    """

    def __init__(
        self,
        database: Database,
        reader: StoryReader,
        rule: StoreRule,
        tell: EmitEvent,
        *,
        worker: int = 0,
        instance: str = "",
        complete: Complete = leave,
        linger: float = LINGER,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._rule, self._tell, self._worker, self._instance = rule, tell, worker, instance
        self._linger, self._pauses = linger, pauses
        self._complete = complete
        """Finds out what happened around an exchange, before its story is made."""
        self.dropped: Counter[str] = Counter()
        """Stories lost since the start, by cause: queue_full, rejected, closing."""
        self.failing: str | None = None
        """Why nothing is written at the moment; None while it is."""
        self._failed_at = 0.0
        self._is_faulty = False
        """Whether a fault of ours was why: then only a story that is written shows its end."""
        self._waiting: deque[Exchange] = deque()
        self._groups: dict[str, Group] = {}
        self._usual: dict[str, Saved] = {}
        self._guard = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._opened = threading.Event()
        self._is_doubted = False
        """Whether a reader found the file broken: its writer may hold all it needs in memory."""
        self.database: Final = database
        """Belongs to the thread; others only read its attributes."""
        self._reader = reader
        self._thread = threading.Thread(target=self._run, name="sidelight-store", daemon=True)

    def start(self) -> None:
        self._wake.set()
        self._thread.start()

    def take(self, rule: StoreRule) -> None:
        """Keep other bounds from now on; its file stays the same."""
        self._rule = self.database.rule = rule

    @property
    def queued(self) -> int:
        """Stories that wait to be written."""
        return len(self._waiting)

    def put(self, exchanges: Iterable[Exchange]) -> None:
        """Queue these for writing; what does not fit is dropped and counted."""
        for x in exchanges:
            if len(self._waiting) >= self._rule.queue:
                self.dropped["queue_full"] += 1
            else:
                self._waiting.append(x)
        self._wake.set()

    def put_groups(self, groups: Iterable[Group]) -> None:
        """Have these saved. They must be copies: the thread reads them later."""
        with self._guard:
            self._groups.update((group.kind.fingerprint, group) for group in groups)
        if self._groups:
            self._wake.set()

    def put_usual(self, saved: dict[str, Saved]) -> None:
        """Have what is usual on each route saved, in the place of what was saved before."""
        with self._guard:
            self._usual = saved
        self._wake.set()

    def find(self, *asked: str) -> list[Story] | None:
        """All stories of these IDs, newest first; None where the store cannot be read."""
        return self._read(lambda: self._reader.find(*asked), None)

    def beginning(self, starts: Sequence[str], most: int) -> set[str]:
        """Reference IDs of stories with an ID that begins so; none where it cannot be read."""
        return self._read(lambda: self._reader.beginning(starts, most), set())

    def oldest(self) -> OldestStory | None:
        """The oldest story; None where there is none, or the store cannot be read."""
        return self._read(self._reader.oldest, None)

    def search(self, query: Query) -> list[Story] | None:
        """Summaries, newest first; None where the store cannot be read."""
        return self._read(lambda: self._reader.search(query), None)

    def slots(self, route: str, until: float, request_id: str) -> list[RouteSlot] | str:
        """What all instances have published of a route, or why nobody knows."""
        unreadable: list[RouteSlot] | str = UNREADABLE
        return self._read(lambda: self._reader.slots(route, until, request_id), unreadable)

    def opened(self, timeout: float) -> None:
        """Block until what was saved before is read, unless that fails or takes too long."""
        if self.failing is None and self._thread.is_alive():
            self._opened.wait(timeout)

    def close(self, timeout: float) -> bool:
        """Write what waits, for at most `timeout` seconds. False: some of it was left."""
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        self._reader.let_go()
        return not self._thread.is_alive() and not self._waiting

    def _read(self, read: Callable[[], Found], otherwise: Found) -> Found:
        try:
            return read()
        except STORE_ERRORS as error:
            if self.database.is_suspect(error):
                self._is_doubted = True
                self._wake.set()
            return otherwise

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(self.database.every)
            self._wake.clear()  # before the queue is read, so that nothing is overlooked
            self._write_waiting()
        self._write_waiting()
        self.database.let_go()

    def _write_waiting(self) -> None:
        while self._is_written(*self._next()) and self._waiting:
            self._closing.wait(self._linger)

    def _next_rows(self) -> list[Row]:
        rows: list[Row] = []
        for _ in range(min(BATCH, len(self._waiting))):
            x = self._waiting.popleft()
            try:
                self._complete(x)
                rows.append(Row.of(self._story_of(x)))
            except Exception:  # noqa: BLE001  # a story that cannot be made must not stop the rest
                self.dropped["rejected"] += 1
            time.sleep(0)  # lets the event loop have the interpreter
        return rows

    def _story_of(self, x: Exchange) -> Story:
        return story_of(x, worker=self._worker, instance=self._instance)

    def _next(self) -> tuple[list[Row], list[Group], dict[str, Saved]]:
        rows = self._next_rows()
        with self._guard:
            groups, self._groups = list(self._groups.values()), {}
            usual, self._usual = self._usual, {}
        return rows, groups, usual

    def _is_written(self, rows: list[Row], groups: list[Group], usual: dict[str, Saved]) -> bool:
        """Try until it is written. False: given up, because we are closing or have a fault."""
        tried, is_empty = 0, not rows
        while True:
            try:
                if self._is_doubted:
                    self._is_doubted = False
                    self.database.let_go()  # what is read anew shows whether it is broken
                if refused := self.database.write(rows, groups, usual):
                    self.dropped["rejected"] += refused
                rows, groups, usual = [], [], {}
                self.database.keep_bounds()
            except STORE_ERRORS as error:
                self._failed(self.database.failed(error))
            except Exception as fault:  # noqa: BLE001  # it must not be the end of the thread
                self.dropped["rejected"] += len(rows)
                self.database.let_go()
                self._failed(of_ours(fault))
                self._is_faulty = True
                self._closing.wait(self._pauses[0])  # it may come with everything that is put
                return False
            else:
                if not (self._is_faulty and is_empty):
                    self._healed()
                return True
            if self._closing.wait(self._pauses[min(tried, len(self._pauses) - 1)]):
                self.dropped["closing"] += len(rows)
                return False
            tried += 1

    def _failed(self, why: str) -> None:
        is_new, self.failing = self.failing is None, why
        if is_new:
            self._failed_at = clock.now()
            fields = {"reason": self.failing, **self.database.where}
            self._tell("store_failed", "error", fields)

    def _healed(self) -> None:
        self._opened.set()
        if self.failing is None:
            return
        self.failing, self._is_faulty = None, False
        failed_for = ms(clock.now() - self._failed_at)
        fields = {"failed_for_ms": failed_for, "dropped": self.dropped.total()}
        self._tell("store_healed", "info", {**fields, **self.database.where})
