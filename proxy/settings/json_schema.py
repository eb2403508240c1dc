"""The JSON Schema of a settings file, for editors and for checks before anything runs."""

from collections.abc import Iterator
from typing import Any

from proxy.settings.schema import Policy, Settings
from proxy.settings.shape import Shape

_VARIABLE = {
    "description": "A value from the environment: `${VAR}` or `${VAR:-default}`.",
    "pattern": r"\$\{",
    "title": "Variable",
    "type": "string",
}
_ABOUT = ("description", "default", "title")
"""What a schema says besides what it accepts."""


def json_schema() -> dict[str, Any]:
    """The schema, its defaults as people write them.

    What it cannot say is left to `sidelight check`: names that must exist, numbers in their ranges
    where they have units, keys that need each other.
    """
    schema = Settings.model_json_schema()
    definitions = schema["$defs"]
    for section in [schema, *definitions.values()]:
        for _, key in _keys(section):
            _as_written(key, definitions)
    for name, key in _keys(definitions["ResolvedRoute"]):
        if name in Policy.model_fields or name == "cors":
            key.pop("default", None)  # what holds is what the policy says
    for section in [schema, *definitions.values()]:
        for _, key in _keys(section):
            _or_variable(key)
    definitions["Variable"] = _VARIABLE
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Sidelight settings"
    return schema


def _keys(section: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from section.get("properties", {}).items()


def _as_written(key: dict[str, Any], definitions: dict[str, Any]) -> None:
    key.pop("title", None)
    default = key.get("default")
    if isinstance(default, dict):
        del key["default"]  # its own keys have theirs
    elif isinstance(default, (int, float)) and "string" in Shape(key, definitions).kinds:
        key["default"] = Shape(key, definitions).as_text(default)


def _or_variable(key: dict[str, Any]) -> None:
    """Accept a variable wherever a value or a list is wanted; sections are written out."""
    options = key.get("anyOf") or [{name: key[name] for name in key if name not in _ABOUT}]
    if any("$ref" in option or _takes_any_text(option) for option in options):
        return
    for option in options:
        if "items" in option:
            _or_variable(option["items"])
    about = {name: key[name] for name in key if name in _ABOUT}
    key.clear()
    key.update(about, anyOf=[*options, {"$ref": "#/$defs/Variable"}])


def _takes_any_text(option: dict[str, Any]) -> bool:
    narrowed = {"pattern", "enum", "const"} & option.keys()
    return option.get("type") == "object" or (option.get("type") == "string" and not narrowed)
