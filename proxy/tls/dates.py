"""When certificates begin and cease to be valid, read from their PEM text.

The standard library tells it only of certificates that a peer has shown.
"""

import base64
import binascii
import re
from calendar import timegm
from dataclasses import dataclass
from typing import Final

_BLOCK: Final = re.compile(
    r"-----BEGIN (?:X509 )?CERTIFICATE-----(.+?)-----END (?:X509 )?CERTIFICATE-----", re.DOTALL
)
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_DIGITS: Final = re.compile(rb"[0-9]{14}Z")
_LONG: Final = 0x80


@dataclass(frozen=True, slots=True)
class Validity:
    """Seconds since 1970."""

    begins: float
    ends: float


def validities(pem: str) -> list[Validity]:
    """Of every certificate in the text, in order.

    Raises ValueError where one of them is broken.
    """
    return [_validity(_decoded(match[1])) for match in _BLOCK.finditer(pem)]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise ValueError(f"a certificate is not base64: {error}") from None


def _validity(der: bytes) -> Validity:
    """RFC 5280 §4.1: the fifth field of what is signed, the version not counted."""
    try:
        _, at, _ = _element(der, 0)
        _, at, _ = _element(der, at)
        kind, _, end = _element(der, at)
        at = end if kind == _VERSION else at
        for _ in ("serial number", "signature", "issuer"):
            _, _, at = _element(der, at)
        _, at, _ = _element(der, at)
        begins, at = _time(der, at)
        ends, _ = _time(der, at)
    except IndexError:
        raise ValueError("a certificate is cut off") from None
    return Validity(begins, ends)


def _element(der: bytes, at: int) -> tuple[int, int, int]:
    """The tag of an element, where its content begins, and where it ends."""
    length, start = der[at + 1], at + 2
    if length >= _LONG:
        size = length - _LONG
        length, start = int.from_bytes(der[start : start + size], "big"), start + size
    return der[at], start, start + length


def _time(der: bytes, at: int) -> tuple[float, int]:
    kind, start, end = _element(der, at)
    text = der[start:end]
    if kind == _UTC_TIME:  # RFC 5280 §4.1.2.5.1: of the years 1950 to 2049
        text = (b"19" if text[:1] >= b"5" else b"20") + text
    if not _DIGITS.fullmatch(text):
        raise ValueError("a certificate has no validity")
    year, *rest = (int(text[:4]), *(int(text[n : n + 2]) for n in range(4, 14, 2)))
    return float(timegm((year, *rest))), end
