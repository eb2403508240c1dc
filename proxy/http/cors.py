"""Cross-origin rules: what a page of another origin may read.

On our own errors as on good answers: without these headers a browser hides even the status.
"""

from collections.abc import Mapping

from proxy.http.rules import CorsRule

_EXPOSED = (
    b"X-Request-ID, Retry-After, X-Sidelight-Error, X-Sidelight-Fallback, Proxy-Status, RateLimit, "
    b"RateLimit-Policy"
)
_SHOWN = 100
_EXPOSING = b"Access-Control-Expose-Headers: "


def grants(rule: CorsRule, origin: bytes | None, id_header: bytes = b"X-Request-ID") -> bytes:
    """Header lines for an answer to a page of `origin`; only `Vary` where it may not read.

    What is open to all says so to everybody, asked or not: a cache may give the answer to a
    request without `Origin` to a page (Fetch, "CORS protocol and HTTP caches").
    """
    exposed = _EXPOSED if id_header == b"X-Request-ID" else id_header + b", " + _EXPOSED
    exposing = _EXPOSING + exposed + rule.exposing + b"\r\n"
    if "*" in rule.origins:
        return b"Access-Control-Allow-Origin: *\r\n" + exposing
    lines = b"Vary: Origin\r\n"
    if not may_read(rule, origin):
        return lines
    lines += b"Access-Control-Allow-Origin: %b\r\n" % (origin or b"")
    if rule.credentials:
        lines += b"Access-Control-Allow-Credentials: true\r\n"
    return lines + exposing


def may_read(rule: CorsRule, origin: bytes | None) -> bool:
    """Whether a page of `origin` may read answers."""
    if "*" in rule.origins:
        return True
    return origin is not None and origin.decode("latin-1") in rule.origins


def with_exposed(granted: bytes, theirs: bytes) -> bytes:
    """The lines of `grants` with the names that the upstream itself exposes."""
    return granted.replace(_EXPOSING, _EXPOSING + theirs + b", ")


def preflight_asked(fields: Mapping[bytes, bytes], rule: str) -> str:
    """What a preflight that is refused by `rule` asked for, for the record."""
    parts = (("origin", b"origin"), ("method", b"access-control-request-method"))
    asked = [f"{name} {fields[key].decode('latin-1')[:_SHOWN]}" for name, key in parts]
    if headers := fields.get(b"access-control-request-headers"):
        asked.append(f"headers {headers.decode('latin-1')[:_SHOWN]}")
    return f"refused by {rule}: {', '.join(asked)}"


def timing_grant(rule: CorsRule, origin: bytes | None) -> bytes:
    """Lets a page that may read an answer see its `Server-Timing` (W3C Resource Timing)."""
    if not may_read(rule, origin):
        return b""
    return b"Timing-Allow-Origin: %b\r\n" % (b"*" if "*" in rule.origins else origin or b"*")


def is_preflight(method: str, fields: dict[bytes, bytes]) -> bool:
    """Whether a browser asks for leave first (Fetch, "CORS-preflight request")."""
    return (
        method == "OPTIONS" and b"origin" in fields and b"access-control-request-method" in fields
    )


def preflight(rule: CorsRule, fields: dict[bytes, bytes]) -> bytes:
    """Header lines of the answer to a preflight: what was asked for is allowed, if the origin is.

    Which methods a route takes is the route's own rule.
    """
    lines = grants(rule, fields[b"origin"])
    if not may_read(rule, fields[b"origin"]):
        return lines
    lines += b"Access-Control-Allow-Methods: %b\r\n" % fields[b"access-control-request-method"]
    if headers := fields.get(b"access-control-request-headers"):
        lines += b"Access-Control-Allow-Headers: %b\r\n" % headers
    return lines + b"Access-Control-Max-Age: %d\r\n" % rule.max_age
