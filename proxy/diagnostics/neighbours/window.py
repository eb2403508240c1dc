"""Counts over the rows of one route: how often each value came, and how often with each kind.

It moves on with the rows, so that many bad exchanges in a row cost one count and not one each.
"""

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, TypeVar

from proxy.diagnostics.neighbours.ring import SPAN
from proxy.diagnostics.neighbours.rows import ComparedRow

SLOW: Final = "slow"
"""The kind of an exchange that was completed, but slower than nine of ten of its route."""

_NAMES_ITEM: Final = re.compile(r"[^/]*[0-9][^/]*|[^/]{16,}")

Value = str | None
Key = TypeVar("Key")
CountedRow = tuple[ComparedRow, str, tuple[Value, ...]]
"""A row with its kind, and its values with the item."""


@lru_cache(maxsize=4096)
def item_of(path: str | None) -> str | None:
    """The last part of a path that looks like the name of one thing: with a digit, or long."""
    names = _NAMES_ITEM.findall(path or "")
    return names[-1] if names else None


class Slowness:
    """Above how many seconds an exchange counts as slow; None: nobody knows yet."""

    __slots__ = ("first_event", "whole")

    def __init__(self, whole: float | None = None, first_event: float | None = None) -> None:
        self.whole, self.first_event = whole, first_event

    def of(self, *, streamed: bool) -> float | None:
        """For streams their first event counts, else the whole."""
        return self.first_event if streamed else self.whole


class OtherRoutes:
    """How the other routes of an upstream did: how many ended alike, of how many."""

    __slots__ = ("alike", "names", "total")

    def __init__(self) -> None:
        self.alike = self.total = 0
        self.names: set[str] = set()


class RouteWindow:
    """The rows of one route within SPAN up to the newest, as far as the ring still has them.

    `fields` are those of the rows; the item in the path is counted as one more.
    """

    def __init__(self, route: str, fields: tuple[str, ...], slowness: Slowness) -> None:
        self.route = route
        self.fields = (*fields, "item")
        self.slowness = slowness
        self.rows: deque[CountedRow] = deque()
        """Each with its kind and its values."""
        self.totals: list[Counter[Value]] = [Counter() for _ in self.fields]
        self.alike: dict[str, list[Counter[Value]]] = {}
        """By kind; those of good ones are not counted."""
        self.kinds: Counter[str] = Counter()
        self._begun: dict[str, deque[tuple[float, int]]] = {}
        """The ends and numbers of all rows of a kind."""
        self._number = 0

    def count_all(self, rows: Iterable[ComparedRow]) -> None:
        """Begin with these, in the order of their ends: counted by columns, which is quicker."""
        for row in rows:
            if row.route == self.route:
                kind = self.kind_of(row)
                self._number += 1
                self.rows.append((row, kind, (*row.values, item_of(row.values[0]))))
                if kind:
                    self._begun.setdefault(kind, deque()).append((row.ended, self._number))
        self.kinds = Counter([kind for _, kind, _ in self.rows])
        if self.rows:
            self.totals = _by_column([values for _, _, values in self.rows])
        for kind in self._begun:
            self.alike[kind] = _by_column([v for _, had, v in self.rows if had == kind])

    def add(self, row: ComparedRow) -> None:
        """Count it: one of the route."""
        kind, values = self.kind_of(row), (*row.values, item_of(row.values[0]))
        self.rows.append((row, kind, values))
        self.kinds[kind] += 1
        self._number += 1
        if kind:
            self._begun.setdefault(kind, deque()).append((row.ended, self._number))
        for counter, value in zip(self.totals, values, strict=True):
            counter[value] += 1
        if kind:
            for counter, value in zip(self._counters(kind), values, strict=True):
                counter[value] += 1

    def expire(self, until: float) -> None:
        """Forget what ended more than SPAN before `until`."""
        since = until - SPAN
        while self.rows and self.rows[0][0].ended < since:
            self._forget(*self.rows.popleft()[1:])

    def lose(self, row: ComparedRow) -> None:
        """Forget it, which the ring has no more room for: its oldest one."""
        if self.rows and self.rows[0][0] is row:
            self._forget(*self.rows.popleft()[1:])

    def newest_first(self) -> Iterator[ComparedRow]:
        """The rows of the route."""
        return (row for row, _, _ in reversed(self.rows))

    def first_of(self, kind: str) -> tuple[float, int]:
        """When the first of this kind ended, and how many rows lie before it."""
        ended, number = self._begun[kind][0]
        return ended, number - 1 - (self._number - len(self.rows))

    def elsewhere(self, rows: Iterable[ComparedRow], upstream: str, kind: str) -> OtherRoutes:
        """Of `rows` those of other routes of this upstream, and which of them had this kind."""
        found = OtherRoutes()
        for row in rows:
            if upstream and row.upstream == upstream and row.route != self.route:
                found.total += 1
                found.names.add(row.route)
                if self.kind_of(row) == kind:
                    found.alike += 1
        return found

    def kind_of(self, row: ComparedRow) -> str:
        """How it ended; empty where it was good."""
        if row.kind:
            return row.kind
        most = self.slowness.of(streamed=row.streamed)
        return SLOW if most is not None and row.pace > most else ""

    def _counters(self, kind: str) -> list[Counter[Value]]:
        counters = self.alike.get(kind)
        if counters is None:
            counters = self.alike[kind] = [Counter() for _ in self.fields]
        return counters

    def _forget(self, kind: str, values: tuple[Value, ...]) -> None:
        _take(self.kinds, kind)
        for counter, value in zip(self.totals, values, strict=True):
            _take(counter, value)
        if kind:
            self._begun[kind].popleft()
            for counter, value in zip(self.alike[kind], values, strict=True):
                _take(counter, value)
            if kind not in self.kinds:
                del self.alike[kind], self._begun[kind]


def _by_column(rows: list[tuple[Value, ...]]) -> list[Counter[Value]]:
    """How often each value came, by field."""
    return [Counter(column) for column in zip(*rows, strict=True)]


def _take(counter: Counter[Key], key: Key) -> None:
    """One less; what is at nothing is not kept."""
    if counter[key] <= 1:
        del counter[key]
    else:
        counter[key] -= 1
