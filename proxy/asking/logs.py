"""Stories out of JSON logs, for when nobody is there to be asked.

A line is the log's own, or the log's own within the line of a container runtime.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from proxy.stories.query import Wanted
from proxy.stories.retell import retell

_IDS: Final = ("request_id", "client_request_id", "upstream_request_id")
_PLAIN: Final = re.compile(r"[A-Za-z0-9._:=/+#|@~,-]+")
"""What JSON writes as it is, also within JSON."""
_WRAPPERS: Final = ("log", "message", "MESSAGE")
"""Keys under which Docker, Fluent Bit and journald keep the line they carry."""


def stories_in(lines: Iterable[str], wanted: str) -> Sequence[Mapping[str, object]]:
    """The stories of all exchanges under this ID, newest first."""
    told = [retell(event) for event in _events(lines, wanted)]
    return told[::-1]


def _events(lines: Iterable[str], wanted: str) -> Iterator[Mapping[str, object]]:
    forms = Wanted(wanted).forms
    plain = [form for form in forms if _PLAIN.fullmatch(form)]
    may_hide = len(plain) < len(forms)
    for line in lines:
        if not (may_hide or any(form in line for form in plain)):
            continue
        event = _event(line)
        if event.get("event") == "exchange" and not forms.isdisjoint(_ids_of(event)):
            yield event


def _ids_of(event: Mapping[str, object]) -> Iterator[str]:
    others = event.get("upstream_ids")
    for value in (
        *(event.get(name) for name in _IDS),
        *(others.values() if isinstance(others, dict) else ()),
    ):
        if isinstance(value, str):
            yield value


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
