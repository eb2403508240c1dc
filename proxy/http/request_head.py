"""The head of a request, read once from the parsed fields.

Everything that later modules need of a request stands here by name, so that none of them
goes back to raw headers to find out.
"""

import re
from dataclasses import dataclass

from proxy.http.headers import combine, is_host, list_members

_MOST_DIGITS = 20
_ABSOLUTE = re.compile(r"https?://([^/?#]+)(.*)", re.IGNORECASE | re.DOTALL)


@dataclass(slots=True, init=False)
class RequestHead:
    """A request as the client sent it; method and target are ASCII, or the parser refuses them."""

    method: str
    target: str
    """The target to forward: origin-form or `*`."""
    host: bytes
    """Authority the request is for; empty where the client named none."""
    version: tuple[int, int]
    raw: tuple[tuple[bytes, bytes], ...]
    fields: dict[bytes, bytes]
    """All fields by lower-case name, repeated ones joined."""
    keep_alive: bool
    has_body: bool
    length: int | None
    """Declared Content-Length; None for chunked bodies and for none."""
    wants_websocket: bool

    def __init__(
        self,
        method: str,
        target: str,
        host: bytes,
        version: tuple[int, int],
        raw: tuple[tuple[bytes, bytes], ...],
        fields: dict[bytes, bytes],
        *,
        keep_alive: bool,
        has_body: bool,
        length: int | None,
    ) -> None:
        self.method = method
        self.target = target
        self.host = host
        self.version = version
        self.raw = raw
        self.fields = fields
        self.keep_alive = keep_alive
        self.has_body = has_body
        self.length = length
        self.wants_websocket = b"upgrade" in fields and self.upgrade == b"websocket"

    @property
    def upgrade(self) -> bytes:
        """Protocol of an `Upgrade` request in lower case; empty where there is none to honour."""
        if b"upgrade" not in self.fields or self.version != (1, 1):
            return b""
        if b"upgrade" not in list_members(self.fields.get(b"connection", b"")):
            return b""
        return self.fields[b"upgrade"].lower()

    @property
    def expects_continue(self) -> bool:
        return self.version == (1, 1) and self.fields.get(b"expect", b"").lower() == b"100-continue"


def read_request(
    method: str,
    target: str,
    version: tuple[int, int],
    raw: tuple[tuple[bytes, bytes], ...],
    *,
    should_close: bool,
) -> RequestHead:
    """Read a head. An absolute target gives host and path (RFC 9112 §3.2.2).

    With `should_close` its connection ends with it, whatever `Connection` says (§9.3).
    """
    fields = combine(raw)
    host = fields.get(b"host", b"")
    if not target.startswith("/"):
        target, host = _absolute(method, target, host)
    chunked = b"transfer-encoding" in fields
    declared = fields.get(b"content-length", b"")
    length = _length(declared) if declared and not chunked else None
    connection = fields.get(b"connection")
    closes = should_close or (connection is not None and b"close" in list_members(connection))
    return RequestHead(
        method,
        target,
        host,
        version,
        raw,
        fields,
        keep_alive=version == (1, 1) and not closes,
        has_body=chunked or bool(length),
        length=length,
    )


def _length(declared: bytes) -> int | None:
    """A declared length; None for what is no number of at most 64 bits."""
    digits = declared.lstrip(b"0")  # int() refuses thousands of them, zeros included
    if not declared.isdigit() or len(digits) > _MOST_DIGITS:
        return None
    return int(digits or b"0")


def _absolute(method: str, target: str, host: bytes) -> tuple[str, bytes]:
    """Target and host of an absolute target; another one stays as it is and is refused later."""
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        return target, host
    rest = match[2]
    if not rest and method == "OPTIONS":
        rest = "*"  # about the server, not about its root: RFC 9112 §3.2.4
    elif not rest.startswith("/"):
        rest = "/" + rest
    return rest, match[1].encode("ascii", "replace")


def is_well_formed(inbound: RequestHead) -> bool:
    """Whether host and target are of a form that may be forwarded (RFC 9112 §3.2).

    A `#` is refused: no target has a fragment, and readers disagree where the path of such a one
    would end.
    """
    target, host = inbound.target, inbound.host
    if not (target.startswith("/") or (target == "*" and inbound.method == "OPTIONS")):
        return False
    named = inbound.fields.get(b"host")
    if "#" in target or (named is None and inbound.version == (1, 1)):
        return False
    return is_host(host) and (named is None or named == host or is_host(named))
