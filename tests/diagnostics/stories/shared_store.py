"""Stores of several instances on one server, and what they said."""

import time

from proxy.diagnostics.stories.postgres_database import PostgresDatabase
from proxy.diagnostics.stories.postgres_reading import PostgresReader
from proxy.diagnostics.stories.rules import StoreRule
from proxy.diagnostics.stories.store import Store

WAIT = 60.0
AGES = 1e10
"""The exchanges of these tests ended long ago."""


def rule_of(url: str, **knobs: object) -> StoreRule:
    return StoreRule.model_validate({"url": url, "age": AGES, **knobs})


class Instances:
    """Stores that are closed at the end; they try again at once."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.said: list[tuple[str, dict]] = []
        self._stores: list[Store] = []

    def open(self, name: str = "pod-1", *, start: bool = True, **knobs: object) -> Store:
        rule = rule_of(self.url, **knobs)
        database = PostgresDatabase(self.url, rule, name)
        database.every = 0.05
        store = Store(
            database, PostgresReader(self.url), rule, self._hear, instance=name, linger=0.0,
            pauses=(0.05,),
        )  # fmt: skip
        self._stores.append(store)
        if start:
            store.start()
        return store

    def _hear(self, event, _level, fields) -> None:
        self.said.append((event, dict(fields)))

    @property
    def events(self) -> list[str]:
        return [event for event, _ in self.said]

    def close(self) -> None:
        for store in self._stores:
            store.close(WAIT)


def until(is_so) -> None:
    """Wait for another thread or process."""
    end = time.monotonic() + WAIT
    while not is_so():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
