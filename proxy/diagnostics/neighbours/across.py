"""Compares a bad exchange with those of all instances, by the rows that they have published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from proxy.clock import iso
from proxy.diagnostics.neighbours.published import RouteSlot
from proxy.diagnostics.neighbours.ring import SPAN
from proxy.diagnostics.neighbours.rows import FIELDS, ComparedRow
from proxy.diagnostics.neighbours.telling import Told, tell, verb
from proxy.diagnostics.neighbours.window import SLOW, RouteWindow, Slowness, Value
from proxy.diagnostics.stories.words import count

INSTANCE: Final = "instance"
NOT_SHARED: Final = "only instances that share a PostgreSQL (store.url) know of each other"
UNREADABLE: Final = "the store cannot be read at the moment"
NOT_BAD: Final = "it ended well, and not slower than nine of ten: there is nothing to compare"
NOT_THERE: Final = (
    "no instance has published what ended in that minute: that takes some seconds, "
    "and is kept for a day"
)

_Row = tuple[ComparedRow, str, float]
"""With its instance, and for how many it stands."""


def no_comparison(why: str) -> Told:
    """Why there is none."""
    return {"words": [why]}


def told_across(story: Mapping[str, object], slots: Sequence[RouteSlot]) -> Told:
    """How its like did on all instances, in the minute up to its end, as JSON."""
    known = _part(story, "neighbours")
    if not known:
        return no_comparison(NOT_BAD)
    ended = story.get("ended")
    until = ended if isinstance(ended, float) else 0.0
    fields = (*FIELDS, *_own(slots), INSTANCE)
    slowness = _slowness(known)
    rows = _rows(slots, fields, until)
    asked = _asked(rows, str(story.get("request_id")), slowness, known)
    if asked is None:
        return no_comparison(NOT_THERE)
    return _Comparison(fields, slowness, rows, asked, slots).told(str(story.get("request_id")))


@dataclass(slots=True)
class _Comparison:
    fields: tuple[str, ...]
    slowness: Slowness
    rows: list[_Row]
    asked: ComparedRow
    slots: Sequence[RouteSlot]
    window: RouteWindow = field(init=False)

    def __post_init__(self) -> None:
        self.window = RouteWindow(self.asked.route, self.fields, self.slowness)
        self.window.count_all(row for row, _, _ in self.rows if row is not self.asked)
        self.window.add(self.asked)

    def told(self, request_id: str) -> Told:
        kind = self.window.kind_of(self.asked)
        at_least = any(slot.at_least for slot in self.slots)
        found = tell(self.window, self.asked, iso, at_least=at_least) or {}
        instances = self._instances(kind)
        alike = sum(each["alike"] for each in instances.values())
        everyone = sum(each["all"] for each in instances.values())
        words = found.get("words")
        rest = words[1:] if isinstance(words, list) else []
        told = found | {"alike": alike, "all": everyone, "instances": instances}
        told["words"] = [self._summary(kind, instances, alike, everyone), *self._kept(everyone)]
        told["words"] += rest  # type: ignore[operator]
        if self.asked.request_id != request_id:
            told["see"] = self.asked.request_id
            told["words"] += [f"so many ended so that this one is not kept: told of {told['see']}"]  # type: ignore[operator]
        return told

    def _instances(self, kind: str) -> dict[str, dict[str, int]]:
        """By name: how many ended alike, and how many there were."""
        alike: dict[str, float] = {}
        everyone: dict[str, float] = {}
        for row, instance, weight in self.rows:
            everyone[instance] = everyone.get(instance, 0.0) + weight
            is_alike = self.window.kind_of(row) == kind
            alike[instance] = alike.get(instance, 0.0) + weight * is_alike
        return {
            name: {"alike": round(alike[name]), "all": round(everyone[name])}
            for name in sorted(everyone)
        }

    def _summary(
        self, kind: str, instances: Mapping[str, Mapping[str, int]], alike: int, everyone: int
    ) -> str:
        named = ", ".join(f"{n} {each['alike']} of {each['all']}" for n, each in instances.items())
        more = "at least " if any(slot.at_least for slot in self.slots) else ""
        return (
            f"on {count(len(instances), INSTANCE)}: {more}{alike} of {everyone} on the route "
            f"{self.asked.route} {verb(kind)} in the minute up to its end: {named}"
        )

    def _kept(self, everyone: int) -> list[str]:
        """What the counts below are of, where it is not all."""
        if len(self.rows) >= everyone:
            return []
        return [f"of these {len(self.rows)}, chosen at random, are compared:"]


def _rows(slots: Sequence[RouteSlot], fields: tuple[str, ...], until: float) -> list[_Row]:
    """Those that ended within SPAN up to then, oldest first, with all fields."""
    found: list[_Row] = []
    for slot in slots:
        kept: dict[str, int] = {}
        for row, _ in slot.rows:
            kept[row.kind] = kept.get(row.kind, 0) + 1
        for row, had in slot.rows:
            # what a story says of its end is rounded to milliseconds, as is what is published
            if until - SPAN <= row.ended <= until + 0.0005:
                values = [had.get(name) for name in fields[:-1]]
                row.values = (*values, slot.instance or None)
                weight = slot.counts.get(row.kind, 0) / kept[row.kind]
                found.append((row, slot.instance, max(1.0, weight)))
    found.sort(key=lambda each: each[0].ended)
    return found


def _asked(
    rows: Sequence[_Row], request_id: str, slowness: Slowness, known: Mapping[str, object]
) -> ComparedRow | None:
    """The row of the story; where it was not kept, the latest that ended as it did."""
    for row, _, _ in reversed(rows):
        if row.request_id == request_id and _kind(row, slowness):
            return row
    for row, _, _ in reversed(rows):
        if known.get("kind") in (None, _kind(row, slowness)) and _kind(row, slowness):
            return row
    return None


def _kind(row: ComparedRow, slowness: Slowness) -> str:
    if row.kind:
        return row.kind
    most = slowness.of(streamed=row.streamed)
    return SLOW if most is not None and row.pace > most else ""


def _slowness(known: Mapping[str, object]) -> Slowness:
    """As it was for the story: that of its own instance."""
    above = known.get("slow_above_ms")
    seconds = above / 1000 if isinstance(above, int | float) else None
    return Slowness(seconds, seconds)


def _own(slots: Sequence[RouteSlot]) -> list[str]:
    """The team's own fields, of whichever instance."""
    names = {name: None for slot in slots for name in slot.fields if name not in FIELDS}
    return list(names)


def _part(story: Mapping[str, object], name: str) -> Mapping[str, Value]:
    value = story.get(name)
    return value if isinstance(value, dict) else {}
