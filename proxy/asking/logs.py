"""Stories out of JSON logs, for when nobody is there to be asked.

A line is the log's own, or the log's own within the line of a container runtime.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from proxy.stories.retell import retell

_IDS: Final = ("request_id", "client_request_id", "upstream_request_id")
_WRAPPERS: Final = ("log", "message", "MESSAGE")
"""Keys under which Docker, Fluent Bit and journald keep the line they carry."""


def stories_in(lines: Iterable[str], wanted: str) -> Sequence[Mapping[str, object]]:
    """The stories of all exchanges under this ID, newest first."""
    told = [retell(event) for event in _events(lines, wanted)]
    return told[::-1]


def _events(lines: Iterable[str], wanted: str) -> Iterator[Mapping[str, object]]:
    for line in lines:
        if wanted not in line:
            continue
        event = _event(line)
        if event.get("event") == "exchange" and wanted in [event.get(name) for name in _IDS]:
            yield event


def _event(line: str) -> Mapping[str, object]:
    """Empty where the line holds none. What stands before the first brace is the runtime's."""
    try:
        found = json.loads(line[max(0, line.find("{")) :])
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    inner = next((found[key] for key in _WRAPPERS if isinstance(found.get(key), str)), None)
    return _event(inner) if inner is not None and "event" not in found else found
