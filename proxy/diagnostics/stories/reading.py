"""Queries on the tables. Blocking: call it in a thread."""

from collections.abc import Sequence
from itertools import islice
from typing import Final

import orjson
from sqlalchemy import Column, ColumnElement, Engine, Select, or_, select

from proxy.diagnostics.neighbours.across import NOT_SHARED
from proxy.diagnostics.stories.missing import OldestStory
from proxy.diagnostics.stories.query import SAME_ID, Query, Wanted
from proxy.diagnostics.stories.story import Story, summary_of
from proxy.diagnostics.stories.tables import stories, story_fields, story_ids

MOST_READ: Final = 20_000
"""Stories that are read for one question about what stands within them."""
CHUNK: Final = 200
"""Stories that are read at once."""
MOST_ALIKE: Final = 1000
"""Stories that are read for the beginning of an ID."""
_LAST: Final = "\U0010ffff"
"""Nothing sorts behind it."""


class Reader:
    """Reads through connections of its own, which can change nothing. Raises SQLAlchemyError."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, *asked_for: str) -> list[Story]:
        """All stories under one of these IDs, newest first."""
        forms = Wanted(*asked_for).forms
        own = select(stories.c.id).where(stories.c.request_id.in_(forms))
        others = select(story_ids.c.story_id).where(story_ids.c.value.in_(forms))
        asked = select(stories.c.body).where(stories.c.id.in_(own.union(others)))
        return self._bodies(asked.order_by(stories.c.id.desc()).limit(SAME_ID))

    def beginning(self, starts: Sequence[str], most: int) -> set[str]:
        """Reference IDs of up to `most` stories with an ID that begins so, of the first ones."""
        column, other = stories.c.request_id, story_ids.c.value
        begins = _begins if self._engine.dialect.name == "sqlite" else _begins_in_any_order
        own = select(column).where(or_(*(begins(column, s) for s in starts))).limit(MOST_ALIKE)
        others = select(story_ids.c.story_id).where(or_(*(begins(other, s) for s in starts)))
        led_to = select(column).where(stories.c.id.in_(others.limit(MOST_ALIKE)))
        with self._engine.connect() as connection:
            found = {*connection.scalars(own), *connection.scalars(led_to)}
        return set(sorted(found)[:most])

    def oldest(self) -> OldestStory | None:
        """None: nothing is stored."""
        asked = select(stories.c.request_id, stories.c.ended).order_by(stories.c.ended).limit(1)
        with self._engine.connect() as connection:
            row = connection.execute(asked).first()
        return None if row is None else OldestStory(row[0], row[1])

    def search(self, query: Query) -> list[Story]:
        """Summaries of what is asked for, newest first."""
        asked = conditions(select(stories.c.body), query)
        asked = asked.order_by(stories.c.ended.desc())
        if not query.looks_inside:
            return [summary_of(story) for story in self._bodies(asked.limit(query.limit))]
        with self._engine.connect() as connection:
            bodies = connection.execute(asked.limit(MOST_READ)).scalars().yield_per(CHUNK)
            read = (parsed(body) for body in bodies)
            fitting = (s for s in read if s is not None and query.takes_story(s))
            return [summary_of(story) for story in islice(fitting, query.limit)]

    def slots(self, *_: object) -> str:
        """Why there are none: one process writes to it, and knows its own."""
        return NOT_SHARED

    def let_go(self) -> None:
        """Close what is open."""
        self._engine.dispose()

    def _bodies(self, asked: Select[str]) -> list[Story]:
        with self._engine.connect() as connection:
            found = (parsed(body) for body in connection.execute(asked).scalars())
            return [story for story in found if story is not None]


def _begins(column: Column[str], start: str) -> ColumnElement[bool]:
    """A range, which an index can answer; LIKE cannot."""
    return (column >= start) & (column < start + _LAST)


def _begins_in_any_order(column: Column[str], start: str) -> ColumnElement[bool]:
    """The same where texts sort by the rules of a language, in which no range means that: an index
    of PostgreSQL's by characters answers it."""
    return column.startswith(start, autoescape=True)


def parsed(body: str) -> Story | None:
    """None for what is no story of ours: one row costs no other."""
    try:
        story = orjson.loads(body)
    except ValueError:
        return None
    return story if isinstance(story, dict) else None


def conditions(asked: Select[str], query: Query) -> Select[str]:
    """What columns and fields can say of a query."""
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
