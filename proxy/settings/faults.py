"""What is wrong with settings, said so that it can be put right.

A fault names the place, the key, what is wrong and, where it can be guessed, what was meant.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

KeyPath = tuple[str | int, ...]
"""The way to a value: keys and indices."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a value was written; line and column count from 1, 0 where there are none."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass(frozen=True, slots=True)
class SettingsFault:
    """One thing that is wrong."""

    place: Place
    path: KeyPath
    message: str
    meant: str | None = None
    """What was probably meant; None where nothing is near."""

    def __str__(self) -> str:
        where = f"{self.place}: {dotted(self.path)}" if self.path else str(self.place)
        hint = f'; did you mean "{self.meant}"?' if self.meant else ""
        return f"{where}: {self.message}{hint}"


class SettingsError(Exception):
    """Settings that cannot be used; all their faults at once, in the order of the file."""

    def __init__(self, faults: Iterable[SettingsFault]) -> None:
        self.faults = in_order(faults)
        super().__init__("\n".join(map(str, self.faults)))


def in_order(faults: Iterable[SettingsFault]) -> list[SettingsFault]:
    """By place, files first, each once: a fault of a policy would be one of all its routes."""
    seen: dict[tuple[Place, str, KeyPath], SettingsFault] = {}
    for fault in faults:
        seen.setdefault((fault.place, fault.message, fault.path[-1:]), fault)
    return sorted(seen.values(), key=lambda fault: (not fault.place.line, fault.place))


def dotted(path: KeyPath) -> str:
    """A path as people write it: `routes[2].policy`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant; None where none is near."""
    return next(iter(get_close_matches(word, list(known), n=1)), None)
