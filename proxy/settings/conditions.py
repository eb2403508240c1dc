"""Conditions on headers and query parameters, as they are written under `match`."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from proxy.observation.redaction import is_secret_name, redact
from proxy.settings import syntax

ANY = "*"
"""What stands for any value."""

_HEADER_PATTERN = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
_BLANKS = re.compile(r"^\s|\s$|[\x00-\x08\x0a-\x1f\x7f]")


def _listed(values: object) -> object:
    """One value is a list of one."""
    return (values,) if isinstance(values, str) else values


def _good(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise ValueError('has no value; give one, a list of them, or "*" for any')
    for value in values:
        if "*" in value and values != (ANY,):
            raise ValueError(
                f'"{value}" has "*" in it; values are compared whole, and "*" alone is any value'
            )
        if redact(value) != value:
            raise ValueError("a value looks like a secret; settings are shown, so leave it out")
    return values


ConditionValues = Annotated[
    tuple[str, ...],
    BeforeValidator(_listed),
    Field(max_length=100),
    AfterValidator(_good),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""A value, several of which one must be there, or `*`."""


def _header(name: str) -> str:
    if syntax.header(name).lower() == "host":
        raise ValueError("hosts are compared without port by match.host; write it there")
    return name.lower()


def _once(written: object) -> object:
    """Names of headers are equal in whatever case."""
    if isinstance(written, dict):
        names = [str(name).lower() for name in written]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f'"{twice}" is there twice; give all its values in one list')
    return written


def _no_secrets(conditions: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    for name, values in conditions.items():
        if is_secret_name(name) and values != (ANY,):
            raise ValueError(
                f'{name} holds a secret, by its name; settings are shown, so only "*" can be asked '
                "of it: that it is there"
            )
    return conditions


def _as_headers_are(conditions: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    for name, values in conditions.items():
        if any(_BLANKS.search(value) for value in values):
            raise ValueError(f"{name}: a header's value neither begins nor ends with a blank")
    return conditions


HeaderName = Annotated[
    str, AfterValidator(_header), Field(json_schema_extra={"pattern": _HEADER_PATTERN})
]
ParameterName = Annotated[str, Field(min_length=1, json_schema_extra={"pattern": "^.+$"})]
HeaderConditions = Annotated[
    dict[HeaderName, ConditionValues],
    BeforeValidator(_once),
    AfterValidator(_no_secrets),
    AfterValidator(_as_headers_are),
]
QueryConditions = Annotated[dict[ParameterName, ConditionValues], AfterValidator(_no_secrets)]
