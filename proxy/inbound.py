"""What the client asked, read once from the parsed head.

Everything later rooms need to know of a request stands here by name, so that no room
goes back to raw headers to find out.
"""

from dataclasses import dataclass

from proxy.headers import combine, is_host, listed


@dataclass(slots=True)
class Inbound:
    """A request as the client sent it; text is latin-1, byte for byte."""

    method: str
    target: str
    """The target to forward: origin-form or `*`."""
    host: bytes
    """Authority the request is for; empty where an HTTP/1.0 client named none."""
    version: tuple[int, int]
    raw: tuple[tuple[bytes, bytes], ...]
    fields: dict[bytes, bytes]
    """All fields by lower-case name, repeated ones joined."""
    keep_alive: bool
    has_body: bool
    length: int | None
    """Declared Content-Length; None for chunked bodies and for none."""

    @property
    def upgrade(self) -> bytes:
        """Protocol of an `Upgrade` request in lower case; empty where there is none to honour."""
        if b"upgrade" not in self.fields or self.version != (1, 1):
            return b""
        if b"upgrade" not in listed(self.fields.get(b"connection", b"")):
            return b""
        return self.fields[b"upgrade"].lower()

    @property
    def expects_continue(self) -> bool:
        return self.version == (1, 1) and self.fields.get(b"expect", b"").lower() == b"100-continue"


def read(
    method: str,
    target: str,
    version: tuple[int, int],
    raw: tuple[tuple[bytes, bytes], ...],
    *,
    should_close: bool,
) -> Inbound:
    """Read a head. An absolute target gives host and path (RFC 9112 §3.2.2)."""
    fields = combine(raw)
    host = fields.get(b"host", b"")
    if not target.startswith("/"):
        target, host = _absolute(target, host)
    chunked = b"transfer-encoding" in fields
    declared = fields.get(b"content-length", b"")
    length = int(declared) if declared.isdigit() and not chunked else None
    return Inbound(
        method,
        target,
        host,
        version,
        raw,
        fields,
        keep_alive=version == (1, 1) and not should_close,
        has_body=chunked or bool(length),
        length=length,
    )


def _absolute(target: str, host: bytes) -> tuple[str, bytes]:
    scheme, separator, rest = target.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        return target, host
    authority, slash, path = rest.partition("/")
    if not slash and "?" in authority:
        authority, _, query = authority.partition("?")
        return f"/?{query}", authority.encode("latin-1", "replace")
    return f"/{path}", authority.encode("latin-1", "replace")


def is_well_formed(inbound: Inbound) -> bool:
    """Whether host and target are of a form that may be forwarded."""
    if inbound.target != "*" and not inbound.target.startswith("/"):
        return False
    if inbound.target == "*" and inbound.method != "OPTIONS":
        return False
    return is_host(inbound.host)
