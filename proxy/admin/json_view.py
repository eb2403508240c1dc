"""Accessors for JSON of uncertain form (stories, groups, alerts): what is missing or of another
kind reads as nothing, so that an old story never breaks a page.
"""

from collections.abc import Mapping
from typing import Final

from proxy.diagnostics.stories.words import lasting

JsonObject = Mapping[str, object]
"""JSON that was made and redacted by others."""
_NOTHING: JsonObject = {}
_SHOWN: Final = 0.05
"""Milliseconds; less is told as nothing."""


def text(view: JsonObject, key: str, missing: str = "") -> str:
    value = view.get(key)
    if value is None:
        return missing
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_number(view: JsonObject, key: str) -> float | None:
    """None: there is none."""
    value = view.get(key)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None  # type: ignore[arg-type]


def as_count(view: JsonObject, key: str) -> int:
    return int(as_number(view, key) or 0)


def part(view: JsonObject, key: str) -> JsonObject:
    """An object within; empty where there is none."""
    value = view.get(key)
    return value if isinstance(value, Mapping) else _NOTHING


def rows(view: JsonObject, key: str) -> list[JsonObject]:
    """The objects of a list."""
    value = view.get(key)
    listed = value if isinstance(value, list | tuple) else ()
    return [row for row in listed if isinstance(row, Mapping)]


def texts(view: JsonObject, key: str) -> list[str]:
    """The texts of a list."""
    value = view.get(key)
    return [str(item) for item in value] if isinstance(value, list | tuple) else []


def numbers(view: JsonObject, key: str) -> list[float]:
    """The numbers of a list."""
    value = view.get(key)
    listed = value if isinstance(value, list | tuple) else ()
    return [float(n) for n in listed if isinstance(n, int | float)]


def milliseconds(view: JsonObject, key: str, missing: str = "—") -> str:
    """A length of time, for people."""
    value = as_number(view, key)
    return missing if value is None else length(value)


def parts_of(story: JsonObject) -> str:
    """Where the time went, for people: what took a twentieth of a millisecond at least."""
    parts = part(story, "parts")
    took = ((name.removesuffix("_ms"), as_number(parts, name) or 0.0) for name in parts)
    return ", ".join(f"{name} {length(ms)}" for name, ms in took if ms >= _SHOWN)


def length(ms: float) -> str:
    """Milliseconds for people: `0.4 ms`, `310 ms`, `20.0 s`."""
    return f"{ms:.1f} ms" if 0 < ms < 10 else lasting(ms / 1000)
