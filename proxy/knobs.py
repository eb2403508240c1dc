"""What a knob is made of: durations, sizes and shares as people write them.

Every rule's settings derive from `Knobs`.
Inside, time is float seconds and size is bytes; only here are they text.
Text needs a unit, a number of Python is in seconds or bytes already.
"""

import re
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

_DURATION = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"([0-9]{1,15})(B|KiB|MiB|GiB)")
_BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_BARE = re.compile(r"[0-9]+(?:\.[0-9]+)?")


Count = Annotated[int, Field(ge=1)]


class Knobs(BaseModel):
    """Base of every settings model: unknown keys are errors, values never change."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )


def seconds(value: object) -> float:
    """A duration such as `300ms`, `2s`, `10m`, `1h` as float seconds.

    Raises ValueError for anything else, bare numbers in text included: a unit is never guessed.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    text = _text(value)
    if match := _DURATION.fullmatch(text):
        return float(match[1]) * _SECONDS[match[2]]
    if _BARE.fullmatch(text):
        raise ValueError(f"{text} has no unit; write {text}s or {text}ms")
    raise ValueError(
        f'"{text}" is not a duration; write a number and a unit, such as 300ms, 2s or 10m'
    )


def size(value: object) -> int:
    """A size such as `64KiB` as bytes.

    Raises ValueError for anything else, bare numbers in text included.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = _text(value)
    if match := _SIZE.fullmatch(text):
        return int(match[1]) * _BYTES[match[2]]
    if text.isdecimal():
        raise ValueError(f"{text} has no unit; write {text}B or {text}KiB")
    raise ValueError(
        f'"{text}" is not a size; write a whole number and a unit, such as 512B, 64KiB or 10MiB'
    )


def as_duration(value: float) -> str:
    """Seconds as text in the largest unit that leaves a whole number, `0.25` as `250ms`."""
    for unit in ("d", "h", "m", "s"):
        if value and value % _SECONDS[unit] == 0:
            return f"{value / _SECONDS[unit]:.0f}{unit}"
    if not value:
        return "0s"
    return f"{round(value * 1000, 6):.6f}".rstrip("0").rstrip(".") + "ms"


def as_size(value: int) -> str:
    """Bytes as text in the largest unit that leaves a whole number."""
    for unit in ("GiB", "MiB", "KiB"):
        if value and value % _BYTES[unit] == 0:
            return f"{value // _BYTES[unit]}{unit}"
    return f"{value}B"


def _text(value: object) -> str:
    return value if isinstance(value, str) else repr(value)


DURATION_PATTERN = f"^{_DURATION.pattern}$"
SIZE_PATTERN = f"^{_SIZE.pattern}$"

Duration = Annotated[
    float,
    BeforeValidator(seconds),
    PlainSerializer(as_duration, return_type=str, when_used="json"),
    Field(ge=0),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN}),
]
"""Seconds inside, `300ms`, `2s`, `10m`, `1h` or `1d` in the file."""

Size = Annotated[
    int,
    BeforeValidator(size),
    PlainSerializer(as_size, return_type=str, when_used="json"),
    Field(ge=0),
    WithJsonSchema({"type": "string", "pattern": SIZE_PATTERN}),
]
"""Bytes inside, `512B`, `64KiB`, `10MiB` or `1GiB` in the file."""

Share = Annotated[float, Field(ge=0, le=1)]
"""A part of the whole, from 0 to 1."""
