"""Queries on the tables on PostgreSQL, which may be far away or silent."""

from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from proxy import clock
from proxy.diagnostics.stories.postgres_link import engine_for_reading, is_gone
from proxy.diagnostics.stories.query import Query
from proxy.diagnostics.stories.reading import Reader
from proxy.diagnostics.stories.story import Story

AGAIN: Final = 2.0
"""Seconds for which a server that did not answer is not asked again."""

T = TypeVar("T")


class PostgresReader:
    """Raises STORE_ERRORS; at once where the server did not answer a moment ago."""

    def __init__(self, url: str) -> None:
        self._reader = Reader(engine_for_reading(url))
        self._again_at = 0.0

    def find(self, request_id: str) -> list[Story]:
        """All stories under this ID, of any instance, newest first."""
        return self._asked(lambda: self._reader.find(request_id.replace("\x00", "\ufffd")))

    def search(self, query: Query) -> list[Story]:
        """Summaries of what is asked for, of any instance, newest first."""
        return self._asked(lambda: self._reader.search(query))

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
