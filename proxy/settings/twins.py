"""Routes of which nobody could tell which one a request takes.

Twins match the same. Rivals are as specific as each other, and a request may fit both; a third
route that is more specific than both and takes such requests settles it.
Works on the tree, as `plan` does.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from proxy.settings import syntax
from proxy.settings.conditions import ANY
from proxy.settings.faults import KeyPath, SettingsFault
from proxy.settings.tree import Items, Keys, Leaf, Node, place_of

Conditions = dict[tuple[str, str], frozenset[str]]


@dataclass(frozen=True, slots=True)
class _Written:
    """A route as far as it says what it matches."""

    path: KeyPath
    route: Keys
    methods: frozenset[str]
    conditions: Conditions

    @property
    def rank(self) -> tuple[bool, int, int, int]:
        """How specific it is among the routes of its host and path."""
        headers = sum(place == "header" for place, _ in self.conditions)
        with_values = sum(ANY not in values for values in self.conditions.values())
        return (bool(self.methods), headers, len(self.conditions) - headers, with_values)

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        return tuple(sorted(self.conditions))

    @property
    def first_values(self) -> list[str]:
        """The values of its first condition."""
        return sorted(self.conditions[self.names[0]]) if self.conditions else [""]

    @property
    def place(self) -> str:
        return str(place_of(self.route, ("match",)))


def twin_faults(tree: Keys) -> Iterator[SettingsFault]:
    """Every route that is the twin or the rival of an earlier one."""
    of_path: dict[tuple[str, str], list[_Written]] = defaultdict(list)
    for at, route in enumerate(tree.items("routes")):
        match = route.section("match") if isinstance(route, Keys) else None
        if isinstance(route, Keys) and match is not None:
            host = (match.text("host") or "").lower()
            path = syntax.without_names(match.text("path") or "/")
            of_path[host, path].append(_read(("routes", at), route, match))
    for routes in of_path.values():
        yield from _among(routes)


def _read(path: KeyPath, route: Keys, match: Keys) -> _Written:
    methods = {node.text for node in match.items("methods") if isinstance(node, Leaf)}
    if "GET" in methods:
        methods.add("HEAD")
    conditions: Conditions = {}
    for place, key in (("header", "headers"), ("query", "query")):
        section = match.section(key)
        for name, node in (section.nodes if section else {}).items():
            if values := _values(node):
                conditions[place, name.lower() if place == "header" else name] = values
    return _Written(path, route, frozenset(methods), conditions)


def _values(node: Node) -> frozenset[str]:
    listed = node.nodes if isinstance(node, Items) else [node]
    return frozenset(each.text for each in listed if isinstance(each, Leaf))


_Seen = dict[tuple[tuple[str, str], ...], dict[str, list[_Written]]]
"""Routes of one rank by the names of their conditions, and by the values of the first of them."""


def _among(routes: list[_Written]) -> Iterator[SettingsFault]:
    """The faults of the routes of one host and path; of each route the first."""
    seen: dict[object, _Seen] = defaultdict(dict)
    for later in routes:
        of_rank = seen[later.rank]
        faults = (_fault(each, later, routes) for each in _possible(of_rank, later))
        if fault := next(filter(None, faults), None):
            yield fault
        by_value = of_rank.setdefault(later.names, {})
        for value in later.first_values:
            by_value.setdefault(value, []).append(later)


def _possible(seen: _Seen, later: _Written) -> Iterator[_Written]:
    """Those before it that may be its twins or rivals."""
    for names, by_value in seen.items():
        own = later.first_values
        values = by_value if names != later.names or ANY in own else [*own, ANY]
        for value in values:
            yield from by_value.get(value, ())


def _fault(earlier: _Written, later: _Written, routes: list[_Written]) -> SettingsFault | None:
    both = _both(earlier, later)
    if both is None or (later.methods and not earlier.methods & later.methods):
        return None
    place, path = place_of(later.route, ("match",)), (*later.path, "match")
    if all(both[key] == later.conditions.get(key) for key in both):
        return SettingsFault(
            place, path, f"a route that matches the same is at {earlier.place} already"
        )
    if any(_settles(third, earlier, later, both) for third in routes):
        return None
    told = " and ".join(f"{where} {name}: {min(values)}" for (where, name), values in both.items())
    message = (
        f"a request with {told} fits the route at {earlier.place} as well, and neither is more "
        "specific; let them differ, or add a route for what fits both"
    )
    return SettingsFault(place, path, message)


def _both(one: _Written, other: _Written) -> Conditions | None:
    """What a request has that fits both; None where none can."""
    both: Conditions = {}
    for key in {**one.conditions, **other.conditions}:
        first, second = one.conditions.get(key), other.conditions.get(key)
        if first is None or second is None or ANY in first or ANY in second:
            known = [values for values in (first, second) if values is not None]
            both[key] = min(known, key=lambda values: ANY in values)
        elif shared := first & second:
            both[key] = shared
        else:
            return None
    return both


def _settles(third: _Written, earlier: _Written, later: _Written, both: Conditions) -> bool:
    """Whether `third` takes before them every request that fits both."""
    return (
        third.rank > earlier.rank
        and third.methods >= earlier.methods & later.methods
        and all(
            key in both and (ANY in values or both[key] <= values)
            for key, values in third.conditions.items()
        )
    )
