"""The end marker: what a route's upstream says last when it has said everything.

Some upstreams never send one, so nothing is required unless a route says so.
The marker is looked for, never made.
"""

import re
from collections.abc import Callable

import orjson

from proxy.streams.framing import EventFraming, StreamEvent
from proxy.streams.rules import EndMarkerRule

Test = Callable[[StreamEvent], bool]

_NEVER_ESCAPED = re.compile(r"[A-Za-z_-][A-Za-z0-9_-]*")  # and no index of a list


class EndMarker:
    """Watches one stream for its end marker; `is_carried` once it has passed."""

    __slots__ = ("_framing", "_needle", "_test", "is_carried")

    def __init__(self, framing: EventFraming, needle: bytes, test: Test) -> None:
        self._framing = framing
        self._needle = needle
        self._test = test
        self.is_carried = False

    def see(self, whole: bytes) -> None:
        """Look at what the framing returned: whole events, or the tail of a stream that ended.

        The tail counts, although a reader that goes by the standard drops it: an upstream that
        forgot its last blank line has not been cut off.
        """
        if not self.is_carried and whole.find(self._needle) >= 0:
            self.is_carried = any(map(self._test, self._framing.read(whole)))

    @property
    def is_missing(self) -> bool:
        """Whether a stream that ends here lacks its marker; not where its end was not seen whole,
        and may have carried it."""
        return not (self.is_carried or self._framing.ends_unseen)


def end_marker(rule: EndMarkerRule, framing: EventFraming) -> EndMarker | None:
    """A watch for the marker of `rule`; None where it is off, or the format cannot carry it."""
    if rule.mode == "off":
        return None
    if rule.data is not None:
        data = rule.data.encode()
        return EndMarker(framing, data, lambda event: event.data.strip() == data)
    if rule.event is not None:
        name = rule.event.encode()
        named = EndMarker(framing, name, lambda event: event.name == name)
        return named if framing.profile == "sse" else None
    path = tuple((rule.json_field or "").split("."))
    return EndMarker(framing, _needle_of(path), lambda event: _is_set(event.data, path))


def _needle_of(path: tuple[str, ...]) -> bytes:
    """Bytes without which no JSON has the field; none where they might be written as an escape."""
    return path[-1].encode() if _NEVER_ESCAPED.fullmatch(path[-1]) else b""


def _is_set(text: bytes, path: tuple[str, ...]) -> bool:
    try:
        value = _at(orjson.loads(text), path)
    except orjson.JSONDecodeError:
        return False
    return value is not None and value is not False and value != ""


def _at(value: object, path: tuple[str, ...]) -> object:
    """The value at `path`, None where there is none; a number counts along a list."""
    for key in path:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value
