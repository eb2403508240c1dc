"""Pydantic's complaints in our own words, each at the place where the value was written."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import ValidationError

from proxy.settings.faults import KeyPath, Place, SettingsFault, nearest
from proxy.settings.schema import shape as settings_shape
from proxy.settings.shape import Shape
from proxy.settings.tree import Keys, Node, step

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_QUOTED = re.compile("'([^']*)'")


def faults_of(error: ValidationError, tree: Node, broken: set[KeyPath]) -> Iterator[SettingsFault]:
    """What the models refuse; nothing about values that had a fault before."""
    for detail in error.errors():
        path, place, shape = _found(detail, tree)
        if any(path[: len(known)] == known for known in broken) or _only_seems_empty(detail):
            continue
        message, meant = _said(detail, shape)
        yield SettingsFault(place, path, message, meant)


def _only_seems_empty(detail: "ErrorDetails") -> bool:
    """Pydantic counts only the good entries of a list."""
    return detail["type"] == "too_short" and bool(detail["input"])


def _found(detail: "ErrorDetails", tree: Node) -> tuple[KeyPath, Place, Shape]:
    """Where a complaint belongs; parts of its location that name a type are left out."""
    node: Node | None = tree
    place, shape, path = tree.place, settings_shape(), KeyPath()
    for part in detail["loc"]:
        child = shape.child(part)
        if child is None or part == "[key]":
            break
        if isinstance(node, Keys) and detail["loc"][-1] == "[key]":
            place = node.key_places.get(str(part), place)
        node, shape, path = step(node, part), child, (*path, part)
        if node is not None and detail["loc"][-1] != "[key]":
            place = node.place
    return path, place, shape


def _said(detail: "ErrorDetails", shape: Shape) -> tuple[str, str | None]:
    """The message, and what was probably meant."""
    context, given = detail.get("ctx", {}), detail["input"]
    if detail["type"] == "literal_error":
        known = _QUOTED.findall(context["expected"])
        return f'"{given}" is not one of {", ".join(known)}', nearest(str(given), known)
    words = _WORDS.get(detail["type"])
    if words is None:
        return detail["msg"][:1].lower() + detail["msg"][1:], None
    limits = {key: shape.as_text(value) for key, value in context.items()}
    return words.format(given=given, **limits), None


_WORDS = {
    "missing": "is required",
    "value_error": "{error}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": '"{given}" does not fit the pattern {pattern}',
    "ip_v4_network": '"{given}" is not a network; write one such as 10.0.0.0/8',
    "ip_v6_network": '"{given}" is not a network; write one such as 10.0.0.0/8',
}
