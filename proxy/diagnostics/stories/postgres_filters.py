"""Columns beside a story's body by which PostgreSQL finds what stands within it.

Stories that an older Sidelight has written lack them, and are read as before.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    MetaData,
    Select,
    Text,
    collate,
    column,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.schema import Column

from proxy.diagnostics.stories.query import Query
from proxy.diagnostics.stories.reading import MOST_READ, conditions, parsed
from proxy.diagnostics.stories.story import Story, summary_of
from proxy.diagnostics.stories.tables import stories

LONGEST: Final = 512
"""Characters of a text that are kept: an entry of an index has 2700 bytes at most."""
MOST_TEXTS: Final = 1000
"""Different agents, or details, that are looked through for a part; of more every story's is."""
MORE: Final = 100
"""Stories that are read at first beyond those that are wanted: some may not be what is asked."""

filtered_stories = stories.to_metadata(MetaData())
for _name in ("method", "path", "agent", "detail", "instance"):
    filtered_stories.append_column(Column(_name, Text))
filtered_stories.append_column(Column("endpoints", ARRAY(Text)))

_COLUMNS: Final = (
    "method text", "path text", "agent text", "detail text", "endpoints text[]", "instance text",
)  # fmt: skip
_INDEXES: Final = (
    "ix_stories_method_ended ON stories (method, ended)",
    "ix_stories_path_ended ON stories (path text_pattern_ops, ended)",
    "ix_stories_agent_ended ON stories (agent, ended)",
    "ix_stories_detail_ended ON stories (detail, ended)",
    "ix_stories_instance_ended ON stories (instance, ended)",
    "ix_stories_endpoints ON stories USING gin (endpoints)",
    "ix_stories_request_id_begins ON stories (request_id text_pattern_ops)",
    "ix_story_ids_begins ON story_ids (value text_pattern_ops, story_id)",
)
STATEMENTS: Final = (
    *(f"ALTER TABLE stories ADD COLUMN IF NOT EXISTS {each}" for each in _COLUMNS),
    *(f"CREATE INDEX IF NOT EXISTS {each}" for each in _INDEXES),
)
"""A step of the schema that brings those that are missing, and may be made again.

Indexes for texts that begin so: in the order of a language no range of an index means that."""

_ANYTHING: Final = "%"
_AS_IT_IS: Final = {"%": r"\%", "_": r"\_", "\\": r"\\"}
"""Signs that mean something in a pattern."""

_METHOD, _PATH = column("method", Text), column("path", Text)
_INSTANCE = column("instance", Text)
"""The column that came last: null where not all are filled."""
_ENDPOINTS = column("endpoints", ARRAY(Text))
_DIFFERENT: Final = """WITH RECURSIVE had AS (
(SELECT {name} AS value FROM stories WHERE {name} IS NOT NULL ORDER BY {name} LIMIT 1)
UNION ALL
SELECT (SELECT {name} FROM stories WHERE {name} > had.value ORDER BY {name} LIMIT 1)
FROM had WHERE had.value IS NOT NULL)
SELECT value FROM had WHERE value IS NOT NULL LIMIT {most}"""
"""Each text once, with one step into the index for each."""


def filters_of(story: Story) -> dict[str, object]:
    """The columns of a story; never null, which says that an older Sidelight has written it."""
    attempts = story.get("attempts")
    tried = attempts if isinstance(attempts, list) else []
    endpoints = {str(each["endpoint"]) for each in tried if each.get("endpoint")}
    return {
        "method": _short(story.get("method")),
        "path": _short(story.get("path")).partition("?")[0],
        "agent": _short(story.get("user_agent")),
        "detail": _short(story.get("detail")),
        "endpoints": sorted(endpoints),
        "instance": _short(story.get("instance")),
    }


def search_inside(engine: Engine, query: Query) -> list[Story]:
    """Summaries of what is asked for, newest first, where something within stories is asked."""
    with engine.connect() as connection:
        asked = conditions(select(stories.c.body), query)
        for condition in _conditions(connection, query):
            asked = asked.where(or_(condition, _INSTANCE.is_(None)))
        asked = asked.order_by(stories.c.ended.desc())
        first = query.limit + MORE
        found, read = _read(connection, asked.limit(first), query)
        if len(found) < query.limit and read == first:
            found, _ = _read(connection, asked.limit(MOST_READ), query)
    return found


def _read(connection: Connection, asked: Select[str], query: Query) -> tuple[list[Story], int]:
    """What is asked for, and how many stories were read for it."""
    bodies: Sequence[str] = connection.execute(asked).scalars().all()
    told = (parsed(body) for body in bodies)
    fitting = [summary_of(s) for s in told if s is not None and query.takes_story(s)]
    return fitting[: query.limit], len(bodies)


def _conditions(connection: Connection, query: Query) -> list[ColumnElement[bool]]:
    """What can be said by the columns; all that is found is looked into as well."""
    wanted: list[ColumnElement[bool]] = []
    if query.method is not None:
        wanted.append(_METHOD == _short(query.method))
    if query.path is not None:
        wanted.append(_path(query.path))
    if query.instance is not None:
        wanted.append(_INSTANCE == _short(query.instance))
    if query.endpoint is not None:
        wanted.append(_ENDPOINTS.contains([query.endpoint]))
    for name, part in (("agent", query.agent), ("detail", query.detail)):
        if part is not None:
            texts = _texts_with(connection, name, part)
            kept = column(name, Text)
            wanted.append(kept.in_(texts) if texts is not None else _has_part(kept, part))
    return wanted


def _path(wanted: str) -> ColumnElement[bool]:
    start, mark, _ = wanted.removesuffix("*").partition("?")
    if wanted.endswith("*") and not mark:
        return _PATH.startswith(_short(start), autoescape=True)
    return _PATH == _short(start)


def _has_part(kept: ColumnElement[str], part: str) -> ColumnElement[bool]:
    """Whether a text may have this part: what is not ASCII, whose capitals each language has its
    own rules for, may be anything."""
    pattern = "".join(_ANYTHING if not c.isascii() else _AS_IT_IS.get(c, c) for c in part.lower())
    lower = func.lower(collate(kept, "C"))
    return or_(lower.like(f"%{pattern}%"), func.length(kept) == LONGEST)


def _texts_with(connection: Connection, name: str, part: str) -> list[str] | None:
    """Those that may have this part; None where there are too many different ones."""
    asked = text(_DIFFERENT.format(name=name, most=MOST_TEXTS + 1))
    texts = list(connection.execute(asked).scalars())
    if len(texts) > MOST_TEXTS:
        return None
    return [each for each in texts if part.lower() in each.lower() or len(each) == LONGEST]


def _short(value: object) -> str:
    return str(value or "")[:LONGEST]
