"""The identity of a request: its request ID and its trace context.

An ID is chosen here once and from then on the same on every line, header and page.
Nothing of the client's is ever used unless it is short and plain.
"""

import re
from binascii import unhexlify
from collections.abc import Mapping
from secrets import token_bytes
from struct import Struct
from typing import Final

_PLAIN = re.compile(rb"(?!\.{1,2}\Z)[A-Za-z0-9._:=/+#|@~,-]{1,200}")
"""What .NET, AWS, gateways and base64 make. Not a lone dot or two: no link could lead to them."""
_LONGEST = 1024
"""Of an ID of others that is kept for redaction to see whole; records cut it further."""

OtherIds = tuple[tuple[bytes, str], ...]
"""Headers of answers that carry IDs of others: as keys of fields are written, and as in settings.
"""
_TRACEPARENT = re.compile(
    rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-[^,]*)?"
)


def identify(given: bytes | None, *, kept: bool) -> tuple[str, str | None]:
    """The request ID, and the client's own where it was replaced.

    `given` is the header's value, repeated ones joined; `kept`: whether this client is trusted.
    """
    if given is None:
        return new_id(), None
    if kept and _PLAIN.fullmatch(given):
        return given.decode(), None
    return new_id(), given[:_LONGEST].decode("latin-1") or None


def other_ids(fields: Mapping[bytes, bytes], headers: OtherIds, ours: str) -> dict[str, str] | None:
    """The IDs by which the upstream knows this exchange, by header; None where it names none.

    `headers` in the order of their worth; `ours` is no other one.
    """
    found: dict[str, str] | None = None
    for key, name in headers:
        if key in fields and (value := fields[key]) and value != ours.encode():
            found = found or {}
            found[name] = value[:_LONGEST].decode("latin-1")
    return found


def new_id() -> str:
    """A random UUID (RFC 9562 §5.4)."""
    if not _ids:
        _ids.extend(_drawn_ids())
    return _ids.pop()


_ids: Final[list[str]] = []
"""Some that nobody has yet: to make many at once costs a third."""
_AT_ONCE: Final = 64
_GROUPS: Final = Struct("8s4s4s4s12s")
_TO_VARIANT: Final = bytes.maketrans(b"0123456789abcdef", b"89ab" * 4)


def _drawn_ids() -> list[str]:
    digits = bytearray(random_hex(32 * _AT_ONCE), "ascii")
    digits[12::32] = b"4" * _AT_ONCE
    digits[16::32] = digits[16::32].translate(_TO_VARIANT)
    return [b"-".join(groups).decode() for groups in _GROUPS.iter_unpack(digits)]


_DRAWN: Final = 2048


class _Draw:
    """Random bytes, drawn from the system a few kilobytes at a time: calls cost more."""

    def __init__(self) -> None:
        self._bytes = b""
        self._used = _DRAWN

    def take(self, size: int) -> bytes:
        end = self._used + size
        if end > _DRAWN:
            self._bytes, end = token_bytes(_DRAWN), size
        self._used = end
        return self._bytes[end - size : end]


_draw: Final = _Draw()


def random_bytes(size: int) -> bytes:
    """So many, at most some thousand."""
    return _draw.take(size)


def random_hex(digits: int) -> str:
    """So many random hex digits, an even number."""
    return _draw.take(digits // 2).hex()


def trace_place(parent: bytes | None) -> bytes:
    """Trace and span of the client's own `traceparent` (W3C Trace Context), for the record only:
    16 and 8 bytes.

    Empty where it is missing or invalid. Where no spans are exported the header itself, valid
    or not, goes on as it came: a new parent that nobody exports would orphan every span behind us.
    """
    return trace_parent(parent)[0]


def trace_parent(parent: bytes | None) -> tuple[bytes, str]:
    """Trace and span, 16 and 8 bytes, and two hex digits of flags; all empty where it is missing or
    invalid."""
    match = _TRACEPARENT.fullmatch(parent) if parent else None
    if match is None or (match[1] == b"00" and match[5]):
        return b"", ""
    return unhexlify(match[2] + match[3]), match[4].decode()
