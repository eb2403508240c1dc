"""Where two stories part: fact by fact, in the order in which an exchange goes.

What was asked is compared as well, but two requests may differ in it and fare the same: they part
at the first step of the way in which something differs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from proxy.diagnostics.stories.words import lasting

JsonStory = Mapping[str, object]

ASKED: Final = "asked"
_ALIKE: Final = 2.0
_NOTHING: Final = 50.0
"""Lengths of time differ where one is twice the other and more than so many milliseconds apart."""

_OF_REQUEST: Final = ("method", "path", "host", "client_ip", "user_agent", "bytes_in")
_OF_ATTEMPT: Final = (
    "endpoint", "reused", "queue_ms", "connect_ms", "sent", "head_ms", "status", "result",
    "detail", "then", "why",
)  # fmt: skip
_OF_STREAM: Final = ("first_event_ms", "max_gap_ms", "silent_ms", "events", "end_marker", "told")
_OF_END: Final = ("code", "status", "detail", "duration_ms", "bytes_out")
_UNLIKE: Final = ("events", "bytes_out", "bytes_in")
"""Counts that differ between any two answers: told, but no place to part."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of both; None: there is none."""

    step: str
    name: str
    bad: object
    good: object
    differs: bool


@dataclass(frozen=True, slots=True)
class Parting:
    """All facts in their order, and the first step in which they differ; None: in none."""

    facts: tuple[Fact, ...]
    step: str | None

    def body(self) -> dict[str, object]:
        """As JSON."""
        return {
            "parts_at": self.step,
            "words": self.words(),
            "facts": [
                {"step": f.step, "fact": f.name, "bad": f.bad, "good": f.good, "differs": f.differs}
                for f in self.facts
            ],
        }

    def words(self) -> str:
        """Where they part, in a sentence."""
        if self.step is None:
            return "The two stories part nowhere: what was recorded is the same."
        here = [f for f in self.facts if f.step == self.step and f.differs]
        told = "; ".join(
            f"{f.name} {shown(f.name, f.bad)}, not {shown(f.name, f.good)}" for f in here
        )
        return f"The two stories part at {self.step}: {told}."


def part_stories(bad: JsonStory, good: JsonStory) -> Parting:
    """Compare them."""
    facts = tuple(_facts(bad, good))
    apart = (f.step for f in facts if f.differs and f.step != ASKED and f.name not in _UNLIKE)
    return Parting(facts, next(apart, None))


def shown(name: str, value: object) -> str:
    """A value for people."""
    if value is None:
        return "none"
    if name.endswith("_ms") and isinstance(value, int | float):
        return lasting(value / 1000)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _facts(bad: JsonStory, good: JsonStory) -> Iterator[Fact]:
    yield from _compared(ASKED, bad, good, _OF_REQUEST)
    own, others = _part(bad, "fields"), _part(good, "fields")
    yield from _compared(ASKED, own, others, tuple({**own, **others}))
    yield from _compared("route", _part(bad, "route"), _part(good, "route"), ("name", "why"))
    yield from _compared("guards", _guards(bad), _guards(good))
    yield from _compared("circuit", _part(bad, "breaker"), _part(good, "breaker"), ("before",))
    tries, other_tries = _list(bad, "attempts"), _list(good, "attempts")
    for n in range(max(len(tries), len(other_tries))):
        one, other = (each[n] if n < len(each) else {} for each in (tries, other_tries))
        yield from _compared(f"attempt {n + 1}", one, other, _OF_ATTEMPT)
    yield from _compared("stream", _part(bad, "stream"), _part(good, "stream"), _OF_STREAM)
    yield from _compared("end", bad, good, _OF_END)


def _compared(
    step: str, bad: JsonStory, good: JsonStory, names: tuple[str, ...] | None = None
) -> Iterator[Fact]:
    for name in names if names is not None else tuple({**bad, **good}):
        one, other = bad.get(name), good.get(name)
        if one is not None or other is not None:
            yield Fact(step, name, one, other, _differ(name, one, other))


def _differ(name: str, one: object, other: object) -> bool:
    if not name.endswith("_ms"):
        return one != other
    a, b = (each if isinstance(each, int | float) else 0.0 for each in (one, other))
    return abs(a - b) > _NOTHING and max(a, b) > _ALIKE * min(a, b)


def _guards(story: JsonStory) -> JsonStory:
    return {str(each.get("guard")): each.get("decision") for each in _list(story, "guards")}


def _part(story: JsonStory, key: str) -> JsonStory:
    value = story.get(key)
    return value if isinstance(value, Mapping) else {}


def _list(story: JsonStory, key: str) -> list[JsonStory]:
    value = story.get(key)
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
