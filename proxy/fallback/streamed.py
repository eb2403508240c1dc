"""A text as a whole stream: one event that carries it, and the end marker of the route.

For answers of our own that are whole before they begin. A stream of the upstream's is never given
an end marker.
"""

import re
from typing import Final

import orjson

from proxy.streams.framing import Profile
from proxy.streams.markers import end_marker
from proxy.streams.recognition import FRAMINGS, media_type
from proxy.streams.rules import EndMarkerRule

_LINES: Final = re.compile(rb"\r\n|\r|\n")


def streams_of(kind: str, body: bytes, marker: EndMarkerRule) -> dict[bytes, bytes]:
    """`body` as a stream, by each content type that a client may ask for; none where it is neither
    text nor JSON, or a stream already.

    Raises ValueError where it is not what `kind` says.
    """
    if media_type(kind.encode()) in FRAMINGS or not (_is_json(kind) or _is_text(kind)):
        return {}
    line = _line(body) if _is_json(kind) else orjson.dumps({"message": _text(body).strip()})
    data = line if _is_json(kind) else body
    return {
        stream: _with_marker(stream, _event(framing.profile, data, line), marker)
        for stream, framing in FRAMINGS.items()
    }


def _is_json(kind: str) -> bool:
    named = media_type(kind.encode())
    return named == b"application/json" or named.endswith(b"+json")


def _is_text(kind: str) -> bool:
    """Whether it is text that can be read here: UTF-8, or of no charset of its own."""
    named, _, parameters = kind.lower().partition(";")
    _, charset, name = parameters.partition("charset=")
    return named.startswith("text/") and (not charset or name == "utf-8")


def as_stream(kind: bytes, body: bytes, marker: EndMarkerRule) -> bytes:
    """`body`, which is a stream of type `kind` already, ended as one ends.

    Raises ValueError where there is no event in it.
    """
    end = b"\n\n" if FRAMINGS[kind].profile == "sse" else b"\n"
    whole = body.rstrip(b"\r\n") + end
    framing = FRAMINGS[kind]()
    framing.feed(whole)
    if framing.is_raw or not framing.events:
        raise ValueError(f"has no event in it, as {kind.decode()} has")
    return _with_marker(kind, whole, marker)


def _line(body: bytes) -> bytes:
    try:
        return orjson.dumps(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise ValueError(f"is no JSON: {error}") from None


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"is not UTF-8, see byte {error.start + 1}; name its charset in the type"
        ) from None


def _event(profile: Profile, data: bytes, line: bytes) -> bytes:
    """One event: of server-sent ones with this data, of others this line."""
    if profile == "sse":
        lines = _LINES.split(data.rstrip(b"\r\n"))
        return b"".join(b"data: %b\n" % each for each in lines) + b"\n"
    return b"\x1e%b\n" % line if profile == "json-seq" else line + b"\n"


def _with_marker(kind: bytes, stream: bytes, rule: EndMarkerRule) -> bytes:
    """`stream` with the route's end marker behind it, unless it carries it or there is none."""
    framing, sought = FRAMINGS[kind](), _sought(rule)
    marker = end_marker(sought, framing)
    if marker is None:
        return stream
    framing.feed(stream)
    marker.see(framing.whole)
    return stream if marker.is_carried else stream + _marker(framing.profile, sought)


def _sought(rule: EndMarkerRule) -> EndMarkerRule:
    """The marker that `rule` names, whether the route looks for it in streams or not."""
    for key in ("data", "event", "json_field"):
        if (value := getattr(rule, key)) is not None:
            return EndMarkerRule.model_validate({"mode": "strict", key: value})
    return rule


def _marker(profile: Profile, rule: EndMarkerRule) -> bytes:
    """The event that carries the marker."""
    data, name = (rule.data or "{}").encode(), b""
    if rule.json_field is not None:
        data = orjson.dumps(_at(rule.json_field.split("."), value=True))
    if rule.event is not None:
        name = b"event: %b\n" % rule.event.encode()
    if profile == "sse":
        return b"%bdata: %b\n\n" % (name, data)
    return b"\x1e%b\n" % data if profile == "json-seq" else data + b"\n"


def _at(path: list[str], *, value: object) -> object:
    """JSON in which `value` stands at `path`; a number counts along a list."""
    for key in reversed(path):
        value = [value] if key == "0" else {key: value}
    return value
