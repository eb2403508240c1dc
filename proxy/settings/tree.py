"""Settings as a tree of text, each node with its place in the source, without types.

What a piece means is decided by the key it stands under, not by YAML: `off`, `22:22` and `1e3`
are text until a schema asks for something else.
"""

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from proxy.settings.faults import KeyPath, Place

_SURROGATES = re.compile("[\ud800-\udfff]")
NULLS = frozenset({"", "~", "null"})


@dataclass(slots=True)
class Leaf:
    """One value.

    `quoted` text is never null.
    `given` text came from a variable: it may hold a whole list or section.
    `broken` text has a fault already, and no second one is looked for.
    """

    text: str
    place: Place
    quoted: bool = False
    given: bool = False
    broken: bool = False

    @property
    def is_null(self) -> bool:
        if self.given:
            return self.text == "null"
        return not self.quoted and self.text in NULLS


@dataclass(slots=True)
class Items:
    """A list."""

    place: Place
    nodes: list["Node"] = field(default_factory=list)


@dataclass(slots=True)
class Keys:
    """A section."""

    place: Place
    nodes: dict[str, "Node"] = field(default_factory=dict)
    key_places: dict[str, Place] = field(default_factory=dict)

    def put(self, key: str, node: "Node", place: Place) -> None:
        self.nodes[key] = node
        self.key_places[key] = place

    def section(self, key: str) -> "Keys | None":
        """The section below `key`; None where there is none."""
        node = self.nodes.get(key)
        return node if isinstance(node, Keys) else None

    def text(self, key: str) -> str | None:
        """The text below `key`; None where there is none."""
        node = self.nodes.get(key)
        if not isinstance(node, Leaf) or node.is_null or node.broken:
            return None
        return node.text

    def items(self, key: str) -> list["Node"]:
        """The entries of the list below `key`."""
        node = self.nodes.get(key)
        return node.nodes if isinstance(node, Items) else []


Node: TypeAlias = Leaf | Items | Keys


@dataclass(frozen=True, slots=True)
class Origin:
    """Where settings were written: no part of what they say, and not compared."""

    tree: Keys = field(compare=False)


def is_text(text: str) -> bool:
    """Whether it can be written as UTF-8: false for stray bytes in a variable, for instance."""
    return not _SURROGATES.search(text)


def overlay(below: Node | None, above: Node | None) -> Node | None:
    """`above` laid over `below`, key by key; lists and values are replaced whole.

    A section that was left empty hides nothing.
    """
    if below is None or above is None:
        return above or below
    if not isinstance(below, Keys):
        return above
    if not isinstance(above, Keys):
        return below if isinstance(above, Leaf) and above.is_null else above
    merged = Keys(above.place)
    for key in [*below.nodes, *(key for key in above.nodes if key not in below.nodes)]:
        node = overlay(below.nodes.get(key), above.nodes.get(key))
        source = above if key in above.nodes else below
        if node is not None:
            merged.put(key, node, source.key_places[key])
    return merged


def step(node: Node | None, part: str | int) -> Node | None:
    """One step down; None where there is nothing."""
    if isinstance(node, Keys) and isinstance(part, str):
        return node.nodes.get(part)
    if isinstance(node, Items) and isinstance(part, int) and part < len(node.nodes):
        return node.nodes[part]
    return None


def place_of(root: Node, path: KeyPath) -> Place:
    """Where `path` was written, or the nearest of what it stands in."""
    node: Node = root
    for part in path:
        below = step(node, part)
        if below is None:
            break
        node = below
    return node.place
