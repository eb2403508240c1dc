"""Finds the entries that may fit a path without looking at all of them.

Exact paths and prefixes are looked up, patterns are found segment by segment, and entries of the
same path by the value of one of their conditions: what a request costs does not grow with the
number of routes.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from proxy.matching.conditions import Asked, Condition
from proxy.matching.paths import compiled


class Candidate:
    """One route, ready to be asked."""

    __slots__ = ("conditions", "methods", "order", "path", "pattern")

    def __init__(
        self, order: int, path: str, methods: frozenset[str], conditions: tuple[Condition, ...]
    ) -> None:
        self.order = order
        """Its place among all, the most specific first."""
        self.path = path
        self.methods = methods
        """None of them: all."""
        self.conditions = conditions
        self.pattern: re.Pattern[str] | None = compiled(path) if "{" in path else None

    def takes(self, method: str) -> bool:
        return not self.methods or method in self.methods

    def unmet(self, asked: Asked) -> Condition | None:
        """The first condition that the request does not meet; None where it meets all."""
        for condition in self.conditions:
            if not condition.fits(asked):
                return condition
        return None


class PathGroup:
    """The entries of one path, in order."""

    __slots__ = ("_free", "_selectors", "entries")

    def __init__(self, entries: Sequence[Candidate]) -> None:
        self.entries = list(entries)
        self._free: list[Candidate] = []
        """Those that no value of a condition tells apart."""
        self._selectors: dict[tuple[str, str], dict[str, list[Candidate]]] = {}
        spread: dict[tuple[str, str], set[str]] = defaultdict(set)
        for entry in entries:
            for condition in entry.conditions:
                spread[condition.key].update(condition.values or ())
        for entry in entries:
            self._file(entry, spread)

    def _file(self, entry: Candidate, spread: dict[tuple[str, str], set[str]]) -> None:
        """Put an entry under the values of that condition which tells most entries apart."""
        best: Condition | None = None
        for condition in entry.conditions:
            if condition.values is None:
                continue
            if best is None or len(spread[condition.key]) > len(spread[best.key]):
                best = condition
        if best is None or best.values is None:
            self._free.append(entry)
            return
        by_value = self._selectors.setdefault(best.key, {})
        for value in best.values:
            by_value.setdefault(value, []).append(entry)

    def candidates(self, asked: Asked) -> list[Candidate]:
        """The entries whose conditions may be met, in order."""
        if not self._selectors:
            return self._free
        if asked.announced:
            return self.entries
        found: list[Candidate] = []
        for key, by_value in self._selectors.items():
            value = asked.value(key)
            if value is not None:
                found += by_value.get(value, ())
        if not found:
            return self._free
        return most_specific_first([*found, *self._free])


def most_specific_first(entries: list[Candidate]) -> list[Candidate]:
    """The most specific first."""
    entries.sort(key=lambda entry: entry.order)
    return entries


class _Node:
    """What may follow the segments so far."""

    __slots__ = ("any", "below", "ends", "literal")

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.ends: list[PathGroup] = []
        """Patterns that end here."""
        self.below: list[PathGroup] = []
        """Patterns that take whatever follows a further slash."""


class _Patterns:
    """Groups of patterns by their segments."""

    __slots__ = ("_root",)

    def __init__(self, groups: Iterable[PathGroup]) -> None:
        self._root = _Node()
        for group in groups:
            self._add(group)

    def _add(self, group: PathGroup) -> None:
        node = self._root
        segments = group.entries[0].path[1:].split("/")
        for at, segment in enumerate(segments):
            if segment.endswith("...}") or (not segment and at == len(segments) - 1):
                node.below.append(group)
                return
            if segment.startswith("{"):
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.literal.setdefault(segment, _Node())
        node.ends.append(group)

    def groups(self, path: str) -> list[PathGroup]:
        """The groups whose pattern fits, in no order."""
        found: list[PathGroup] = []
        nodes = [self._root]
        for segment in path[1:].split("/"):
            following: list[_Node] = []
            for node in nodes:
                found += node.below
                if literal := node.literal.get(segment):
                    following.append(literal)
                if node.any is not None:
                    following.append(node.any)
            nodes = following
            if not nodes:
                break
        for node in nodes:
            found += node.ends
        return [group for group in found if _fits(group, path)]


def _fits(group: PathGroup, path: str) -> bool:
    pattern = group.entries[0].pattern
    return pattern is not None and pattern.fullmatch(path) is not None


class PathIndex:
    """The entries of one host, or of any."""

    __slots__ = ("_deepest", "_exact", "_patterns", "_prefixes")

    def __init__(self, entries: Iterable[Candidate]) -> None:
        by_path: dict[str, list[Candidate]] = defaultdict(list)
        for entry in entries:
            by_path[entry.path].append(entry)
        groups = {path: PathGroup(listed) for path, listed in by_path.items()}
        patterns = [group for path, group in groups.items() if "{" in path]
        self._patterns = _Patterns(patterns) if patterns else None
        plain = {path: group for path, group in groups.items() if "{" not in path}
        self._exact = {path: group for path, group in plain.items() if not path.endswith("/")}
        self._prefixes = {path: group for path, group in plain.items() if path.endswith("/")}
        self._deepest = max((path.count("/") for path in self._prefixes), default=0)

    def exact(self, path: str) -> PathGroup | None:
        """The entries of this very path."""
        return self._exact.get(path)

    def patterns(self, path: str) -> list[PathGroup]:
        """The groups of patterns that fit, in no order: their entries may take turns."""
        return self._patterns.groups(path) if self._patterns is not None else []

    def prefixes(self, path: str) -> list[PathGroup]:
        """The groups of prefixes that fit, the longest first."""
        found: list[PathGroup] = []
        end = 0
        for _ in range(self._deepest):
            end = path.find("/", end) + 1
            if not end:
                break
            if group := self._prefixes.get(path[:end]):
                found.append(group)
        found.reverse()
        return found

    def groups(self, path: str) -> list[PathGroup]:
        """Every group that fits."""
        exact = self.exact(path)
        return [*([exact] if exact else []), *self.patterns(path), *self.prefixes(path)]
