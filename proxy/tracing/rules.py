"""Settings of the spans: where they go, which there are, and where people find them."""

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from proxy.knobs import Count, Duration, Knobs, Share

_VALUE = re.compile(r"[ -~]*")
_OURS = frozenset(
    {"connection", "content-encoding", "content-length", "content-type", "host", "te", "trailer",
     "transfer-encoding", "upgrade"}
)  # fmt: skip
PLACE = "{trace_id}"


def collector(url: str) -> str:
    """The URL of a collector. Raises ValueError, which does not quote it, for anything else."""
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or "@" in parts.netloc or parts.query or parts.fragment or not url.isprintable():
        raise ValueError(
            'a collector is "http://host:4318" or "https://host:4318", perhaps with a path, but '
            "without user, query and fragment; secrets belong into tracing.headers"
        )
    return url.rstrip("/")


def secret_value(value: SecretStr) -> SecretStr:
    """Raises ValueError for what cannot stand in a header; the text never quotes it."""
    if not _VALUE.fullmatch(value.get_secret_value()):
        raise ValueError("a header's value is printable ASCII, here it is not")
    return value


def _none_of_ours(headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for name in headers:
        if name.lower() in _OURS:
            raise ValueError(f"{name} says how a batch is sent, and is written by Sidelight")
    return headers


def _link(link: str) -> str:
    parts = urlsplit(link.replace(PLACE, "0"))
    if PLACE not in link or parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(
            f'"{link}" is no link; write a URL that has {PLACE} where the ID of the trace belongs, '
            "such as https://jaeger.example.com/trace/{trace_id}"
        )
    return link


CollectorUrl = Annotated[str, AfterValidator(collector)]
ExportHeader = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&*+.^_|~-]+$")]
AttributeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+$")]
HeaderValue = Annotated[SecretStr, AfterValidator(secret_value)]
ExportHeaders = Annotated[dict[ExportHeader, HeaderValue], AfterValidator(_none_of_ours)]
Always = Literal["failures", "slow"]


class TracingRule(Knobs):
    """Spans, exported to an OpenTelemetry collector. The `OTEL_*` variables fill in what is not
    given here."""

    endpoint: CollectorUrl | None = None
    """Collector that takes OTLP over HTTP, such as http://collector:4318; `/v1/traces` is added.
    null: no spans, and trace headers just pass."""
    headers: ExportHeaders = Field({})
    """Headers for the collector, such as its API key. Secret."""
    ca_file: Annotated[str, Field(min_length=1)] | None = None
    """PEM file of the authorities that the certificate of an https collector may be from; null:
    those of the system."""
    certificate: Annotated[str, Field(min_length=1)] | None = None
    """PEM file of the certificate that an https collector is shown; null: none."""
    key: Annotated[str, Field(min_length=1)] | None = None
    """PEM file of its key, not encrypted; null: it is in the file of the certificate."""
    compression: Literal["none", "gzip"] = "none"
    """How requests to the collector are compressed."""
    timeout: Annotated[Duration, Field(gt=0, le=300)] = 10.0
    """How long the collector may take for a batch."""
    interval: Annotated[Duration, Field(gt=0, le=60)] = 1.0
    """How long spans wait for more, at the most, before they are sent."""
    queue: Count = 8192
    """Spans that may wait to be sent; more are dropped and counted."""
    sample: Share = 1.0
    """Share of the traces that begin here; 0: none begins here."""
    follow_parent: bool = True
    """Whether a client's decision for its trace holds; if not, `sample` is for all traces."""
    always: tuple[Always, ...] = ()
    """Which exchanges are exported whatever was decided: `failures`, and those that are `slow` as
    `stories.slow` says. Their upstreams were told "not sampled" before."""
    b3: bool = False
    """Whether B3 headers (`b3`, `X-B3-*`) of clients are read where there is no `traceparent`."""
    resource: dict[AttributeName, str] = Field({})
    """Attributes of the resource, such as `deployment.environment.name`."""
    link: Annotated[str, AfterValidator(_link)] | None = None
    """Where people find a trace, such as https://jaeger.example.com/trace/{trace_id}: shown in
    stories, pages and alerts, also where Sidelight itself exports none. null: no link."""

    @model_validator(mode="after")
    def _key_has_certificate(self) -> Self:
        if self.key is not None and self.certificate is None:
            raise ValueError("key needs certificate, which names the certificate's file")
        return self
