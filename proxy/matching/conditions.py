"""Conditions of a route on headers and query parameters, and what a request has of them.

A header is compared as one value: lines of the same name are joined by a comma (RFC 9110 §5.3).
Of a parameter that is there several times the first counts; names and values are compared decoded.
"""

from collections.abc import Mapping, Sequence
from typing import Literal
from urllib.parse import unquote_plus

from proxy.terms import Matching

ConditionPlace = Literal["header", "query"]

_NO_FIELDS: dict[bytes, bytes] = {}
_MOST_VALUES = 3
"""Values of a condition that are told."""


class Condition:
    """One header or parameter that must be there, with one of some values where they are given."""

    __slots__ = ("name", "place", "values")

    def __init__(self, place: ConditionPlace, name: str, values: Sequence[str]) -> None:
        self.place = place
        self.name = name
        self.values: frozenset[str] | None = None if "*" in values else frozenset(values)
        """None: any value."""

    @property
    def key(self) -> tuple[str, str]:
        return (self.place, self.name)

    def fits(self, asked: "Asked") -> bool:
        if self.place == "header" and self.name in asked.announced:
            return True
        value = asked.value(self.key)
        return value is not None and (self.values is None or value in self.values)

    def unmet(self, asked: "Asked") -> str:
        """What is missing, without anything of what the client sent."""
        what = f"{self.place} {self.name}"
        if self.values is None or asked.value(self.key) is None:
            return f"{what} is missing"
        values = sorted(self.values)
        more = " …" if len(values) > _MOST_VALUES else ""
        return f"{what} is not {' or '.join(values[:_MOST_VALUES])}{more}"


class Asked:
    """The headers and parameters of one request; the query is read when it is first needed."""

    __slots__ = ("_fields", "_parameters", "_query", "announced")

    def __init__(
        self,
        fields: Mapping[bytes, bytes] = _NO_FIELDS,
        target: str = "",
        *,
        announced: frozenset[str] = frozenset(),
    ) -> None:
        self._fields = fields
        self._query = target.partition("?")[2]
        self._parameters: dict[str, str] | None = None
        self.announced = announced
        """Headers that the request announced by a preflight will have, with values unknown."""

    def value(self, key: tuple[str, str]) -> str | None:
        """What stands there; None where there is nothing."""
        place, name = key
        if place == "header":
            line = self._fields.get(name.encode())
            return None if line is None else line.decode("utf-8", "replace")
        if self._parameters is None:
            self._parameters = _parameters(self._query)
        return self._parameters.get(name)


def _parameters(query: str) -> dict[str, str]:
    """The first value of each parameter."""
    found: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        name = unquote_plus(name)
        if name and name not in found:
            found[name] = unquote_plus(value)
    return found


def conditions_of(match: Matching) -> tuple[Condition, ...]:
    """The conditions of a route, headers first."""
    headers = [Condition("header", name, values) for name, values in match.headers.items()]
    query = [Condition("query", name, values) for name, values in match.query.items()]
    return (*headers, *query)
