"""Finds the two stories that are to be compared: by their IDs, or the nearest good one."""

from collections.abc import Mapping
from typing import Final, Protocol

from proxy.diagnostics.stories.found import FoundStories
from proxy.diagnostics.stories.parting import part_stories
from proxy.diagnostics.stories.query import Query
from proxy.diagnostics.stories.story import Story
from proxy.outcome import COMPLETED

NONE_GOOD: Final = "a good one of the same route"
"""What was looked for where no ID was given."""


class Finder(Protocol):
    """Finds stories."""

    async def story(self, request_id: str) -> FoundStories: ...
    async def stories(self, query: Query) -> FoundStories: ...


async def parted(finder: Finder, request_id: str, good: str | None) -> dict[str, object] | str:
    """Where the newest story of this ID parts from a good one, as JSON.

    The ID, or what was looked for, where there is no story of it.
    """
    bad = await _newest(finder, request_id)
    if bad is None:
        return request_id
    other = await (_newest(finder, good) if good else _nearest(finder, bad))
    if other is None:
        return good or NONE_GOOD
    ids = {"bad": bad["request_id"], "good": other["request_id"], "proposed": good is None}
    return {**ids, **part_stories(bad, other).body()}


async def _newest(finder: Finder, request_id: str) -> Story | None:
    found = await finder.story(request_id)
    return found.stories[0] if found.stories else None


async def _nearest(finder: Finder, bad: Story) -> Story | None:
    """The one its neighbours name, or else the latest of its route that is kept."""
    neighbours = bad.get("neighbours")
    named = neighbours.get("nearest_good") if isinstance(neighbours, Mapping) else None
    if isinstance(named, str) and (story := await _newest(finder, named)):
        return story
    route, ended = bad.get("route"), bad.get("ended")
    name = route.get("name") if isinstance(route, Mapping) else None
    until = ended if isinstance(ended, float) else None
    query = Query(code=COMPLETED.code, route=name, until=until, limit=1)
    for summary in (await finder.stories(query)).stories:
        return await _newest(finder, str(summary["request_id"]))
    return None
