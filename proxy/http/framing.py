"""Where a response ends: message framing of RFC 9112, section 6.3, and whether the connection
persists.

Refuses whatever two readers could understand in two ways, because the reader behind us may take
the other: a doubled or listed Content-Length, one beside a Transfer-Encoding, any coding other
than exactly `chunked`, a coding in HTTP/1.0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from proxy.http.headers import combine, list_members

Headers = list[tuple[bytes, bytes]]
"""Header lines as they came: bytes, order, spelling and repetitions."""

BodyKind = Literal["none", "length", "chunked", "close"]
"""What ends the body: there is none, a count of bytes, the last chunk, the closed connection."""

_OWS = b" \t"
_KEPT = b"keep-alive"
"""What most values of `Connection` are."""
_HEAD_END = b"\r\n\r\n"
_LONGEST = 19
"""Digits of the largest Content-Length that fits 64 bits."""


@dataclass(slots=True, init=False)
class Framing:
    """Where the body ends. `length` is None unless `kind` is "length"."""

    kind: BodyKind
    length: int | None
    keeps_alive: bool
    """Whether the connection may carry another exchange once the body has ended."""

    def __init__(self, kind: BodyKind, length: int | None, keeps_alive: bool) -> None:
        self.kind = kind
        self.length = length
        self.keeps_alive = keeps_alive


@dataclass(frozen=True, slots=True)
class Malformed:
    """Why a head cannot be believed."""

    why: str


@dataclass(slots=True, init=False)
class ResponseHead:
    """Status and headers of a response."""

    status: int
    reason: bytes
    headers: Headers
    fields: dict[bytes, bytes]
    """All headers by lower-case name, repeated ones joined."""
    http_version: str
    framing: BodyKind
    length: int | None
    """Length of the body; None unless `framing` is "length"."""

    def __init__(
        self,
        status: int,
        reason: bytes,
        headers: Headers,
        http_version: str,
        framing: BodyKind,
        length: int | None,
        fields: dict[bytes, bytes] | None = None,
    ) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers
        self.fields = combine(headers) if fields is None else fields
        self.http_version = http_version
        self.framing = framing
        self.length = length


def read_as(http_version: str) -> str:
    """The version that a message is read as: a later minor of 1 is 1.1 (RFC 9110 §2.5)."""
    return "1.1" if "1.1" < http_version < "2" else http_version


def parse_framing(
    method: str, status: int, http_version: str, fields: Mapping[bytes, bytes]
) -> Framing | Malformed:
    """The framing of the answer with this head to a request with `method`.

    `fields` are its headers by lower-case name; what was there twice is a list, and refused as
    such.
    """
    length, coding = fields.get(b"content-length"), fields.get(b"transfer-encoding")
    why = _refusal(status, http_version, length, coding)
    if why:
        return Malformed(why)
    lives = keeps_alive(http_version, fields.get(b"connection"))
    if has_no_body(method, status):
        return Framing("none", None, lives)
    if coding is not None:
        return Framing("chunked", None, lives)
    if length is not None:
        return Framing("length", int(length), lives)
    return Framing("close", None, False)


def ends_head(data: bytes) -> bool:
    """Whether nothing stands behind the end of a head that was completed within `data`."""
    return data.endswith(_HEAD_END) or _HEAD_END.endswith(data)


def is_coded(headers: Headers) -> bool:
    """Whether there is a Transfer-Encoding."""
    return any(name.lower() == b"transfer-encoding" for name, _ in headers)


def has_no_body(method: str, status: int) -> bool:
    """Whether the answer ends with its head, whatever its headers announce."""
    return method == "HEAD" or status in (204, 304) or status < 200


def keeps_alive(http_version: str, connection: bytes | None) -> bool:
    """Whether the sender means to keep the connection; `connection` is the value of that header.

    RFC 9112, section 9.3.
    """
    if connection is None or connection == _KEPT:
        return http_version == "1.1" or connection is not None
    options = list_members(connection)
    return b"close" not in options and (http_version == "1.1" or b"keep-alive" in options)


def refused_switch(http_version: str, headers: Headers) -> str | None:
    """Why a 101 does not lead to a WebSocket, for which it was asked; None where it does.

    RFC 9110, section 7.8, and RFC 6455, section 4.1.
    """
    fields = combine(headers)
    if http_version != "1.1":
        return f"101 in HTTP/{http_version}"
    if fields.get(b"upgrade", b"").lower() != b"websocket":
        return "101 with another Upgrade than was asked for"
    if b"upgrade" not in list_members(fields.get(b"connection", b"")):
        return "101 without Connection: upgrade"
    if b"transfer-encoding" in fields or fields.get(b"content-length", b"0") != b"0":
        return "101 with a body"
    return None


def _refusal(
    status: int, http_version: str, length: bytes | None, coding: bytes | None
) -> str | None:
    if http_version not in ("1.1", "1.0"):
        return f"HTTP version {http_version}"
    if not 100 <= status <= 999:
        return f"status {status}"
    if coding is not None:
        return _refused_coding(http_version, coding, has_length=length is not None)
    return _refused_length(length.strip(_OWS)) if length is not None else None


def _refused_coding(http_version: str, coding: bytes, *, has_length: bool) -> str | None:
    if has_length:
        return "Content-Length beside Transfer-Encoding"
    if http_version == "1.0":
        return "Transfer-Encoding in HTTP/1.0"
    named = coding.strip(_OWS).lower()
    if named.count(b"chunked") > 1:
        return "Transfer-Encoding twice"
    return None if named == b"chunked" else "a transfer coding other than chunked"


def _refused_length(digits: bytes) -> str | None:
    if digits.isdigit() and len(digits) <= _LONGEST:
        return None
    return "more than one Content-Length" if b"," in digits else "Content-Length is no number"
