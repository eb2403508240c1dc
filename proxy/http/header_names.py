"""Header fields that no rule of the settings may touch, and why; and the values rules may give.

What frames a message, belongs to one connection, says who asks through whom, or carries our own
identity is not for rules: two fields of one of these would make two messages of one, or a lie.
"""

import re
from typing import Final

from proxy.http.header_changes import VALUES
from proxy.http.headers import HOP_BY_HOP, as_compared

FRAMING: Final = "frames the message"
HOP: Final = "belongs to one connection"
IDENTITY: Final = "carries Sidelight's own identity"
ORIGIN: Final = "says where a request came from, which trusted_proxies decides"
HANDSHAKE: Final = "belongs to the opening of a WebSocket"

_BOTH: Final = {
    **{name.decode(): HOP for name in HOP_BY_HOP},
    "content-length": FRAMING,
    "expect": FRAMING,
    "http2-settings": HOP,
    "proxy-status": IDENTITY,
    "trailer": FRAMING,
    "traceparent": IDENTITY,
    "tracestate": IDENTITY,
    "transfer-encoding": FRAMING,
    "via": IDENTITY,
    "x-request-id": IDENTITY,
}
_OF_REQUESTS: Final = {
    "forwarded": ORIGIN,
    "host": "is what upstreams.<name>.host sets",
    "proxy": ORIGIN,
    "x-forwarded": ORIGIN,
    "x-real-ip": ORIGIN,
}
_OF_RESPONSES: Final = {
    "date": "says when the answer was made",
    "ratelimit": "says what rate_limit leaves",
    "ratelimit-policy": "says what rate_limit leaves",
}
_BEGINNINGS: Final = {
    "sec-websocket-": HANDSHAKE,
    "x-forwarded-": ORIGIN,
    "x-sidelight-": IDENTITY,
}
_CORS: Final = "is what cors grants"

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)\}?")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\U0010ffff]*")
LONGEST: Final = 4096
"""Characters of a value."""


def refuse_name(name: str, *, of_requests: bool, removed: bool = False) -> str | None:
    """Why no rule may touch this field, in whatever letters it is written; None where one may."""
    if not _NAME.fullmatch(name):
        return "is not the name of a header"
    key = as_compared(name.encode()).decode()
    why = _BOTH.get(key) or (_OF_REQUESTS if of_requests else _OF_RESPONSES).get(key)
    why = why or next((why for begin, why in _BEGINNINGS.items() if key.startswith(begin)), None)
    if not why and not of_requests and not removed and key.startswith("access-control-"):
        why = _CORS
    return f"{why}; no rule may touch it" if why else None


def value_parts(text: str) -> list[tuple[str, str]]:
    """A value as text and values of the request. Raises ValueError where it is no value.

    `$${` is `${` itself. The value is not quoted in what is raised: it may be a secret.
    """
    if not _VALUE.fullmatch(text):
        raise ValueError("has a line break, a NUL or another control character in it")
    if len(text) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    if text != text.strip(" \t"):
        raise ValueError("begins or ends with a blank, which no header keeps")
    parts: list[tuple[str, str]] = []
    end = 0
    for found in _REFERENCE.finditer(text):
        parts.append(("text", text[end : found.start()]))
        parts.append(_part(found))
        end = found.end()
    parts.append(("text", text[end:]))
    return [part for part in parts if part[1]]


def _part(found: re.Match[str]) -> tuple[str, str]:
    name = found[1]
    if name is None:
        return "text", "${"
    if name not in VALUES or not found[0].endswith("}"):
        known = ", ".join(f"${{{known}}}" for known in VALUES)
        raise ValueError(f"has a ${{…}} that is none of {known}; write $${{ where ${{ is meant")
    return "value", name
