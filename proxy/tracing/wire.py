"""Writes the parts of an OTLP span as protobuf, straight to bytes.

Most of a span is in its attributes: those whose values recur are written once and remembered, of
the others all that stands before the value, by its length. `tests/tracing` reads them with the
library.
"""

from collections.abc import Callable
from typing import Final

MOST: Final = 512
"""Values that are remembered: of an attribute, or of several that recur together."""
_LONGEST: Final = 256
"""Of a value that is remembered, in characters."""
_ATTRIBUTE: Final = b"\x4a"
"""`Span.attributes`"""


def varint(n: int) -> bytes:
    """A number that is not negative, seven bits a byte."""
    written = bytearray()
    while n >= 128:
        written.append(n & 127 | 128)
        n >>= 7
    written.append(n)
    return bytes(written)


def sized(tag: bytes, data: bytes) -> bytes:
    """A field that has a length: text, bytes, a message."""
    return tag + varint(len(data)) + data


def utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a character
        return text.encode("utf-8", "replace")


def key_value(key: str, value: str | int | bool) -> bytes:
    """The body of a `KeyValue`."""
    if isinstance(value, bool):
        wrapped = b"\x10\x01" if value else b"\x10\x00"
    elif isinstance(value, int):
        wrapped = b"\x18" + varint(value)
    else:
        wrapped = sized(b"\x0a", utf8(value))
    return sized(b"\x0a", key.encode()) + sized(b"\x12", wrapped)


class SizedHeads:
    """What stands before data of each length: `write` is asked once for each below `most`."""

    def __init__(self, write: Callable[[int], bytes], most: int = MOST) -> None:
        self._write = write
        self._known: list[bytes] = [b""] * most

    def of(self, length: int) -> bytes:
        if length >= len(self._known):
            return self._write(length)
        known = self._known[length]
        if not known:
            known = self._known[length] = self._write(length)
        return known


def text_heads(key: str) -> SizedHeads:
    """All of an attribute of a span but its text."""
    before = sized(b"\x0a", key.encode())

    def write(length: int) -> bytes:
        text = b"\x0a" + varint(length)
        wrapped = b"\x12" + varint(len(text) + length) + text
        return _ATTRIBUTE + varint(len(before) + len(wrapped) + length) + before + wrapped

    return SizedHeads(write)


class SpanAttribute:
    """An attribute of a span whose values recur.

    It forgets all of them when there are too many: those that recur come again.
    """

    def __init__(self, key: str) -> None:
        self._key, self._texts = key, text_heads(key)
        self._known: dict[str | int | bool, bytes] = {}

    def of(self, value: str) -> bytes:
        known = self._known.get(value)
        if known is None:
            text = utf8(value)
            known = self._texts.of(len(text)) + text
            if len(value) <= _LONGEST:
                self._keep(value, known)
        return known

    def of_number(self, value: int) -> bytes:
        known = self._known.get(value)
        if known is None:
            known = sized(_ATTRIBUTE, key_value(self._key, value))
            self._keep(value, known)
        return known

    def of_flag(self, value: bool) -> bytes:
        """Not by `of_number`: compiled, what is given as a number has become one."""
        return sized(_ATTRIBUTE, key_value(self._key, value))

    def _keep(self, value: str | int | bool, known: bytes) -> None:
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[value] = known
