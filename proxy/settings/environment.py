"""Settings from the environment: `SIDELIGHT_LISTEN__PORT=9090` lies over the file.

Names are in upper case, everything but letters and digits is `_`, levels are joined by `__`.
Entries of `routes` are addressed by their name, like those of `upstreams` and `policies`.
Only variables that begin with a known section are settings: Kubernetes puts others beside them,
such as SIDELIGHT_PORT=tcp://10.0.0.1:8080 for a service of our name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from proxy.settings.faults import KeyPath, Place, SettingsFault, nearest
from proxy.settings.reading import NOT_TEXT
from proxy.settings.schema import shape as settings_shape
from proxy.settings.shape import Shape
from proxy.settings.tree import Items, Keys, Leaf, is_text

PREFIX = "SIDELIGHT_"
_SINGULAR: dict[KeyPath, str] = {
    ("policies",): "policy",
    ("upstreams",): "upstream",
    ("routes",): "route",
    ("observe", "fields"): "field",
}


def segment(key: str) -> str:
    """A key or name as it stands in the name of a variable."""
    return re.sub("[^A-Z0-9]", "_", key.upper())


class _UnplacedError(Exception):
    """A variable that stands for no key."""

    def __init__(self, path: KeyPath, message: str, meant: str | None = None) -> None:
        super().__init__(message)
        self.path, self.message, self.meant = path, message, meant


@dataclass(slots=True)
class Overrides:
    """What the environment says, laid over a tree in place."""

    tree: Keys
    shipped: Keys
    """The policies that are there without being written."""
    faults: list[SettingsFault] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    _made: dict[tuple[KeyPath, str], Place] = field(default_factory=dict)
    """Entries no file has, and the variable they were made for."""

    def lay(self, env: Mapping[str, str]) -> None:
        """Lay every variable of ours over the tree, in the order of their names."""
        listed = _name_routes(self.tree)
        sections = {segment(key) for key in settings_shape().keys}
        for name in sorted(env):
            levels = name.removeprefix(PREFIX).split("__")
            if not name.startswith(PREFIX):
                continue
            if levels[0] not in sections:
                self.ignored.append(ascii(name)[1:-1])
                continue
            self._lay_one(levels, Leaf(env[name], Place(f"env {name}"), given=True))
        self._drop_unfinished()
        if listed:
            _list_routes(self.tree)

    def _lay_one(self, levels: list[str], leaf: Leaf) -> None:
        if not is_text("".join(levels) + leaf.text):
            self.faults.append(SettingsFault(Place(ascii(leaf.place.source)[1:-1]), (), NOT_TEXT))
            return
        try:
            self._set(levels, leaf)
        except _UnplacedError as why:
            self.faults.append(SettingsFault(leaf.place, why.path, why.message, why.meant))

    @property
    def warnings(self) -> tuple[str, ...]:
        """One warning for all variables that look like ours and are not."""
        if not self.ignored:
            return ()
        names = ", ".join(self.ignored)
        advice = "levels are joined by two underscores, as in SIDELIGHT_LISTEN__PORT"
        return (f"ignored, because there are no such settings: {names}; {advice}",)

    def _set(self, levels: list[str], leaf: Leaf) -> None:
        node, shape, path = self.tree, settings_shape(), KeyPath()
        for level in levels[:-1]:
            key = self._key(node, shape, level, path, leaf.place)
            path, shape = (*path, key), _below(shape, key)
            if not shape.keys and not _named(shape):
                raise _UnplacedError(path, "has no keys below it")
            node = _section(node, key, path, leaf.place)
        key = self._key(node, shape, levels[-1], path, leaf.place)
        node.put(key, leaf, leaf.place)

    def _key(self, node: Keys, shape: Shape, level: str, path: KeyPath, place: Place) -> str:
        """The key that a level of a variable's name stands for."""
        known = list(shape.keys) if _named(shape) is None else self._names(node, path)
        found = [key for key in known if segment(key) == level]
        if len(found) > 1:
            both = " and ".join(f'"{key}"' for key in found)
            raise _UnplacedError(path, f"{both} have the same name here; rename one of them")
        if found:
            return found[0]
        key = level.lower()
        if _named(shape) is None:
            raise _UnplacedError((*path, key), "unknown key", nearest(key, known))
        if path == ("policies",) or not key:
            missing = f'no {_SINGULAR.get(path, "key")} is named "{key}"'
            raise _UnplacedError((*path, key), missing, nearest(key, known))
        self._made[path, key] = place
        return key

    def _names(self, node: Keys, path: KeyPath) -> list[str]:
        """Names that a variable can mean: written, shipped, or referred to by a route."""
        names = dict.fromkeys(node.nodes)
        if path == ("policies",):
            names |= dict.fromkeys(self.shipped.nodes)
        routes = self.tree.section("routes")
        if path in (("policies",), ("upstreams",)) and routes:
            for route in routes.nodes.values():
                name = route.text(_SINGULAR[path]) if isinstance(route, Keys) else None
                names |= {name: None} if name else {}
        return list(names)

    def _drop_unfinished(self) -> None:
        """An entry that is not whole was no new one, but another one misspelt."""
        for (path, key), place in self._made.items():
            entries, shape = self.tree, settings_shape()
            for part in path:
                entries, shape = entries.section(str(part)) or entries, _below(shape, str(part))
            entry = entries.nodes.get(key)
            required = _below(shape, key).required - {"name"}
            missing = sorted(required - set(entry.nodes if isinstance(entry, Keys) else ()))
            if isinstance(entry, Keys) and missing:
                del entries.nodes[key]
                lacks = f"and as a new one it lacks {' and '.join(missing)}"
                message = f'no {_SINGULAR[path]} is named "{key}", {lacks}'
                self.faults.append(
                    SettingsFault(place, (*path, key), message, nearest(key, entries.nodes))
                )


def _named(shape: Shape) -> Shape | None:
    """What stands under each name, also in a list whose entries have names."""
    item = shape.item
    return shape.named or (item if item and "name" in item.keys else None)


def _below(shape: Shape, key: str) -> Shape:
    return _named(shape) or shape.keys[key]


def _section(node: Keys, key: str, path: KeyPath, place: Place) -> Keys:
    """The section below `key`, made if there is none."""
    below = node.nodes.get(key)
    if isinstance(below, Keys):
        return below
    if below is not None and not (isinstance(below, Leaf) and below.is_null):
        raise _UnplacedError(path, f"is no section of keys at {below.place}")
    section = Keys(place)
    node.put(key, section, place)
    return section


def _name_routes(tree: Keys) -> bool:
    """Turn the list of routes into a section by name. False where it is no list."""
    listed = tree.nodes.get("routes")
    if listed is not None and not isinstance(listed, Items):
        return isinstance(listed, Leaf) and listed.is_null
    if listed is None:
        return True
    named = Keys(listed.place)
    for at, route in enumerate(listed.nodes):
        name = route.text("name") if isinstance(route, Keys) else None
        key = name if name and name not in named.nodes else f"#{at}"
        named.put(key, route, route.place)
    tree.put("routes", named, tree.key_places["routes"])
    return True


def _list_routes(tree: Keys) -> None:
    """Turn them back, each new one with its name."""
    named = tree.section("routes")
    if named is None:
        return
    for name, route in named.nodes.items():
        if isinstance(route, Keys) and "name" not in route.nodes and not name.startswith("#"):
            route.put("name", Leaf(name, route.place), route.place)
    tree.nodes["routes"] = Items(named.place, list(named.nodes.values()))
