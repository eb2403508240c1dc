"""Looks stories up in memory and in the store, and says why there is none."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from proxy.diagnostics.neighbours.across import NOT_SHARED, no_comparison, told_across
from proxy.diagnostics.neighbours.published import RouteSlot
from proxy.diagnostics.stories.asked_id import beginnings_of, forms_of
from proxy.diagnostics.stories.found import FoundStories, StoreState, combined
from proxy.diagnostics.stories.missing import SHOWN, Kept, OldestStory, why_missing
from proxy.diagnostics.stories.query import SAME_ID, Query
from proxy.diagnostics.stories.recent import Recent
from proxy.diagnostics.stories.story import Story

if TYPE_CHECKING:  # SQLAlchemy is an extra, and slow to import where no store is wanted
    from proxy.diagnostics.stories.store import Store


COMPARED: Final = 3
"""Stories under one ID that are compared over all instances."""


class StoryLookup:
    """`sample` is the share of the successes that is stored."""

    def __init__(self, recent: Recent, store: "Store | None", sample: float) -> None:
        self._recent, self._store, self.sample = recent, store, sample

    async def story(self, asked: str, *, across: bool = False) -> FoundStories:
        """Every story under this ID; where there is none, those under what may be meant by it.

        `across` all instances it is said of the newest how their like did.
        """
        found = await self._meant(asked)
        for story in found.stories[:COMPARED] if across else ():
            story["all_instances"] = await asyncio.to_thread(self._compared, story)
        is_shared = self._store is not None and self._store.database.fleet is not None
        return replace(found, is_shared=is_shared)

    async def _meant(self, asked: str) -> FoundStories:
        exact, *others = forms_of(asked)
        found = await self._find(exact)
        if not found.stories and others:
            found = await self._find(*others)
        return found if found.stories else await self._guessed(asked, found.store)

    def _compared(self, story: Story) -> dict[str, object]:
        """Blocks."""
        route, ended = story.get("route"), story.get("ended")
        name = str(route["name"]) if isinstance(route, dict) else ""
        slots: list[RouteSlot] | str = NOT_SHARED
        if self._store is not None:
            until = ended if isinstance(ended, float) else 0.0
            slots = self._store.slots(name, until, str(story["request_id"]))
        return no_comparison(slots) if isinstance(slots, str) else told_across(story, slots)

    async def stories(self, query: Query) -> FoundStories:
        """Summaries of what is asked for."""
        recent = self._recent.search(query)
        if self._store is None:
            return FoundStories(recent, "off")
        stored = await asyncio.to_thread(self._store.search, query)
        return combined(recent, stored, query.limit)

    async def _find(self, *asked: str) -> FoundStories:
        records = self._recent.records(*asked)
        recent = await asyncio.to_thread(self._recent.told, records) if records else []
        if self._store is None:
            return FoundStories(recent, "off")
        stored = await asyncio.to_thread(self._store.find, *asked)
        return combined(recent, stored, SAME_ID)

    async def _guessed(self, asked: str, state: StoreState) -> FoundStories:
        """The one story with an ID that begins so, or why there is none."""
        starts, alike = beginnings_of(asked), set[str]()
        if starts:
            alike = self._recent.beginning(starts, SHOWN + 1)
            if self._store is not None:
                alike |= await asyncio.to_thread(self._store.beginning, starts, SHOWN + 1)
        if len(alike) == 1:
            return await self._find(*alike)
        kept = await self._kept(state)
        oldest = [one.request_id for one in (kept.oldest, kept.oldest_success) if one is not None]
        named = (*sorted(alike)[:SHOWN], *oldest)
        return FoundStories([], state, why_missing(asked, sorted(alike), kept), named)

    async def _kept(self, state: StoreState) -> Kept:
        recent, store = self._recent, self._store
        oldest = [recent.oldest_failure, recent.oldest_success]
        if store is not None:
            oldest.append(await asyncio.to_thread(store.oldest))
        known = [story for story in oldest if story is not None]
        return Kept(
            oldest=min(known, key=_ended, default=None),
            oldest_success=recent.oldest_success,
            sample=None if store is None else self.sample,
            is_failing=state == "failing",
        )


def _ended(story: OldestStory) -> float:
    return story.ended
