"""The expected form of each key, read from the JSON Schema of the models.

One walk for all who must know the keys before pydantic sees the values: the reader of the
environment, the typing of text, and the tests of the documentation.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from proxy.knobs import DURATION_PATTERN, SIZE_PATTERN, as_duration, as_size

_WANTED = {
    "object": "a section of keys",
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The schema of one key."""

    schema: Mapping[str, Any]
    definitions: Mapping[str, Any]

    def options(self) -> Iterator[Mapping[str, Any]]:
        """The schemas of which a value may satisfy any."""
        for option in self.schema.get("anyOf", [self.schema]):
            while "$ref" in option:
                option = self.definitions[option["$ref"].rpartition("/")[2]]
            yield option

    @property
    def kinds(self) -> list[str]:
        """The JSON types a value may have."""
        return [option["type"] for option in self.options()]

    @property
    def wanted(self) -> str:
        """What a value must be, in words."""
        kinds = dict.fromkeys(kind for kind in self.kinds if kind != "null")
        return " or ".join(_WANTED[kind] for kind in kinds)

    @property
    def keys(self) -> dict[str, "Shape"]:
        """Known keys of a section."""
        return {
            key: Shape(schema, self.definitions)
            for option in self.options()
            for key, schema in option.get("properties", {}).items()
        }

    @property
    def named(self) -> "Shape | None":
        """What stands under each name of a section whose keys are names; None elsewhere."""
        for option in self.options():
            for schema in option.get("patternProperties", {}).values():
                return Shape(schema, self.definitions)
        return None

    @property
    def item(self) -> "Shape | None":
        """What a list holds; None where no list is wanted."""
        for option in self.options():
            if "items" in option:
                return Shape(option["items"], self.definitions)
        return None

    @property
    def required(self) -> set[str]:
        """Keys that a section must have."""
        return {key for option in self.options() for key in option.get("required", ())}

    @property
    def secret_depth(self) -> int | None:
        """Steps down to the nearest secret, 0 where the value is one; None where there is none."""
        if any(option.get("writeOnly") for option in self.options()):
            return 0
        below = (*self.keys.values(), self.named, self.item)
        depths = [shape.secret_depth for shape in below if shape]
        return min((depth + 1 for depth in depths if depth is not None), default=None)

    def child(self, part: str | int) -> "Shape | None":
        """The shape one step down; None where there is nothing."""
        return self.item if isinstance(part, int) else self.keys.get(part) or self.named

    def as_text(self, value: object) -> str:
        """A number of Python as it is written under this key."""
        patterns = [option.get("pattern") for option in self.options()]
        if DURATION_PATTERN in patterns and isinstance(value, (int, float)):
            return as_duration(value)
        if SIZE_PATTERN in patterns and isinstance(value, int):
            return as_size(value)
        return f"{value:g}" if isinstance(value, float) else str(value)
