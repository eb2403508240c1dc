"""Why no story is found under an ID, in a sentence or two. The ID itself is never repeated."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from proxy.clock import iso
from proxy.diagnostics.stories.asked_id import LEAST_BEGINNING, LONGEST_ID, forms_of

SHOWN: Final = 5
"""IDs that are named of those with the same beginning."""


@dataclass(frozen=True, slots=True)
class OldestStory:
    """The oldest one of a kind that is kept; `ended` is wall time in seconds."""

    request_id: str
    ended: float

    def __str__(self) -> str:
        return f"{self.request_id}, which ended at {iso(self.ended)}"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept at all."""

    oldest: OldestStory | None
    """None: nothing is."""
    oldest_success: OldestStory | None
    """Of those in memory that were neither failures nor slow; None: there is none."""
    sample: float | None
    """Share of those that is stored; None: there is no store."""
    is_failing: bool = False
    """Whether the store cannot be read."""


def why_missing(asked: str, alike: Sequence[str], kept: Kept) -> str:
    """`alike` are the IDs that begin as it does, where there is more than one."""
    if alike:
        more = " and more" if len(alike) > SHOWN else ""
        named = ", ".join(alike[:SHOWN])
        return f"Several IDs begin so: {named}{more}. Give more of it."
    if reason := _malformed(asked):
        return f"No story is kept under this ID: {reason}"
    reasons = ["No story is kept under this ID.", *_too_old(kept), *_not_sampled(kept)]
    if kept.is_failing:
        reasons.append("The store cannot be read at the moment: only memory was looked through.")
    return " ".join(reasons)


def _malformed(asked: str) -> str:
    bare = forms_of(asked)[-1]
    if len(asked) > LONGEST_ID:
        return f"it is no form of ID that is kept; none has more than {LONGEST_ID} characters."
    if len(bare) < LEAST_BEGINNING:
        least = f"the beginning of one needs {LEAST_BEGINNING} characters"
        return f"no ID is exactly that, and {least}."
    if not all(c.isprintable() for c in bare):
        return "it is no form of ID that is kept; none has control characters."
    return ""


def _too_old(kept: Kept) -> list[str]:
    if kept.oldest is None:
        return ["No story is kept at all: nothing has ended since the start."]
    return [f"The oldest story kept is {kept.oldest}; what ended before that is gone."]


def _not_sampled(kept: Kept) -> list[str]:
    if kept.sample is None:
        ends = "Stories are in memory only, and end with the process"
        said = [f"{ends}; store.path or store.url keeps them."]
    elif kept.sample < 1:
        share = f"{kept.sample * 100:g} of 100" if kept.sample else "none"
        said = [f"Of exchanges that went well {share} are stored (store.sample)."]
    else:
        return []
    if kept.oldest_success is not None and kept.oldest_success != kept.oldest:
        said.append(f"The oldest of those in memory is {kept.oldest_success}.")
    return said
