"""Parses query parameters and JSON bodies of the admin port; all faults are reported at once.

Each parameter has a reader that gives its value or raises ValueError with what was expected.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Final

from proxy.diagnostics.stories.grouping import COLUMNS, FIELD, is_column
from proxy.diagnostics.stories.query import Query
from proxy.knobs import seconds
from proxy.observation.redaction import redact, redact_named
from proxy.outcome import OUTCOMES

MOST: Final = 1000
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?")
_LONGEST_NAME: Final = 64
_LONGEST_TEXT: Final = 512
LONGEST_WAIT: Final = 25
"""Seconds for which somebody may wait for the next exchanges."""
_LARGEST: Final = 10**15
_LONGEST_SILENCE: Final = 30 * 86400.0
"""Seconds; whoever wants more wants another rule."""


@dataclass(frozen=True, slots=True)
class ParameterFault:
    """A parameter that cannot be understood; `value` is as it may be shown."""

    parameter: str
    value: str
    expected: str


def query_of(given: Iterable[tuple[str, str]], wall: float) -> Query | list[ParameterFault]:
    """The question in the parameters of a query; `wall` is now. An empty value asks nothing."""
    understood: dict[str, object] = {}
    fields: dict[str, str] = {}
    faults: list[ParameterFault] = []
    for name, value in given:
        if value == "":
            continue
        try:
            if name.startswith(FIELD) and len(name) > len(FIELD):
                fields[name.removeprefix(FIELD)] = value
            elif name in understood:
                raise ValueError("it once")
            else:
                understood[name] = _read(name, value, wall)
        except ValueError as wrong:
            faults.append(fault(name, value, str(wrong)))
    return faults or Query(**understood, fields=fields)  # type: ignore[arg-type]


def followed_of(
    given: Iterable[tuple[str, str]], wall: float
) -> tuple[int | None, float, Query] | list[ParameterFault]:
    """Where to go on, for how long to wait, and for what; `wall` is now."""
    rest, own = [], {"after": "", "wait": ""}
    for name, value in given:
        if name in own:
            own[name] = value
        else:
            rest.append((name, value))
    query = query_of(rest, wall)
    faults = query if isinstance(query, list) else []
    if own["after"] and not _is_whole(own["after"], _LARGEST):
        faults.append(fault("after", own["after"], "the cursor of the answer before"))
    if own["wait"] and not _is_whole(own["wait"], LONGEST_WAIT):
        faults.append(fault("wait", own["wait"], f"whole seconds, at most {LONGEST_WAIT}"))
    if faults or isinstance(query, list):
        return faults
    return int(own["after"]) if own["after"] else None, float(own["wait"] or 0), query


def _is_whole(value: str, most: int) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 17 and int(value) <= most


def fault(name: str, value: str, expected: str) -> ParameterFault:
    """A fault with what may be shown of the value."""
    shown = redact(name, _LONGEST_NAME)
    return ParameterFault(
        shown, redact(value) if name in READERS else redact_named(shown, value), expected
    )


def point_in_time(value: str, wall: float) -> float:
    """Seconds since 1970 of `1700000000`, of `2026-11-22T03:00:00Z`, or of `15m`: so long ago."""
    if _NUMBER.fullmatch(value):
        return float(value)
    try:
        return wall - seconds(value)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(
            "a time such as 2026-11-22T03:00:00Z, seconds since 1970, or an age such as 15m"
        ) from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def silence_until(body: Mapping[str, object], wall: float) -> float | list[ParameterFault]:
    """The end of a silence in a body such as `{"for": "1h"}`; in the past: no silence."""
    faults = [fault(name, str(body[name]), "only for") for name in body if name != "for"]
    value = body.get("for", "1h")
    try:
        length = seconds(value if isinstance(value, str) else repr(value))
    except ValueError:
        length = -1.0
    if not 0 <= length <= _LONGEST_SILENCE:
        expected = "a duration such as 30m or 2h, 30d at most; 0s ends a silence"
        faults.append(fault("for", str(value), expected))
    return faults or wall + length


def _read(name: str, value: str, wall: float) -> object:
    reader = READERS.get(name)
    if reader is None:
        near = get_close_matches(name, READERS, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"one of {', '.join(READERS)}, {FIELD}<name>{hint}")
    return reader(value, wall)


def _code(value: str, _: float) -> str:
    if value in OUTCOMES:
        return value
    near = get_close_matches(value, OUTCOMES, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ValueError(f"a code of docs/outcomes.md such as head_timeout{hint}")


def _name(value: str, _: float) -> str:
    if len(value) > _LONGEST_NAME:
        raise ValueError(f"the name of a route, at most {_LONGEST_NAME} characters")
    return value


def _short(value: str, _: float) -> str:
    if len(value) > _LONGEST_TEXT:
        raise ValueError(f"at most {_LONGEST_TEXT} characters")
    return value


def _group(value: str, _: float) -> str:
    if not is_column(value):
        raise ValueError(f"one of {', '.join(COLUMNS)}, {FIELD}<name>")
    return value


def _whole(least: int, most: int, what: str) -> Callable[[str, float], int]:
    def read(value: str, _: float) -> int:
        if not (value.isascii() and value.isdigit() and len(value) < 6):
            raise ValueError(what)
        if not least <= int(value) <= most:
            raise ValueError(what)
        return int(value)

    return read


READERS: Final[dict[str, Callable[[str, float], object]]] = {
    "code": _code,
    "route": _name,
    "status": _whole(100, 999, "a status from 100 to 999"),
    "method": _short,
    "path": _short,
    "endpoint": _short,
    "agent": _short,
    "detail": _short,
    "instance": _short,
    "group": _group,
    "since": point_in_time,
    "until": point_in_time,
    "limit": _whole(1, MOST, f"a whole number from 1 to {MOST}"),
}
