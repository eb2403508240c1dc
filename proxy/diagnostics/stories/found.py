"""Stories of two sources as one answer: those in memory, and those in the store."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from proxy.diagnostics.stories.story import Story

StoreState = Literal["off", "ok", "failing"]


@dataclass(frozen=True, slots=True)
class FoundStories:
    """Stories, newest first; `store` is failing where they are those in memory only."""

    stories: list[Story]
    store: StoreState
    why: str = ""
    """Why there is none under an ID; empty where there is one, or where none was asked for."""
    named: tuple[str, ...] = ()
    """IDs of stories that `why` names."""
    is_shared: bool = False
    """Whether other instances have the same store."""


def combined(recent: list[Story], stored: Sequence[Story] | None, limit: int) -> FoundStories:
    """Both without duplicates, newest first; `stored` is None where the store cannot be read."""
    known = Counter(map(_key, recent))
    older = []
    for story in stored or ():
        if known[_key(story)] > 0:
            known[_key(story)] -= 1
        else:
            older.append(story)
    found = sorted([*recent, *older], key=_ended, reverse=True)[:limit]
    return FoundStories(found, "ok" if stored is not None else "failing")


def _key(story: Story) -> tuple[object, ...]:
    """Equal for two copies of one story; several stories may share an ID and a millisecond."""
    return story["request_id"], story["ended"], story["duration_ms"], story.get("path")


def _ended(story: Story) -> float:
    ended = story["ended"]
    return ended if isinstance(ended, float) else 0.0
