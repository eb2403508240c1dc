"""Settings of identity, CORS and header rules: whose request ID is kept, which pages may read
responses, and which headers are set, added and removed."""

import re
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from proxy.http.header_changes import HeaderChange
from proxy.http.header_names import value_parts
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


_NAME_PATTERN = f"^{_HEADER.pattern}$"


def _value(value: SecretStr) -> SecretStr:
    value_parts(value.get_secret_value())
    return value


_VALUE_SCHEMA = {
    "type": "string",
    "format": "password",
    "writeOnly": True,
    "description": "Value of the header of this name; never shown.",
}
FieldName = Annotated[str, Field(json_schema_extra={"pattern": _NAME_PATTERN})]
FieldValue = Annotated[
    SecretStr,
    AfterValidator(_value),
    WithJsonSchema(_VALUE_SCHEMA),
]


class HeadersOneWay(Knobs):
    """What is done to the headers of messages of one direction. Values are never shown."""

    set: dict[FieldName, FieldValue] = Field(default_factory=dict)
    """Headers that replace those of the same name; values may use `${client_ip}`, `${request_id}`
    and `${route}`."""
    add: dict[FieldName, FieldValue] = Field(default_factory=dict)
    """Headers that stand beside those of the same name; values as in `set`."""
    remove: tuple[str, ...] = ()
    """Names of headers that do not go on."""

    @property
    def change(self) -> HeaderChange | None:
        """As it runs; None where nothing is done."""
        put = {name.lower(): (name, value) for name, value in self.set.items()}  # the last one
        fields = [*put.values(), *self.add.items()]
        if not fields and not self.remove:
            return None
        return HeaderChange(
            [*put, *self.remove],
            [(name, value_parts(value.get_secret_value())) for name, value in fields],
        )


class RequestHeaders(HeadersOneWay):
    """What is done to the headers of requests, before the upstream gets them."""


class ResponseHeaders(HeadersOneWay):
    """What is done to the headers of answers, before the client gets them."""


class HeadersRule(Knobs):
    """Headers that are set, added and removed. What frames a message or says who we are is not
    for rules."""

    request: RequestHeaders = RequestHeaders()
    """Of requests, for the upstream."""
    response: ResponseHeaders = ResponseHeaders()
    """Of answers, for the client; what is set or added also stands in answers of our own, but for
    what would speak of their content."""
