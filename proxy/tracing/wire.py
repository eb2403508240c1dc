"""Writes the parts of an OTLP span as protobuf, straight to bytes.

Most of a span is in its attributes: those whose values recur are written once and remembered, of
the others all that stands before the value, by its length. `tests/tracing` reads them with the
library.
"""

from struct import Struct
from typing import Final

MOST: Final = 512
"""Values that are remembered: of an attribute, or of several that recur together."""
_LONGEST: Final = 256
"""Of a value that is remembered, in characters."""
_ATTRIBUTE: Final = b"\x4a"
"""`Span.attributes`"""
fixed64: Final = Struct("<Q").pack
"""A number of nanoseconds."""


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
    """What stands before data of each length, written once; forgotten where there are too many."""

    def __init__(self, tag: bytes) -> None:
        self._tag = tag
        self._known: dict[int, bytes] = {}

    def of(self, length: int) -> bytes:
        known = self._known.get(length)
        if known is None:
            if len(self._known) >= MOST:
                self._known.clear()
            known = self._known[length] = self._tag + varint(length)
        return known


class SpanAttribute:
    """An attribute of a span.

    It forgets all values when there are too many: those that recur come again.
    """

    def __init__(self, key: str) -> None:
        self._key = key
        self._known: dict[str | int | bool, bytes] = {}
        self._heads: dict[int, bytes] = {}
        """All of a text but its bytes, by how many these are."""

    def of(self, value: str) -> bytes:
        """One of those that recur."""
        known = self._known.get(value)
        if known is None:
            known = sized(_ATTRIBUTE, key_value(self._key, value))
            if len(value) <= _LONGEST:
                self._keep(value, known)
        return known

    def of_number(self, value: int) -> bytes:
        known = self._known.get(value)
        if known is None:
            known = sized(_ATTRIBUTE, key_value(self._key, value))
            self._keep(value, known)
        return known

    def put(self, lines: list[bytes], value: str) -> None:
        """One that will not come again, behind what is written already."""
        data = utf8(value)
        head = self._heads.get(len(data))
        if head is None:
            if len(self._heads) >= MOST:
                self._heads.clear()
            whole = sized(_ATTRIBUTE, key_value(self._key, "x" * len(data)))
            head = self._heads[len(data)] = whole[: len(whole) - len(data)]
        lines.append(head)
        lines.append(data)

    def _keep(self, value: str | int | bool, known: bytes) -> None:
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[value] = known
