"""Opens the store where one is wanted; its libraries are extras, and slow to import."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from proxy.diagnostics.alerts.fleet import AlertKey, Fleet, ToldAlert
from proxy.diagnostics.errors.fleet import FleetGroups
from proxy.diagnostics.neighbours.published import RecentRows, RowSource
from proxy.diagnostics.stories.rules import StoreRule
from proxy.exchange import Exchange
from proxy.observation.record import EmitEvent

if TYPE_CHECKING:
    from proxy.diagnostics.stories.backend import Database, StoryReader
    from proxy.diagnostics.stories.store import Store

_MISSING: Final = (
    "store.{key} is set, but the store needs {library}, which is not installed; "
    "run pip install '.[{extra}]' in its checkout, or set store.{key} to null"
)
_LIBRARIES: Final = {
    "sqlalchemy": ("SQLAlchemy", "store"),
    "psycopg": ("psycopg", "postgres"),
    "psycopg_binary": ("psycopg", "postgres"),
}
"""What is imported, what it is called, and the extra that brings it."""


class StoreMissingError(Exception):
    """A store is wanted, but its library is not installed."""


class RowsOfInstance(Protocol):
    """What an instance knows of its latest exchanges."""

    def finish(self, x: Exchange, /) -> None:
        """Find out what happened around it, if nobody has."""

    def recent(self, routes: Collection[str], /) -> RecentRows:
        """Rows of routes that have trouble, and of these others."""


def open_store(
    rule: StoreRule,
    tell: EmitEvent,
    worker: int,
    desk: RowsOfInstance,
    instance: str = "",
) -> "Store | None":
    """None where no store is wanted. Raises StoreMissingError."""
    if rule.path is None and rule.url is None:
        return None
    try:
        from proxy.diagnostics.stories.store import Store  # an extra, slow to import

        database, reader = _backend(rule, instance, desk.recent)
    except ImportError as error:
        library = (error.name or "").partition(".")[0]
        if library not in _LIBRARIES:
            raise
        name, extra = _LIBRARIES[library]
        extra = extra if rule.url is None else "postgres"
        key = "path" if rule.url is None else "url"
        raise StoreMissingError(_MISSING.format(key=key, library=name, extra=extra)) from None
    return Store(
        database, reader, rule, tell, worker=worker, instance=instance, complete=desk.finish
    )


def others_of(store: "Store | None") -> FleetGroups | None:
    """Errors of other instances; None where there can be none."""
    return store.database.fleet if store is not None else None


def standing(store: "Store | None", instance: str) -> Fleet | None:
    """How this instance stands among the others; None where it cannot see any."""
    if store is None or store.database.fleet is None or store.failing is not None:
        return None
    database, told = store.database, store.database.told

    def mark(key: AlertKey, alert: ToldAlert) -> None:
        told.mark(key, alert)
        store.put(())  # wakes its thread

    def look() -> None:
        told.is_asked = True
        store.put(())

    seen_at = told.seen_at  # before what was seen: that may be newer, never older
    return Fleet(instance, database.is_leader, database.news, seen_at, told.seen, look, mark)


def _backend(rule: StoreRule, instance: str, recent: RowSource) -> "tuple[Database, StoryReader]":
    if rule.url is not None:
        from proxy.diagnostics.stories.postgres_database import PostgresDatabase
        from proxy.diagnostics.stories.postgres_reading import PostgresReader

        url = rule.url.get_secret_value()
        return PostgresDatabase(url, rule, instance, recent), PostgresReader(url)
    from proxy.diagnostics.stories.database import StoryDatabase
    from proxy.diagnostics.stories.files import open_for_reading
    from proxy.diagnostics.stories.reading import Reader

    path = Path(rule.path or "")
    return StoryDatabase(path, rule), Reader(open_for_reading(path))


def state_of(store: "Store | None") -> dict[str, object]:
    """How it is."""
    if store is None:
        return {"state": "off", "reason": None, "dropped": {}, "queued": 0}
    state = "ok" if store.failing is None else "failing"
    dropped = dict(store.dropped)
    return {"state": state, "reason": store.failing, "dropped": dropped, "queued": store.queued}
