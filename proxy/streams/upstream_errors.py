"""The upstream's own error inside a stream that its status called good.

Looked for, never made, and never changed: the reader has it already.
"""

from collections.abc import Iterator
from typing import Final

import orjson

from proxy.streams.framing import EventFraming

MARK: Final = b"error"
"""Bytes without which there is none: a stream is looked through for them, and not parsed."""

_LONGEST_WORD = 64


def error_in(framing: EventFraming) -> str | None:
    """Words for the error in what `framing` passed on last; None where there is none.

    That is an event named `error`, or JSON with a top-level `error` that says something (not null,
    false or empty) or `"type": "error"`: the data of an event, a line of NDJSON, or a line of
    bytes that are no event.
    """
    for name, data in _pieces(framing):
        if name == MARK:
            return f"the upstream sent an event named error{_words(data)}"
        if MARK in data and _is_error(data):
            return f"the upstream sent an error as data{_words(data)}"
    return None


def _pieces(framing: EventFraming) -> Iterator[tuple[bytes, bytes]]:
    for event in framing.read(framing.whole):
        yield event.name, event.data
    if framing.is_raw:
        for line in framing.whole.splitlines():
            yield b"", line


def _is_error(text: bytes) -> bool:
    told = _object(text)
    return bool(told.get("error")) or told.get("type") == "error"


def _words(text: bytes) -> str:
    """Its type or code, where it has one: a word, never a message."""
    told = _object(text)
    inner = told.get("error")
    for part in (inner if isinstance(inner, dict) else {}, told):
        for key in ("type", "code"):
            word = part.get(key)
            if isinstance(word, str) and word != "error" and _is_word(word):
                return f" ({word})"
    return ""


def _is_word(text: str) -> bool:
    return len(text) <= _LONGEST_WORD and text.isascii() and text.replace("_", "").isalnum()


def _object(text: bytes) -> dict[str, object]:
    try:
        told = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}
