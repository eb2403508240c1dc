"""What the store needs of a database, whichever it is."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Protocol

from proxy.diagnostics.alerts.fleet import FleetNews, ToldLedger
from proxy.diagnostics.errors.fleet import FleetGroups
from proxy.diagnostics.errors.groups import Group
from proxy.diagnostics.neighbours.published import RouteSlot
from proxy.diagnostics.neighbours.usual import Saved
from proxy.diagnostics.stories.missing import OldestStory
from proxy.diagnostics.stories.query import Query
from proxy.diagnostics.stories.rules import StoreRule
from proxy.diagnostics.stories.story import Story
from proxy.diagnostics.stories.writing import Row


class Database(Protocol):
    """Used by one thread; others only read its attributes. Raises STORE_ERRORS where it fails."""

    rule: StoreRule
    """How much it may hold, and for how long; another one may be assigned."""
    where: Mapping[str, str]
    """Names it in events, without a secret."""
    every: float
    """Most seconds between two calls of `keep_bounds`."""
    restored: list[Group] | None
    """What was saved before the start; None until it could be read."""
    usual: dict[str, object]
    """What was usual on each route before the start, as it was saved."""
    renewals: int
    """How often it was opened anew after that: it may have lost what it had."""
    fleet: FleetGroups | None
    """Groups of errors of other instances; None where there can be none."""

    news: deque[FleetNews]
    """Errors of others that are new; who takes them has them."""
    told: ToldLedger
    """What was delivered about alerts of all instances."""

    @property
    def is_leader(self) -> bool:
        """Whether this process, of all, tells of the others' errors."""

    def write(
        self, rows: Sequence[Row], groups: Sequence[Group], usual: Mapping[str, Saved]
    ) -> int:
        """All of it in one transaction, or nothing; how many rows the database refused for good.

        The same rows come again until it succeeds, and are kept once.
        """

    def keep_bounds(self) -> None:
        """Delete what is too old or too much, if it is time to look."""

    def let_go(self) -> None:
        """Close it; the next write opens it anew."""

    def failed(self, error: BaseException) -> str:
        """Let go, and mend what can be mended. Why it failed, without a value or a secret."""

    def is_suspect(self, error: BaseException, /) -> bool:
        """Whether it should be opened anew to know how it is."""


class StoryReader(Protocol):
    """Used by any thread. Raises STORE_ERRORS."""

    def find(self, *asked_for: str) -> list[Story]:
        """All stories under one of these IDs, newest first."""

    def beginning(self, starts: Sequence[str], most: int) -> set[str]:
        """Reference IDs of up to `most` stories with an ID that begins so."""

    def oldest(self) -> OldestStory | None:
        """None: nothing is stored."""

    def search(self, query: Query) -> list[Story]:
        """Summaries of what is asked for, newest first."""

    def slots(self, route: str, until: float, request_id: str, /) -> list[RouteSlot] | str:
        """What instances have published of a route, of the minute up to this wall time, or why
        there can be nothing; for the exchange of this ID."""

    def let_go(self) -> None:
        """Close it; who reads after that opens it anew."""
