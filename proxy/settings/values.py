"""Converts a tree of text into values of the types that the keys want.

Refuses what no key could mean: unknown keys, a list where a number belongs, `off` for false.
Whether a value is good is left to the models.
"""

import re
from dataclasses import dataclass, field

from proxy.settings.faults import KeyPath, Place, SettingsFault, nearest
from proxy.settings.shape import Shape
from proxy.settings.tree import Items, Keys, Leaf, Node

_WHOLE = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?[0-9]{1,18}(\.[0-9]{1,18})?([eE][-+]?[0-9]{1,3})?")
_TRUTHS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_OFF = {
    "enabled": "enabled: false",
    "attempts": "attempts: 1",
    "above": "above: null",
    "file": "upstream: null, type: null, body: null, file: null",
}
"""How a section that has such a key is switched off."""


@dataclass(slots=True)
class Values:
    """The values of a tree, and what was wrong on the way."""

    faults: list[SettingsFault] = field(default_factory=list)
    broken: set[KeyPath] = field(default_factory=set)
    """Paths whose values mean nothing, because they have a fault already."""

    def of(self, node: Node, shape: Shape, path: KeyPath = ()) -> object:
        """The value of `node`; None where it has none or a fault."""
        try:
            match node:
                case Keys():
                    return self._section(node, shape, path)
                case Items():
                    return self._list(node, shape, path)
                case Leaf():
                    return self._one(node, shape, path)
        except ValueError as error:
            self._refuse(node.place, path, *error.args)
            return None

    def _refuse(self, place: Place, path: KeyPath, message: str, meant: str | None = None) -> None:
        self.faults.append(SettingsFault(place, path, message, meant))
        self.broken.add(path)

    def _section(self, node: Keys, shape: Shape, path: KeyPath) -> dict[str, object]:
        if "object" not in shape.kinds:
            raise ValueError(f"must be {shape.wanted}, not a section of keys")
        known, named = shape.keys, shape.named
        values: dict[str, object] = {}
        for key, below in node.nodes.items():
            child = known.get(key) or named
            if child is None:
                self._unknown(node.key_places[key], (*path, key), list(known))
            else:
                values[key] = self.of(below, child, (*path, key))
        return values

    def _unknown(self, place: Place, path: KeyPath, known: list[str]) -> None:
        meant = nearest(str(path[-1]), known)
        listed = "" if meant else f"; known here: {', '.join(known)}"
        self._refuse(place, path, f"unknown key{listed}", meant)

    def _list(self, node: Items, shape: Shape, path: KeyPath) -> list[object]:
        item = shape.item
        if item is None:
            raise ValueError(f"must be {shape.wanted}, not a list")
        return [self.of(below, item, (*path, at)) for at, below in enumerate(node.nodes)]

    def _one(self, leaf: Leaf, shape: Shape, path: KeyPath) -> object:
        if leaf.broken:
            self.broken.add(path)
            return None
        return _nothing(shape) if leaf.is_null else _typed(leaf.text, shape)


def _typed(text: str, shape: Shape) -> object:
    kinds = shape.kinds
    if ("object" in kinds or "array" in kinds) and "string" not in kinds:
        raise ValueError(f'must be {shape.wanted}, not "{text}"{_switched(text, shape)}')
    if "integer" in kinds:
        return whole(text)
    if "number" in kinds:
        return number(text)
    return truth(text) if "boolean" in kinds and "string" not in kinds else text


def _switched(text: str, shape: Shape) -> str:
    """The remedy where a section was given a yes or no."""
    wish = _TRUTHS.get(text.lower(), text.lower())
    if wish == "true" and shape.keys:
        return "; leave the key out, what it holds has defaults"
    off = next((words for key, words in _OFF.items() if key in shape.keys), None)
    return f"; write {{ {off} }}" if wish == "false" and off else ""


def _nothing(shape: Shape) -> object:
    """What an empty key stands for."""
    kinds = shape.kinds
    if "null" in kinds:
        return None
    if "object" in kinds:
        return {}
    if "array" in kinds:
        return []
    raise ValueError(f"has no value; give {shape.wanted}, or leave the key out")


def whole(text: str) -> int:
    """A whole number. Raises ValueError for anything else."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(f'"{text}" is not a whole number')
    return int(text)


def number(text: str) -> float:
    """A number. Raises ValueError for anything else."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f'"{text}" is not a number')
    return float(text)


def truth(text: str) -> bool:
    """`true` or `false`. Raises ValueError, with what was meant, for YAML's other words."""
    if text in ("true", "false"):
        return text == "true"
    lower = text.lower()
    meant = lower if lower in ("true", "false") else _TRUTHS.get(lower)
    raise ValueError(f'"{text}" is neither true nor false', meant)
