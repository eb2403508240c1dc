"""From YAML text to a tree, with the place of every piece and every fault of form.

Of YAML's types nothing is used: see `tree`.
What could make a small file large or the reader slow is bounded: depth, pieces, aliases.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from proxy.settings.faults import KeyPath, Place, SettingsError, SettingsFault
from proxy.settings.interpolation import interpolated, interpolated_header
from proxy.settings.tree import Items, Keys, Leaf, Node, is_text

_BRACES = re.compile(r"[^\s,\[\]{}\"']+(?:\{[^\s{}]*\}[^\s,\[\]{}\"']*)+")
NOT_TEXT = "has bytes or characters in it that are not UTF-8 text"
MOST_PIECES = 20_000
DEEPEST = 32
_IN_HEADERS = 6
"""Steps to a value of a header rule."""
_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map")
_TAG = "tags are not supported; put quotes around a value that begins with !"
_NAMED = re.compile(r" '(?!<)[^']*\w[^']*'")
"""What YAML quotes of a file: aliases and anchors, which a secret without quotes looks like."""
_DEEP = f"is nested deeper than {DEEPEST} levels"


class _TooMuchError(Exception):
    """The file grows beyond what settings can be."""


def read(text: str, source: str, env: Mapping[str, str]) -> tuple[Keys, list[SettingsFault]]:
    """The tree of a settings file, and what is wrong with pieces of it.

    Raises SettingsError where there is no tree to look at.
    """
    node = _composed(text, source)
    reader = _Reader(source, env)
    try:
        tree = reader.tree(node, ())
    except _TooMuchError as error:
        raise _unreadable(Place(source), str(error)) from None
    if not isinstance(tree, Keys):
        raise _unreadable(tree.place, "must be a section of keys, such as upstreams and routes")
    return tree, reader.faults


def read_value(text: str, place: Place) -> Node:
    """The tree of a list or section that a variable holds. Raises ValueError if it is none."""
    reader = _Reader(place.source, {}, whole=place)
    try:
        tree = reader.tree(_composed(text, place.source), ())
    except (_TooMuchError, SettingsError):
        raise ValueError(f'"{text}" cannot be read as YAML') from None
    if reader.faults:
        raise ValueError(reader.faults[0].message)
    return tree


def _composed(text: str, source: str) -> yaml.Node:
    """YAML's own nodes; aliases are shared, not copied."""
    place = Place(source)
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = _unquoted(text, mark) or _NAMED.sub(
            "", " ".join(filter(None, (error.context, error.problem)))
        )
        raise _unreadable(_place(source, mark) if mark else place, f"is not YAML: {said}") from None
    except yaml.reader.ReaderError as error:
        said = f"the character U+{error.character:04X} cannot stand in YAML"
        raise _unreadable(place, f"is not text: {said}") from None
    except RecursionError:
        raise _unreadable(place, _DEEP) from None
    if node is None:
        raise _unreadable(place, "is empty; it needs at least upstreams and routes")
    return node


def _unquoted(text: str, mark: yaml.Mark | None) -> str | None:
    """The remedy where braces stand within text that has no quotes; None where they do not."""
    line = text.splitlines()[mark.line] if mark and mark.index < len(text) else ""
    for found in _BRACES.finditer(line):
        if mark and found.start() < mark.column < found.end():
            return f'text with braces needs quotes here: "{found[0]}"'
    return None


def _unreadable(place: Place, message: str) -> SettingsError:
    return SettingsError([SettingsFault(place, (), message)])


def _place(source: str, mark: yaml.Mark) -> Place:
    return Place(source, mark.line + 1, mark.column + 1)


@dataclass(slots=True)
class _Reader:
    """Builds the tree. `whole` is the place of everything where lines mean nothing."""

    source: str
    env: Mapping[str, str]
    whole: Place | None = None
    faults: list[SettingsFault] = field(default_factory=list)
    pieces: int = 0

    def tree(self, node: yaml.Node, path: KeyPath) -> Node:
        self.pieces += 1
        if self.pieces > MOST_PIECES:
            raise _TooMuchError(f"has more than {MOST_PIECES} values, aliases counted each time")
        if len(path) > DEEPEST:
            raise _TooMuchError(_DEEP)
        place = self.place(node)
        if node.tag not in _TAGS:
            self.faults.append(SettingsFault(place, path, _TAG))
        if isinstance(node, yaml.MappingNode):
            return self.keys(node, path)
        if isinstance(node, yaml.SequenceNode):
            nodes = [self.tree(item, (*path, at)) for at, item in enumerate(node.value)]
            return Items(place, nodes)
        return self.leaf(node, path, quoted=getattr(node, "style", None) is not None)

    def place(self, node: yaml.Node) -> Place:
        return self.whole or _place(self.source, node.start_mark)

    def keys(self, node: yaml.MappingNode, path: KeyPath) -> Keys:
        keys = Keys(self.place(node))
        for key_node, value in node.value:
            place = self.place(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self.faults.append(SettingsFault(place, path, "a key must be text"))
                continue
            key = key_node.value
            if not is_text(key):
                self.faults.append(SettingsFault(place, path, "has a key that is not text"))
                continue
            if refusal := self.refusal(key, keys):
                self.faults.append(SettingsFault(place, (*path, key), refusal))
                continue
            keys.put(key, self.tree(value, (*path, key)), place)
        return keys

    def refusal(self, key: str, keys: Keys) -> str | None:
        """Why a key cannot be taken, or None."""
        if key == "<<":
            return "merge keys are not supported; keys that routes share belong into a policy"
        if key in keys.nodes:
            return f"this key is there twice; the first is in line {keys.key_places[key].line}"
        return None

    def leaf(self, node: yaml.Node, path: KeyPath, *, quoted: bool) -> Leaf:
        leaf = Leaf(node.value, self.place(node), quoted)
        try:
            if "${" in leaf.text and not self.whole:
                put_in = interpolated_header if _is_header_value(path) else interpolated
                leaf.text, leaf.given = put_in(leaf.text, self.env), True
            if not is_text(leaf.text):
                raise ValueError(NOT_TEXT)
        except ValueError as error:
            self.faults.append(SettingsFault(leaf.place, path, str(error)))
            leaf.broken = True
        return leaf


def _is_header_value(path: KeyPath) -> bool:
    """Whether values of the request may stand there: below `headers` of a policy or route."""
    return len(path) == _IN_HEADERS and path[2] == "headers" and path[4] in ("set", "add")
