"""Stories from JSON logs, for when no Sidelight can be asked.

A line is the log's own, or the log's own within the line of a container runtime.
What cannot be read is counted and passed over: a log may hold anything.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from proxy.diagnostics.stories.asked_id import beginnings_of, forms_of
from proxy.diagnostics.stories.from_log import story_from_log
from proxy.diagnostics.stories.query import Wanted

_IDS: Final = ("request_id", "client_request_id", "upstream_request_id", "trace_id")
_PLAIN: Final = re.compile(r"[A-Za-z0-9._:=/+#|@~,-]+")
"""What JSON writes as it is, also within JSON."""
_WRAPPERS: Final = ("log", "message", "MESSAGE")
"""Keys under which Docker, Fluent Bit and journald keep the line they carry."""


@dataclass(slots=True)
class LoggedStories:
    """`stories` newest first; `unread` counts lines that name the ID and are no JSON."""

    stories: list[Mapping[str, object]] = field(default_factory=list)
    unread: int = 0


def stories_in(lines: Iterable[str], wanted: str) -> LoggedStories:
    """The stories of all exchanges under this ID, or one that begins so."""
    found = LoggedStories()
    forms = Wanted(*forms_of(wanted)).forms
    starts = beginnings_of(wanted)
    plain = [form for form in forms if _PLAIN.fullmatch(form)]
    may_hide = len(plain) < len(forms)
    for line in lines:
        if not (may_hide or any(form in line for form in plain)):
            continue
        try:
            event = _event(line)
        except (ValueError, RecursionError):  # no JSON, digits without end, nested without end
            found.unread += 1
            continue
        if event.get("event") == "exchange" and _is_asked_for(event, forms, starts):
            found.stories.insert(0, story_from_log(event))
    return found


def _is_asked_for(
    event: Mapping[str, object], forms: frozenset[str], starts: tuple[str, ...]
) -> bool:
    return any(known in forms or known.startswith(starts) for known in _ids_of(event))


def _ids_of(event: Mapping[str, object]) -> Iterator[str]:
    others = event.get("upstream_ids")
    for value in (
        *(event.get(name) for name in _IDS),
        *(others.values() if isinstance(others, dict) else ()),
    ):
        if isinstance(value, str):
            yield value


def ids_in(lines: Iterable[str]) -> Iterator[str]:
    """The IDs that are asked for in a text: those of events in lines of a log, else each line."""
    for line in lines:
        try:
            event = _event(line)
        except (ValueError, RecursionError):
            event = {}
        known = event.get("request_id")
        if isinstance(known, str):
            yield known
        elif (word := line.strip()) and not event:
            yield word


def _event(line: str) -> Mapping[str, object]:
    """Empty where the line holds none. What stands before the first brace is the runtime's.

    Raises ValueError or RecursionError.
    """
    start = line.find("{")
    if start < 0:
        return {}
    event = json.loads(line[start:])
    inner = next((event[key] for key in _WRAPPERS if isinstance(event.get(key), str)), None)
    return _event(inner) if inner is not None and "event" not in event else event
