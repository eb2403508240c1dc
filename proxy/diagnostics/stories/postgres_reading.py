"""Queries on the tables on PostgreSQL, which may be far away or silent."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from proxy import clock
from proxy.diagnostics.neighbours.published import RouteSlot
from proxy.diagnostics.stories.missing import OldestStory
from proxy.diagnostics.stories.postgres_filters import search_inside
from proxy.diagnostics.stories.postgres_link import engine_for_reading, is_gone
from proxy.diagnostics.stories.postgres_neighbours import read_slots
from proxy.diagnostics.stories.postgres_tables import storable
from proxy.diagnostics.stories.query import Query
from proxy.diagnostics.stories.reading import Reader
from proxy.diagnostics.stories.story import Story

AGAIN: Final = 2.0
"""Seconds for which a server that did not answer is not asked again."""

T = TypeVar("T")


class PostgresReader:
    """Raises STORE_ERRORS; at once where the server did not answer a moment ago."""

    def __init__(self, url: str) -> None:
        self._engine = engine_for_reading(url)
        self._reader = Reader(self._engine)
        self._again_at = 0.0

    def find(self, *asked_for: str) -> list[Story]:
        """All stories under one of these IDs, of any instance, newest first."""
        forms = [storable(each) for each in asked_for]
        return self._asked(lambda: self._reader.find(*forms))

    def beginning(self, starts: Sequence[str], most: int) -> set[str]:
        """Reference IDs of up to `most` stories, of any instance, with an ID that begins so."""
        forms = [storable(each) for each in starts]
        return self._asked(lambda: self._reader.beginning(forms, most))

    def oldest(self) -> OldestStory | None:
        """Of any instance; None: nothing is stored."""
        return self._asked(self._reader.oldest)

    def search(self, query: Query) -> list[Story]:
        """Summaries of what is asked for, of any instance, newest first."""
        asked = _storable(query)
        if query.looks_inside:
            return self._asked(lambda: search_inside(self._engine, asked))
        return self._asked(lambda: self._reader.search(asked))

    def slots(self, route: str, until: float, request_id: str) -> list[RouteSlot]:
        """What instances have published of a route, of the minute up to this wall time."""
        return self._asked(lambda: read_slots(self._engine, storable(route), until, request_id))

    def let_go(self) -> None:
        """Close what is open."""
        self._reader.let_go()

    def _asked(self, ask: Callable[[], T]) -> T:
        if clock.now() < self._again_at:
            raise OSError("it did not answer a moment ago")
        try:
            return ask()
        except SQLAlchemyError as error:
            if is_gone(error):
                self._again_at = clock.now() + AGAIN
            raise


def _storable(query: Query) -> Query:
    """The same, as it can be asked of PostgreSQL."""

    def text(value: str | None) -> str | None:
        return None if value is None else storable(value)

    return replace(
        query,
        route=text(query.route),
        method=text(query.method),
        path=text(query.path),
        endpoint=text(query.endpoint),
        agent=text(query.agent),
        detail=text(query.detail),
        instance=text(query.instance),
        fields={storable(name): storable(value) for name, value in query.fields.items()},
    )
