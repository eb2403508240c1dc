"""The knobs of a port that speaks TLS.

Pure: nothing here reads a file.
"""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from proxy.knobs import Knobs

FilePath = Annotated[str, Field(min_length=1)]


def _as_text(value: object) -> object:
    """A version that YAML takes for a number."""
    return f"{value:g}" if isinstance(value, float) else value


MinVersion = Annotated[
    Literal["1.2", "1.3"],
    BeforeValidator(_as_text),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "enum": ["1.2", "1.3"]},
                {"type": "number", "enum": [1.2, 1.3]},
            ]
        }
    ),
]


class PortTls(Knobs):
    """TLS of a port. Files are read again when they change, without a restart."""

    certificate: FilePath
    """PEM file of the certificate, and of the intermediate ones behind it."""
    key: FilePath | None = None
    """PEM file of its key, not encrypted; null: it is in the file of the certificate."""
    client_ca: FilePath | None = None
    """PEM file of the authorities whose client certificates are accepted; null: none is asked
    for."""
    client_certificate: Literal["required", "optional"] = "required"
    """Whether clients may come without a certificate where `client_ca` is set; one that is shown
    must be good in any case."""
    client_names: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Names of client certificates that are let in: DNS name or URI of the subject alternative
    names, the common name only where there are none. None: every name."""
    min_version: MinVersion = "1.2"
    """Oldest version of TLS that is spoken."""

    @model_validator(mode="after")
    def _asks_for_certificates(self) -> Self:
        if self.client_ca is None and self.client_names:
            raise ValueError(
                "client_names needs client_ca: without it no client is asked for a certificate"
            )
        return self


class TrafficTls(PortTls):
    """TLS of the traffic port, behind which there are upstreams."""

    forward_client_cert: bool = False
    """Whether upstreams are told of a client's certificate by `X-Forwarded-Client-Cert`."""

    @model_validator(mode="after")
    def _has_what_it_forwards(self) -> Self:
        if self.client_ca is None and self.forward_client_cert:
            raise ValueError(
                "forward_client_cert needs client_ca: without it no client is asked for a "
                "certificate"
            )
        return self
