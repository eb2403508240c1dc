"""A client's certificate: its names, whether one of them is allowed, and how upstreams hear of it.

Whom it was issued by was verified before.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

_KINDS: Final = ("URI", "DNS")
_PLAIN: Final = " !#$&'()*+,/:;<=>?@[]^_`{|}~."
"""What stands in a quoted value as it is; the rest, `"`, `\\` and all controls, by `%`."""
_NEEDS_QUOTES: Final = frozenset(',;=" ')


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What is kept of it."""

    name: str
    """The name by which the client was let in."""
    line: bytes = b""
    """The header line for upstreams; empty where they are not told."""


def names_in(shown: Mapping[str, Any]) -> tuple[str, ...]:
    """The URI and DNS names, in this order; the common name only where there are no alternative
    names of any kind (RFC 9525 §2). `shown` is what `getpeercert` gives.
    """
    alternative = shown.get("subjectAltName", ())
    if alternative:
        return tuple(name for kind in _KINDS for one, name in alternative if one == kind)
    return tuple(name for kind, name in _subject(shown) if kind == "commonName")


def chosen_name(names: tuple[str, ...], allowed: tuple[str, ...]) -> str | None:
    """The name by which it is let in; None where none of its names is allowed.

    Host names are compared without regard to case, URIs as they are.
    """
    if not allowed:
        return names[0] if names else ""
    wanted = {_compared(name) for name in allowed}
    return next((name for name in names if _compared(name) in wanted), None)


def forwarded_line(shown: Mapping[str, Any], der: bytes) -> bytes:
    """`X-Forwarded-Client-Cert` in the form of Envoy, but with long names in the subject
    (`commonName=`): hash, subject, URIs, DNS names."""
    return b"X-Forwarded-Client-Cert: %b\r\n" % ";".join(_pairs(shown, der)).encode("ascii")


def _pairs(shown: Mapping[str, Any], der: bytes) -> Iterator[str]:
    yield f"Hash={hashlib.sha256(der).hexdigest()}"
    subject = ",".join(f"{kind}={value}" for kind, value in _subject(shown))
    yield f'Subject="{_safe(subject)}"'
    for kind in _KINDS:
        for one, name in shown.get("subjectAltName", ()):
            if one == kind:
                yield f"{kind}={_value(name)}"


def _value(text: str) -> str:
    safe = _safe(text)
    return f'"{safe}"' if _NEEDS_QUOTES & set(safe) else safe


def _safe(text: str) -> str:
    return quote(text, safe=_PLAIN, errors="replace")


def _subject(shown: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for relative in shown.get("subject", ()):
        yield from relative


def _compared(name: str) -> str:
    return name if ":" in name else name.lower()
