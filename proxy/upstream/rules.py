"""The knobs of an upstream: where it is, how it is spoken to, how many connections it may have.

Pure: nothing here opens a socket or a file.
"""

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from proxy.knobs import Duration, Knobs, Share, Size
from proxy.limits.rules import By
from proxy.tls.rules import MinVersion
from proxy.upstream.health.rules import HealthRule
from proxy.upstream.host_header import HostHeader

_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?")
_BASE = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*")
_SOCKET = re.compile(r"unix:/[\x21-\x7e]{1,106}")
"""Linux takes 107 bytes of path (unix(7))."""


def endpoint(url: str) -> str:
    """`url`, if it is scheme, host, perhaps port and path, or a Unix socket.

    A slash at its end is left out. Raises ValueError with the remedy for anything else.
    """
    advice = (
        f'{url!r} is not an endpoint; write "http://host:8080" or "https://host:8443", with the '
        "path below which the service is, if it is below one, or unix:/path of a socket"
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


EndpointUrl = Annotated[str, AfterValidator(endpoint)]
"""`http://host:port/base` or https; port and base may be missing. Or `unix:/path`."""


class WeightedEndpoint(Knobs):
    """An endpoint that gets more of the traffic than others, or less."""

    url: EndpointUrl
    """Its address, written as one without a weight."""
    weight: int = Field(1, ge=1, le=1000)
    """Its share of the traffic, next to the weights of the others."""


def _plain(given: object) -> object:
    """`given`; text is an endpoint, whatever else is wrong with it. Raises ValueError."""
    return endpoint(given) if isinstance(given, str) else given


def _shortest(given: str | WeightedEndpoint) -> str | WeightedEndpoint:
    """Two ways to write the same are equal."""
    return given.url if isinstance(given, WeightedEndpoint) and given.weight == 1 else given


AnyEndpoint = Annotated[str | WeightedEndpoint, BeforeValidator(_plain), AfterValidator(_shortest)]
"""A URL, or a URL with a weight."""


class PoolRule(Knobs):
    """How many connections an upstream may have, and how long they are kept."""

    size: int = Field(1024, ge=1)
    """Connections to all endpoints together, per worker; a stream holds one. Of several endpoints
    each that works may have its part of them, by weight."""
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


class EjectionRule(Knobs):
    """When failures of its traffic take an endpoint out of use, where there are several."""

    failures: int = Field(5, ge=1)
    """Failures in a row that eject it: no connection, a reset, a timeout, a broken answer or a 5xx.
    A timeout counts as two."""
    time: Duration = Field(30.0, gt=0)
    """For how long; it doubles, up to 5m, while the probe that follows fails."""
    at_most: Share = 0.5
    """The share of all endpoints that may be out at a time, but at least one, and never the last
    that works; 0: none."""


Balance = Literal["least_requests", "round_robin", "hash"]


class UpstreamRule(Knobs):
    """A named service that requests are forwarded to."""

    endpoints: tuple[AnyEndpoint, ...] = Field(min_length=1)
    """Addresses, such as http://127.0.0.1:8000, http://host/base or unix:/run/app.sock,
    or `{ url, weight }`; several share the traffic."""
    balance: Balance = "least_requests"
    """How several endpoints share the traffic: the next in turn or another that is drawn, whichever
    has fewer requests under way; by turns; or by a hash of who asks, which leads a client to the
    same one. All of them by weight."""
    by: By = "address"
    """Who counts as the same client for `hash`, as in `rate_limit`."""
    slow_start: Duration = 0.0
    """For how long an endpoint that is new or works again gets less than its share; 0s: not."""
    ejection: EjectionRule = Field(default_factory=EjectionRule)
    """When failures of its traffic take an endpoint out of use."""
    pool: PoolRule = Field(default_factory=PoolRule)
    """How many connections there may be, and how long."""
    health: HealthRule = Field(default_factory=HealthRule)
    """How its endpoints are checked, whether there is traffic or not."""
    panic: Annotated[Share, Field(gt=0)] | None = None
    """All endpoints are used, down or not, while a smaller share of them than this is up, so that
    the few that are left are not buried; null: those that are down are never used."""
    tls: TlsRule = Field(default_factory=TlsRule)
    """How https endpoints prove who they are."""
    host: HostHeader | None = None
    """Host header sent to the upstream; null: the client's own is kept."""
    via: bool = True
    """Whether requests carry `Via`.
    Without it a loop is not seen; nginx compresses nothing for requests that carry one."""
    max_head: Size = Field(64 * 1024, ge=1024)
    """Largest head of an answer, interim heads included; a larger one is refused."""
    max_headers: int = Field(128, ge=1)
    """Most header lines of an answer; more end as upstream_headers_too_large."""

    @model_validator(mode="after")
    def _hashes_something(self) -> Self:
        if self.balance == "hash" and self.by == "all":
            raise ValueError(
                "balance: hash by all would lead everybody to one endpoint; "
                "write by: address, or a header, cookie or field"
            )
        return self

    @property
    def weights(self) -> tuple[tuple[str, int], ...]:
        """The endpoints' URLs with their weights."""
        return tuple(
            (each, 1) if isinstance(each, str) else (each.url, each.weight)
            for each in self.endpoints
        )
