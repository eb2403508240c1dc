"""The desk: takes what has ended from the event loop, and finds out what happened around it.

`add` is for the event loop and costs next to nothing. The rest is done in a thread, once a second
or when somebody asks, and only where there is trouble: without, exchanges wait as they are until
they are too many. Bad ones of one route that lie together share their count. What is found is kept
on the record as JSON, so it is the same in memory and in the store.
"""

import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from math import inf
from typing import Final

import orjson

from proxy import clock
from proxy.diagnostics.neighbours.brief import BRIEF, brief, held_of, told_of
from proxy.diagnostics.neighbours.culprits import Culprits
from proxy.diagnostics.neighbours.live import LiveWindows
from proxy.diagnostics.neighbours.published import RecentRows, recent_rows
from proxy.diagnostics.neighbours.ring import SPAN, Ring
from proxy.diagnostics.neighbours.rows import MOST_FIELDS, ComparedRow, RowMaker, pace_of
from proxy.diagnostics.neighbours.second import LatestSecond
from proxy.diagnostics.neighbours.telling import Told, tell
from proxy.diagnostics.neighbours.usual import Saved
from proxy.diagnostics.neighbours.usual_times import UsualTimes
from proxy.diagnostics.neighbours.window import RouteWindow
from proxy.exchange import Exchange
from proxy.outcome import COMPLETED

MOST_WAITING: Final = 8192
"""Exchanges that wait for the thread; of more the oldest are not compared."""
MOST_BYTES: Final = 16 << 20
"""What waiting ones may take, before rows are made of them although there is no trouble."""
SAVED: Final = 60.0
"""Seconds between two times that what is usual is saved."""
EndedBatch = tuple[Sequence[Exchange], Mapping[int, Told], int]
"""What ended, who held what some of them were refused, by identity, and bytes that all take."""


class Desk:
    """`own` are the names of the team's own fields."""

    def __init__(self, own: tuple[str, ...], is_slow: Callable[[Exchange], bool]) -> None:
        self._usual = UsualTimes()
        self._saved_at = clock.now()
        self._is_slow = is_slow
        self._own = own[:MOST_FIELDS]
        self._maker = RowMaker(self._own)
        self._ring = Ring()
        self._culprits = Culprits(self._maker.own, self._ring)
        self._live, self._second = LiveWindows(), LatestSecond()
        self._waiting: deque[EndedBatch] = deque()
        self._is_wanted = False
        """Whether there is trouble among those that wait, or they take too much."""
        self._added = self._taken = self._bytes_added = self._bytes_taken = 0
        """Exchanges given to the thread, and bytes: counted by the loop, and by the thread."""
        self._lock = threading.Lock()

    def add(
        self, batch: Sequence[Exchange], held: Mapping[int, Told], size: int = 0, *,
        troubled: bool = True,
    ) -> None:  # fmt: skip
        """Have these, of `size` bytes, looked at, soon where one is bad or slow. For the loop."""
        self._usual.offer(batch)
        self._waiting.append((batch, held, size))
        self._added += len(batch)
        self._bytes_added += size
        if self._added - self._taken > MOST_WAITING:
            self._drop()
        if troubled or self._bytes_added - self._bytes_taken > MOST_BYTES:
            self._is_wanted = True

    def take(self, own: tuple[str, ...]) -> None:
        """Compare these fields of the team's own from now on. For the event loop as well."""
        self._own = own[:MOST_FIELDS]
        self._is_wanted = True

    def settle(self) -> None:
        """Look at all that wait, if there is trouble."""
        with self._lock:
            self._usual.settle()
            if self._is_wanted:
                self._settle()
            self._live.let_go(clock.now())

    def complete(self, x: Exchange) -> None:
        """Find out what happened around an exchange that has ended, if nobody has."""
        with self._lock:
            self._reach(x)
            if x.around is None:
                self._look(x)
            elif x.around.startswith(BRIEF):
                self._look(x, held_of(x.around))

    def finish(self, x: Exchange) -> None:
        """The same at a bounded price, for the store: one of very many names one of its like."""
        with self._lock:
            self._reach(x)
            if x.around is None:
                self._look(x)

    def recent(self, routes: Collection[str]) -> RecentRows:
        """Rows of routes that have trouble now, and of these others."""
        if routes or self._live.routes:
            self._is_wanted = True
        self.settle()
        with self._lock:
            return recent_rows(self._maker.fields, self._ring, routes, self._live.routes)

    def restore_usual(self, saved: Mapping[str, object]) -> None:
        """Go on from what was usual before the start."""
        with self._lock:
            self._usual.restore(saved)

    def save_usual(self) -> None:
        """Have it saved the next time, whenever that was last done."""
        self._saved_at = -inf

    def usual_to_save(self) -> dict[str, Saved] | None:
        """What is usual, if it is time to save it."""
        if clock.now() - self._saved_at < SAVED:
            return None
        self._saved_at = clock.now()
        with self._lock:
            return self._usual.saved()

    def _drop(self) -> None:
        """Nobody came for them in time: the oldest give way, and that is remembered."""
        try:
            batch, _, size = self._waiting.popleft()
        except IndexError:  # the thread was quicker
            return
        self._added -= len(batch)
        self._bytes_added -= size
        self._ring.lose(batch[-1].ended)

    def _begin_anew(self) -> None:
        """Rows have other fields from now on, and cannot be compared with those of before."""
        self._maker, self._ring = RowMaker(self._own), Ring()
        self._ring.lost_until = clock.now()
        self._culprits = Culprits(self._own, self._ring)
        self._live = LiveWindows()

    def _reach(self, x: Exchange) -> None:
        """Look at what waits, as far as something has to be said of this one."""
        self._usual.settle()
        if not self._is_as_usual(x):
            self._settle()

    def _is_as_usual(self, x: Exchange) -> bool:
        if x.outcome is not COMPLETED:
            return False
        slowness = self._usual.slowness(x.route, x.started_wall + x.duration)
        return (most := slowness.of(streamed=x.streamed)) is None or pace_of(x) <= most

    def _settle(self) -> None:
        self._is_wanted = False
        if self._own != self._maker.own:
            self._begin_anew()
        while self._waiting:
            try:
                batch, held, size = self._waiting.popleft()
            except IndexError:  # the loop has dropped it
                return
            self._taken += len(batch)
            self._bytes_taken += size
            for x in batch:
                self._take(x, self._maker.row(x), held.get(id(x)))

    def _take(self, x: Exchange, row: ComparedRow, held: Told | None) -> None:
        self._live.add(row, self._ring.add(row))
        if x.outcome is COMPLETED and not self._is_slow(x):
            return
        like = self._second.stands_for(row)
        if like is None:
            self._second.compared(x, row)
            self._write(x, self._window(x, row), row, held)
        else:
            x.around = brief(like, x.route, held)

    def _window(self, x: Exchange, row: ComparedRow) -> RouteWindow:
        """The counts of the row's route, the row being the newest."""
        window = self._live.of(row)
        if window is None:
            window = self._counted(x, row, self._ring.window(row.ended))
            self._live.begin(window, row.ended)
        return window

    def _counted(self, x: Exchange, row: ComparedRow, rows: Sequence[ComparedRow]) -> RouteWindow:
        slowness = self._usual.slowness(x.route, x.started_wall + x.duration)
        window = RouteWindow(row.route, self._maker.fields, slowness)
        window.count_all(each for each in rows if each is not row)
        window.add(row)
        return window

    def _look(self, x: Exchange, held: Told | None = None) -> None:
        """Of one that nobody has looked at: it was good, or it is asked for late."""
        if self._is_as_usual(x):
            self._write(x, None, None, None)
            return
        rows = self._ring.window(x.ended)
        row = next((r for r in reversed(rows) if r.request_id == x.request_id), None)
        if row is None and x.around is not None:  # its row has gone: what was kept is all there is
            return
        window = self._counted(x, row, rows) if row is not None else None
        self._write(x, window, row, held)

    def _write(
        self, x: Exchange, window: RouteWindow | None, row: ComparedRow | None, held: Told | None
    ) -> None:
        def dated(at: float) -> str:
            return clock.iso(x.started_wall + at - x.started)

        told: Told = {"usual": self._usual.of(x)}
        if window is not None and row is not None:
            at_least = self._ring.lost_until >= row.ended - SPAN
            told["neighbours"] = tell(
                window, row, dated, at_least=at_least, in_pairs=self._second.in_pairs,
                rows=self._ring.window(row.ended),
            )  # fmt: skip
            told["culprits"] = self._culprits.of(x, window, dated)
        if held:
            told["culprits"] = {**told_of(told.get("culprits")), "places": held}
        x.around = orjson.dumps({key: value for key, value in told.items() if value})
