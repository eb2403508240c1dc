"""The knobs of identity and CORS: whose request ID is kept, and which pages may read answers."""

import re
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from proxy.http.headers import HOP_BY_HOP
from proxy.http.identity import OtherIds
from proxy.knobs import Duration, Knobs

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_TAKEN = {
    *(name.decode() for name in HOP_BY_HOP),
    "authorization",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "origin",
    "set-cookie",
    "traceparent",
    "tracestate",
    "via",
}


def _headers(names: tuple[str, ...]) -> tuple[str, ...]:
    """`names`, if each is the name of a header (RFC 9110 §5.1). Raises ValueError otherwise."""
    for name in names:
        if not _HEADER.fullmatch(name):
            raise ValueError(f'"{name}" is not the name of a header')
    return names


class IdentityRule(Knobs):
    """Whose request ID is kept."""

    header: str = Field("X-Request-ID", pattern=r"^[A-Za-z0-9-]{1,64}$")
    """Header that carries the request ID, both ways."""
    mode: Literal["preserve", "always_new", "trust_from"] = "preserve"
    """Keep a valid ID of the client: from everybody, from nobody, or from `trust_from`."""
    trust_from: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks whose request IDs are kept in mode `trust_from`."""
    upstream_ids: tuple[str, ...] = (
        "X-Request-ID", "Request-ID", "OpenAI-Request-ID", "X-Amzn-RequestId", "CF-Ray",
    )  # fmt: skip
    """Headers of answers that carry IDs of the upstream's own, recorded and found by them;
    the first that is there is `upstream_request_id`."""

    @field_validator("upstream_ids")
    @classmethod
    def _are_headers(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return _headers(names)

    @property
    def other_ids(self) -> OtherIds:
        """`upstream_ids` as they are looked for, an echo of our own header first."""
        names = {name.lower().encode(): name for name in (self.header, *self.upstream_ids)}
        return tuple(names.items())

    @field_validator("header")
    @classmethod
    def _carries_nothing_else(cls, header: str) -> str:
        if header.lower() in _TAKEN:
            raise ValueError(f"{header} has a meaning of its own; take a name such as X-Request-ID")
        return header


class CorsRule(Knobs):
    """Which pages may call, and whether with cookies."""

    origins: tuple[str, ...] = ()
    """Origins that may read answers, such as `https://app.example`; `"*"` for all."""
    credentials: bool = False
    """Whether cookies and authorization may be sent along."""
    expose: tuple[str, ...] = ()
    """Further headers that pages may read; what the upstream exposes is kept."""
    max_age: Duration = 600.0
    """How long a browser may remember a preflight."""

    @field_validator("expose")
    @classmethod
    def _are_headers(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return _headers(names)

    @cached_property
    def exposing(self) -> bytes:
        """`expose` as it goes on in a list, its comma before each name."""
        return b"".join(b", " + name.encode() for name in self.expose)

    @model_validator(mode="after")
    def _not_everyone_with_cookies(self) -> Self:
        if self.credentials and "*" in self.origins:
            raise ValueError(
                'credentials need named origins; "*" would hand every site the user\'s session'
            )
        return self
