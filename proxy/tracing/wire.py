"""Writes the parts of an OTLP span as protobuf, straight to bytes.

Most of a span is in its attributes: those whose values recur are written once and remembered.
`tests/tracing` reads them with the library.
"""

from struct import Struct

_MOST = 512
"""Values that an attribute remembers."""
_LONGEST = 256
"""Of a value that is remembered, in characters."""
_ATTRIBUTE = b"\x4a"
"""`Span.attributes`"""
_FIXED64 = Struct("<Q")
_SHORT = tuple(bytes((n,)) for n in range(128))


def varint(n: int) -> bytes:
    """A number that is not negative, seven bits a byte."""
    if n < 128:
        return _SHORT[n]
    written = bytearray()
    while n >= 128:
        written.append(n & 127 | 128)
        n >>= 7
    written.append(n)
    return bytes(written)


def sized(tag: bytes, data: bytes) -> bytes:
    """A field that has a length: text, bytes, a message."""
    return tag + varint(len(data)) + data


def fixed64(tag: bytes, n: int) -> bytes:
    return tag + _FIXED64.pack(n)


def key_value(key: str, value: str | int | bool) -> bytes:
    """The body of a `KeyValue`."""
    if isinstance(value, bool):
        wrapped = b"\x10\x01" if value else b"\x10\x00"
    elif isinstance(value, int):
        wrapped = b"\x18" + varint(value)
    else:
        wrapped = sized(b"\x0a", value.encode("utf-8", "replace"))
    return sized(b"\x0a", key.encode()) + sized(b"\x12", wrapped)


class SpanAttribute:
    """An attribute of a span, whose values recur.

    It forgets all values when there are too many: those that recur come again.
    """

    def __init__(self, key: str) -> None:
        self._key = key
        self._known: dict[str | int | bool, bytes] = {}
        self._head = sized(b"\x0a", key.encode()) + b"\x12"
        self._most = 127 - len(self._head) - 3
        """Bytes of a value for which every length is one byte."""

    def of(self, value: str) -> bytes:
        known = self._known.get(value)
        if known is None:
            known = self.alone(value)
            if len(value) <= _LONGEST:
                if len(self._known) >= _MOST:
                    self._known.clear()
                self._known[value] = known
        return known

    def of_number(self, value: int) -> bytes:
        known = self._known.get(value)
        if known is None:
            known = sized(_ATTRIBUTE, key_value(self._key, value))
            if len(self._known) < _MOST:
                self._known[value] = known
        return known

    def alone(self, value: str) -> bytes:
        """Of one that will not come again."""
        data = value.encode("utf-8", "replace")
        n = len(data)
        if n > self._most:
            return sized(_ATTRIBUTE, key_value(self._key, value))
        whole, inner = _SHORT[len(self._head) + 3 + n], _SHORT[n + 2]
        return b"".join((_ATTRIBUTE, whole, self._head, inner, b"\x0a", _SHORT[n], data))
