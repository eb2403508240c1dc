"""How two settings differ, key by key, as it may be shown: secrets are named, never quoted.

Routes are compared by their names, like everything else that has one.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from proxy.knobs import Knobs
from proxy.observation.redaction import redact_tree
from proxy.settings.schema import ResolvedRoute, Settings

_CHARS: Final = 120
"""Of a value that is shown."""
_HIDDEN: Final = "(another secret)"


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One key; None: it is not there."""

    key: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.key}: new, {self.after}"
        if self.after is None:
            return f"{self.key}: gone"
        return f"{self.key}: {self.before} -> {self.after}"


def changes(old: Settings, new: Settings) -> list[KeyChange]:
    """Every key whose value differs; empty where they are the same, secrets included."""
    return list(_of_section("", old, new))


def _of_section(path: str, old: Knobs, new: Knobs) -> Iterator[KeyChange]:
    for key in type(new).model_fields:
        before, after = getattr(old, key), getattr(new, key)
        if before == after:
            continue
        at = f"{path}.{key}" if path else key
        if isinstance(before, Knobs) and type(before) is type(after):
            yield from _of_section(at, before, after)
        elif isinstance(before, dict) and _is_of_knobs(before, after):
            yield from _of_names(at, before, after)
        elif at == "routes":
            yield from _of_routes(before, after)
        else:
            yield _change(at, _shown(old, key), _shown(new, key))


def _is_of_knobs(*named: Mapping[str, object]) -> bool:
    """Whether each name has a section of its own, as upstreams have; headers have values."""
    return all(isinstance(one, Knobs) for names in named for one in names.values())


def _of_routes(
    old: tuple[ResolvedRoute, ...], new: tuple[ResolvedRoute, ...]
) -> Iterator[KeyChange]:
    before, after = {r.name: r for r in old}, {r.name: r for r in new}
    yield from _of_names("routes", before, after)
    kept = [name for name in before if name in after]
    moved = [name for name in after if name in before]
    if kept != moved:
        order = [f"in the order {json.dumps(names)}" for names in (kept, moved)]
        yield _change("routes", *order)


def _of_names(path: str, old: Mapping[str, Knobs], new: Mapping[str, Knobs]) -> Iterator[KeyChange]:
    for name in [*old, *(name for name in new if name not in old)]:
        at, before, after = f"{path}.{name}", old.get(name), new.get(name)
        if before is None or after is None:
            yield KeyChange(at, _whole(before), _whole(after))
        elif before != after:
            yield from _of_section(at, before, after)


def _change(at: str, before: str, after: str) -> KeyChange:
    """Hidden values look alike, whatever they are; long ones are shown where they part."""
    if before == after:
        return KeyChange(at, _HIDDEN, _HIDDEN)
    pairs = enumerate(zip(before, after, strict=False))
    shared = next((n for n, (one, other) in pairs if one != other), min(len(before), len(after)))
    start = 0 if shared < _CHARS // 2 else shared - _CHARS // 4
    return KeyChange(at, _cut(before, start), _cut(after, start))


def _shown(section: Knobs, key: str) -> str:
    value = getattr(section, key)
    if isinstance(value, tuple) and value and all(isinstance(one, Knobs) for one in value):
        return _text([redact_tree(one.model_dump(mode="json", exclude_defaults=True), key)
                      for one in value])  # fmt: skip
    return _text(redact_tree(section.model_dump(mode="json", include={key})[key], key))


def _whole(section: Knobs | None) -> str | None:
    """What is set in it; None where there is none."""
    if section is None:
        return None
    return _cut(_text(redact_tree(section.model_dump(mode="json", exclude_defaults=True))))


def _text(value: object) -> str:
    """Of a value that hides its secrets already: as text its keys would be taken for some."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cut(text: str, start: int = 0) -> str:
    text = f"…{text[start:]}" if start else text
    return text if len(text) <= _CHARS else f"{text[: _CHARS - 1]}…"
