"""Queries on the tables. Blocking: call it in a thread."""

import orjson
from sqlalchemy import Engine, Select, select

from proxy.diagnostics.stories.query import SAME_ID, Query, Wanted
from proxy.diagnostics.stories.story import Story, summary_of
from proxy.diagnostics.stories.tables import stories, story_fields, story_ids


class Reader:
    """Reads through connections of its own, which can change nothing. Raises SQLAlchemyError."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, request_id: str) -> list[Story]:
        """All stories under this ID, newest first."""
        forms = Wanted(request_id).forms
        own = select(stories.c.id).where(stories.c.request_id.in_(forms))
        others = select(story_ids.c.story_id).where(story_ids.c.value.in_(forms))
        asked = select(stories.c.body).where(stories.c.id.in_(own.union(others)))
        return self._bodies(asked.order_by(stories.c.id.desc()).limit(SAME_ID))

    def search(self, query: Query) -> list[Story]:
        """Summaries of what is asked for, newest first."""
        asked = _where(select(stories.c.body), query)
        asked = asked.order_by(stories.c.ended.desc()).limit(query.limit)
        return [summary_of(story) for story in self._bodies(asked)]

    def let_go(self) -> None:
        """Close what is open."""
        self._engine.dispose()

    def _bodies(self, asked: Select[str]) -> list[Story]:
        with self._engine.connect() as connection:
            found = (parsed(body) for body in connection.execute(asked).scalars())
            return [story for story in found if story is not None]


def parsed(body: str) -> Story | None:
    """None for what is no story of ours: one row costs no other."""
    try:
        story = orjson.loads(body)
    except ValueError:
        return None
    return story if isinstance(story, dict) else None


def _where(asked: Select[str], query: Query) -> Select[str]:
    column = stories.c
    wanted = ((column.code, query.code), (column.route, query.route), (column.status, query.status))
    for had, value in wanted:
        if value is not None:
            asked = asked.where(had == value)
    if query.since is not None:
        asked = asked.where(column.ended >= query.since)
    if query.until is not None:
        asked = asked.where(column.ended <= query.until)
    for name, value in query.fields.items():
        is_same = (story_fields.c.name == name) & (story_fields.c.value == value)
        asked = asked.where(column.id.in_(select(story_fields.c.story_id).where(is_same)))
    return asked
