"""The knobs of an upstream: where it is, how it is spoken to, how many connections it may have.

Pure: nothing here opens a socket or a file.
"""

import re
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from proxy.knobs import Duration, Knobs, Size
from proxy.tls.rules import MinVersion

_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?")
_BASE = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*")
_SOCKET = re.compile(r"unix:/[\x21-\x7e]{1,106}")
"""Linux takes 107 bytes of path (unix(7))."""
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(:\d{1,5})?")


def endpoint(url: str) -> str:
    """`url`, if it is scheme, host, perhaps port and path, or a Unix socket.

    A slash at its end is left out. Raises ValueError with the remedy for anything else.
    """
    advice = (
        f"{url!r} is not an endpoint; write http://host:port or https://host:port, with the path "
        "below which the service is, if it is below one, or unix:/path of a socket"
    )
    if url.startswith("unix:"):
        if not _SOCKET.fullmatch(url):
            raise ValueError(advice)
        return url
    url = url.removesuffix("/")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(advice) from None
    host = parts.hostname or ""
    named = _IPV6.fullmatch(host) if "[" in parts.netloc else _HOST_NAME.fullmatch(host)
    extra = parts.query or parts.fragment or "@" in parts.netloc or not _BASE.fullmatch(parts.path)
    if parts.scheme not in ("http", "https") or not named or extra or port == 0 or url[-1] in "?#:":
        raise ValueError(advice)
    return url


def authority(host: str) -> str:
    """`host` as it was, if it can stand in a Host header. Raises ValueError otherwise."""
    if not _AUTHORITY.fullmatch(host):
        raise ValueError(f"{host!r} is not a Host header; write example.com or example.com:8000")
    return host


EndpointUrl = Annotated[str, AfterValidator(endpoint)]
"""`http://host:port/base` or https; port and base may be missing. Or `unix:/path`."""


class PoolRule(Knobs):
    """How many connections an upstream may have, and how long they are kept."""

    size: int = Field(1024, ge=1)
    """Connections to all endpoints together, per worker; a stream holds one."""
    keep_alive: Duration = 4.0
    """Idle connections are closed after this; keep it below the upstream's own."""
    max_age: Duration = Field(3600.0, gt=0)
    """An older connection is not used again, so that new DNS answers take effect."""
    max_waiting: int = Field(1024, ge=0)
    """Requests that may wait for a connection slot; one more is refused at once."""


class TlsRule(Knobs):
    """How an https endpoint and we prove to each other who we are. Files are read again when they
    change."""

    ca_file: str | None = Field(None, min_length=1)
    """PEM file of authorities to trust instead of the system's; null: the system's."""
    server_name: str | None = Field(None, min_length=1)
    """Name sent as SNI and checked in the certificate; null: the endpoint's host."""
    verify: bool = True
    """Whether the certificate is checked. false is for experiments only."""
    certificate: str | None = Field(None, min_length=1)
    """PEM file of the certificate that we show; null: we show none."""
    key: str | None = Field(None, min_length=1)
    """PEM file of its key, not encrypted; null: it is in the file of the certificate."""
    min_version: MinVersion = "1.2"
    """Oldest version of TLS that is spoken."""

    @model_validator(mode="after")
    def _key_has_certificate(self) -> Self:
        if self.key is not None and self.certificate is None:
            raise ValueError("key needs certificate, which names the certificate's file")
        return self


class UpstreamRule(Knobs):
    """A named service that requests are forwarded to."""

    endpoints: tuple[EndpointUrl, ...] = Field(min_length=1)
    """Addresses, such as http://127.0.0.1:8000, http://host/base or unix:/run/app.sock;
    several take turns."""
    pool: PoolRule = Field(default_factory=PoolRule)
    """How many connections there may be, and how long."""
    tls: TlsRule = Field(default_factory=TlsRule)
    """How https endpoints prove who they are."""
    host: Annotated[str, AfterValidator(authority)] | None = None
    """Host header sent to the upstream; null: the client's own is kept."""
    via: bool = True
    """Whether requests carry `Via`.
    Without it a loop is not seen; nginx compresses nothing for requests that carry one."""
    max_head: Size = Field(64 * 1024, ge=1024)
    """Largest head of an answer, interim heads included; a larger one is refused."""
    max_headers: int = Field(128, ge=1)
    """Most header lines of an answer; more end as upstream_headers_too_large."""
