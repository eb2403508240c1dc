"""Cross-origin rules: what a page of another origin may read.

On our own errors as on good answers: without these headers a browser hides even the status.
"""

from proxy.rules import CorsRule

_EXPOSED = b"X-Request-ID, Retry-After, X-Sidelight-Error"


def grants(rule: CorsRule, origin: bytes | None, id_header: bytes = b"X-Request-ID") -> bytes:
    """Header lines for an answer to a page of `origin`; only `Vary` where it may not read.

    What is open to all says so to everybody, asked or not: a cache may give the answer to a
    request without `Origin` to a page (Fetch, "CORS protocol and HTTP caches").
    """
    exposed = _EXPOSED if id_header == b"X-Request-ID" else id_header + b", " + _EXPOSED
    exposing = b"Access-Control-Expose-Headers: %b\r\n" % exposed
    if "*" in rule.origins:
        return b"Access-Control-Allow-Origin: *\r\n" + exposing
    lines = b"Vary: Origin\r\n"
    if origin is None or origin.decode("latin-1") not in rule.origins:
        return lines
    lines += b"Access-Control-Allow-Origin: %b\r\n" % origin
    if rule.credentials:
        lines += b"Access-Control-Allow-Credentials: true\r\n"
    return lines + exposing


def is_preflight(method: str, fields: dict[bytes, bytes]) -> bool:
    """Whether a browser asks for leave first (Fetch, "CORS-preflight request")."""
    return (
        method == "OPTIONS" and b"origin" in fields and b"access-control-request-method" in fields
    )


def preflight(rule: CorsRule, fields: dict[bytes, bytes]) -> bytes:
    """Header lines of the answer to a preflight: what was asked for is allowed, if the origin is.

    Which methods a route takes is the route's own rule, and said by 405.
    """
    lines = grants(rule, fields[b"origin"])
    if b"Access-Control-Allow-Origin" not in lines:
        return lines
    lines += b"Access-Control-Allow-Methods: %b\r\n" % fields[b"access-control-request-method"]
    if headers := fields.get(b"access-control-request-headers"):
        lines += b"Access-Control-Allow-Headers: %b\r\n" % headers
    return lines + b"Access-Control-Max-Age: %d\r\n" % rule.max_age
