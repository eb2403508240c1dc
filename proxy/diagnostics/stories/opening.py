"""Opens the store where one is wanted; its library is an extra, and slow to import."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.diagnostics.stories.rules import StoreRule
from proxy.exchange import Exchange
from proxy.observation.record import EmitEvent

if TYPE_CHECKING:
    from proxy.diagnostics.stories.store import Store


class StoreMissingError(Exception):
    """`store.path` is set, but the store's library is not installed."""


def open_store(
    rule: StoreRule, tell: EmitEvent, worker: int, complete: Callable[[Exchange], None]
) -> "Store | None":
    """None where no store is wanted. Raises StoreMissingError."""
    if rule.path is None:
        return None
    try:
        from proxy.diagnostics.stories.store import Store  # an extra, slow to import
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "sqlalchemy":
            raise
        raise StoreMissingError(
            "store.path is set, but the store needs SQLAlchemy, which is not installed; "
            "run pip install '.[store]' in its checkout, or set store.path to null"
        ) from None
    return Store(Path(rule.path), rule, tell, worker=worker, complete=complete)


def state_of(store: "Store | None") -> dict[str, object]:
    """How it is."""
    if store is None:
        return {"state": "off", "reason": None, "dropped": {}, "queued": 0}
    state = "ok" if store.failing is None else "failing"
    dropped = dict(store.dropped)
    return {"state": state, "reason": store.failing, "dropped": dropped, "queued": store.queued}
