"""Summaries counted by a value that they have, with how many there were when."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from proxy.clock import iso
from proxy.outcome import ERRORS

Brief = Mapping[str, object]

FIELD: Final = "field."
COLUMNS: Final[Mapping[str, str]] = {
    name: name
    for name in ("code", "route", "upstream", "endpoint", "method", "path", "status", "level",
                 "client_ip", "detail", "attempts", "instance")
} | {"agent": "user_agent"}  # fmt: skip
"""What may be counted, and where it stands in a summary; the team's own fields besides."""
MOST_COUNTED: Final = 2000
"""Summaries that are counted: the latest."""
MOST_GROUPS: Final = 50
SLOTS: Final = 12
_SAMPLES: Final = 3
_NONE: Final = "none"


def is_column(name: str) -> bool:
    """Whether summaries can be counted by it."""
    return name in COLUMNS or (name.startswith(FIELD) and len(name) > len(FIELD))


def grouped(summaries: Sequence[Brief], by: str) -> dict[str, object]:
    """Groups, the largest first, each with a count for every slot from `since` to `until`, and how
    many of these broke."""
    ends = [_ended(story) for story in summaries]
    since, until = min(ends, default=0.0), max(ends, default=0.0)
    parts: dict[str, list[Brief]] = {}
    for story in summaries:
        parts.setdefault(_value(story, by), []).append(story)
    ordered = sorted(parts.items(), key=lambda item: -len(item[1]))
    return {
        "by": by,
        "counted": len(summaries),
        "at_least": len(summaries) >= MOST_COUNTED,
        "since": iso(since),
        "until": iso(until),
        "slot_seconds": round((until - since) / SLOTS, 3),
        "groups": [_group(value, part, since, until) for value, part in ordered[:MOST_GROUPS]],
        "left_off": max(0, len(ordered) - MOST_GROUPS),
    }


def _group(value: str, part: Sequence[Brief], since: float, until: float) -> dict[str, object]:
    counts, broken = [0] * SLOTS, [0] * SLOTS
    for story in part:
        slot = _slot(_ended(story), since, until)
        counts[slot] += 1
        broken[slot] += story.get("level") in ERRORS
    return {
        "value": value,
        "count": len(part),
        "codes": dict(Counter(str(story.get("code")) for story in part).most_common(5)),
        "counts": counts,
        "broken": broken,
        "samples": [story["request_id"] for story in part[:_SAMPLES]],
    }


def _slot(ended: float, since: float, until: float) -> int:
    if until <= since:
        return SLOTS - 1
    return min(SLOTS - 1, int((ended - since) / (until - since) * SLOTS))


def _value(story: Brief, by: str) -> str:
    """Missing values count as a value."""
    if by.startswith(FIELD):
        fields = story.get("fields")
        found = fields.get(by.removeprefix(FIELD)) if isinstance(fields, Mapping) else None
    else:
        found = story.get(COLUMNS[by])
    if found is None:
        return _NONE
    return str(found).partition("?")[0] if by == "path" else str(found)


def _ended(story: Brief) -> float:
    ended = story.get("ended")
    return ended if isinstance(ended, float) else 0.0
