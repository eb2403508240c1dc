"""Stories out of JSON logs, for when nobody is there to be asked.

A line is the log's own, or the log's own within the line of a container runtime.
What cannot be read is counted and passed over: a log may hold anything.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from proxy.stories.retell import retell

_IDS: Final = ("request_id", "client_request_id", "upstream_request_id")
_WRAPPERS: Final = ("log", "message", "MESSAGE")
"""Keys under which Docker, Fluent Bit and journald keep the line they carry."""


@dataclass(slots=True)
class Found:
    """`stories` newest first; `unread` counts lines that name the ID and are no JSON."""

    stories: list[Mapping[str, object]] = field(default_factory=list)
    unread: int = 0


def stories_in(lines: Iterable[str], wanted: str) -> Found:
    """The stories of all exchanges under this ID."""
    found = Found()
    for line in lines:
        if wanted not in line:
            continue
        try:
            event = _event(line)
        except (ValueError, RecursionError):  # no JSON, digits without end, nested without end
            found.unread += 1
            continue
        if event.get("event") == "exchange" and wanted in [event.get(name) for name in _IDS]:
            found.stories.insert(0, retell(event))
    return found


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
