"""What a client would rather read: content negotiation by `Accept` (RFC 9110 §12.5.1).

Knows of types only; languages, codings and charsets are not negotiated here.
"""

import re

from proxy.http.headers import list_members

_WEIGHT = re.compile(rb"q=([01](?:\.[0-9]{0,3})?)")


def named_quality(accept: bytes, kind: bytes) -> float:
    """How much the client wants `kind`, which it must name itself: 0 to 1; 0 where it does not."""
    return _ranges(accept).get(kind, 0.0)


def quality(accept: bytes, kind: bytes) -> float:
    """How much the client wants `kind`, by the most specific range that it falls into: 0 to 1."""
    ranges = _ranges(accept)
    for wanted in (kind, kind.partition(b"/")[0] + b"/*", b"*/*"):
        if wanted in ranges:
            return ranges[wanted]
    return 0.0


def prefers_html(accept: bytes | None) -> bool:
    """Whether the client names HTML and wants it more than JSON, as browsers do that navigate."""
    if accept is None or b"html" not in accept.lower():
        return False
    return named_quality(accept, b"text/html") > quality(accept, b"application/json")


def _ranges(accept: bytes) -> dict[bytes, float]:
    """The ranges with their weights; parameters of types are left out, as is a weight that is
    none."""
    ranges: dict[bytes, float] = {}
    for member in list_members(accept):
        kind, *parameters = member.split(b";")
        weight = 1.0
        for parameter in parameters:
            if match := _WEIGHT.fullmatch(parameter.strip()):
                weight = min(1.0, float(match[1]))
        ranges[kind.strip()] = weight
    return ranges
