"""Settings models that belong to no other folder."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from proxy.knobs import Count, Duration, Knobs, Share, Size, size
from proxy.outcome import Level
from proxy.settings import syntax
from proxy.settings.conditions import HeaderConditions, QueryConditions
from proxy.tls.rules import PortTls, TrafficTls

Port = Annotated[int, Field(ge=0, le=65535)]
Timeout = Annotated[Duration, Field(gt=0)]
_PER_CENT = re.compile(r"([1-9][0-9]?|100)%")
ListenAddress = Annotated[str, Field(min_length=1)]


class Listen(Knobs):
    """The traffic port: where clients come in, and what they may take."""

    host: ListenAddress = "0.0.0.0"  # noqa: S104 - a proxy is there to be reached
    """Address to listen on."""
    port: Port = 8080
    """Port to listen on; 0 takes any free one."""
    tls: TrafficTls | None = None
    """TLS on this port; null: it speaks plain HTTP."""
    backlog: Count = 1024
    """Connections the kernel keeps while they wait to be accepted."""
    max_connections: Count = 10_000
    """Connections of clients at a time, per worker; for one more the oldest idle one is closed,
    and where none is idle, the new one."""
    concurrency: Count | None = None
    """Requests under way at a time, per worker, of all routes together; one more is answered with
    503. null: as many as come. Health and the rest of the admin port are never refused for it."""
    request_head: Timeout = 10.0
    """All header bytes of a request must have arrived within it."""
    keep_alive: Timeout = 75.0
    """How long an idle connection of a client is kept."""
    header_bytes: Annotated[Size, Field(ge=1024)] = 32 * 1024
    """Largest single header line; a larger one is answered with 431."""
    head_bytes: Annotated[Size, Field(ge=1024)] = 48 * 1024
    """All header lines of a request together; more is answered with 431."""
    header_count: Count = 128
    """Most header lines of a request; more are answered with 431."""
    uri_bytes: Annotated[Size, Field(ge=256)] = 16 * 1024
    """Longest request line; a longer one is answered with 414."""
    unread_bytes: Annotated[Size, Field(ge=64 * 1024)] = 32 * 1024 * 1024
    """Unfinished heads and requests sent ahead of their turn, on all connections together; an
    unfinished head beyond it is answered with 503."""


def _mark(text: str) -> str:
    """`text`, if it is a size or a share of the limit. Raises ValueError otherwise."""
    if _PER_CENT.fullmatch(text):
        return text
    try:
        size(text)
    except ValueError:
        raise ValueError(
            f'"{text}" is neither a share nor a size; write one such as 90% or 400MiB'
        ) from None
    return text


class OverloadRule(Knobs):
    """When new requests are refused, because this process has more to do than it can."""

    loop_lag: Timeout | None = 0.5
    """How late the event loop may run, several times in a row; null: as late as it will."""
    memory: Annotated[str, AfterValidator(_mark)] | None = "90%"
    """Memory in use: a size, or a share of what the container or the machine has; null: as much
    as there is."""

    def memory_mark(self, limit: int) -> float | None:
        """In bytes, where `limit` is all there is."""
        if self.memory is None:
            return None
        share = _PER_CENT.fullmatch(self.memory)
        return limit * int(share[1]) / 100 if share else float(size(self.memory))


class Admin(Knobs):
    """The admin port: health, metrics and what operators may do."""

    host: ListenAddress = "127.0.0.1"
    """Address to listen on; the loopback unless probes come from elsewhere."""
    port: Port = 8081
    """Port to listen on; 0 takes any free one."""
    token: syntax.Token | None = None
    """Secret for everything but health and metrics, at least 16 characters.
    null: open on the loopback, refused elsewhere."""
    tls: PortTls | None = None
    """TLS on this port; null: it speaks plain HTTP."""
    max_connections: Count = 64
    """Connections at a time; beyond it the one that has kept silent for longest is closed."""


class DrainRule(Knobs):
    """How Sidelight ends after SIGTERM."""

    readiness_delay: Duration = 5.0
    """How long `/readyz` says no before the listener closes."""
    limit: Duration = 120.0
    """How long running exchanges may then take to end."""


class ReloadRule(Knobs):
    """How new settings reach a running process, besides SIGHUP and `POST /reload`."""

    watch: Annotated[Duration, Field(ge=0.1)] | None = None
    """How often the settings file is looked at; it is read when two looks in a row see the same
    change. null: never."""


class OwnErrors(Knobs):
    """How Sidelight's own errors are told."""

    format: Literal["json", "problem"] = "json"
    """Form of their bodies: JSON, or problem details (RFC 9457) with the same members; whoever
    sends `Accept: application/problem+json` gets these in any case."""
    html: bool = False
    """Whether people get them as a small page: whoever names `text/html` in `Accept` and wants it
    more than JSON, as a browser does that opens a page."""
    proxy_status: Literal["own", "all"] = "own"
    """Answers that carry `Proxy-Status` (RFC 9209): those of Sidelight's own, or all of them."""


class LogRule(Knobs):
    """The log on standard output."""

    level: Level = "info"
    """Events below this level are not written."""
    queue: Count = 10_000
    """Events that may wait for the writer; more are dropped and counted."""
    sample: Share = 1.0
    """Share of successful exchanges that is written; failures always are."""


class ObservedField(Knobs):
    """A value of the team's own for the record: exactly one of header, path and query."""

    header: syntax.Header | None = None
    """Header to take it from."""
    path: syntax.Capture | None = None
    """Path with one capture, which is taken."""
    query: Annotated[str, Field(min_length=1)] | None = None
    """Query parameter to take it from."""
    hash: bool = False
    """Whether a hash is recorded instead of the value: an HMAC under `observe.hash_key`."""

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        given = [key for key in ("header", "path", "query") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError("must have exactly one of header, path and query")
        return self


class Observe(Knobs):
    """What is recorded beyond Sidelight's own fields."""

    fields: dict[syntax.Name, ObservedField] = Field(default_factory=dict)
    """The team's own fields of the record, by name."""
    hash_key: syntax.Token | None = None
    """Secret key of the hashes, at least 16 characters.
    null: one is made and kept beside the store, or without a store for as long as it runs."""

    @property
    def hashes(self) -> bool:
        """Whether any field is hashed."""
        return any(field.hash for field in self.fields.values())


class TimeoutsRule(Knobs):
    """The clocks of an exchange."""

    request_body_gap: Timeout = 30.0
    """Silence while the client uploads."""
    request_body: Timeout | None = None
    """A whole upload, without waits for the upstream; null: any length."""
    min_upload_rate: Size | None = 1024
    """Bytes a second that the client must send, averaged over the last 60 s in which they were
    waited for, until the answer begins; null or `0B`: any rate."""
    connect: Timeout = 3.0
    """TCP and TLS to the endpoint."""
    pool_wait: Timeout = 2.0
    """Waiting for a connection slot."""
    head: Timeout = 30.0
    """From the request sent to the head of the answer, per attempt."""
    first_event: Timeout = 60.0
    """Streams: from the head to the first data event; comments do not end it. Until then it is the
    only clock of the body."""
    gap: Timeout = 30.0
    """Silence of the upstream in a body: no byte at all, comments included."""
    event_gap: Timeout | None = None
    """Streams: from one data event to the next, whatever else arrives; null: any length."""
    max_stream: Timeout = 900.0
    """The whole body of an answer."""
    total: Timeout = 60.0
    """From the request sent to the commit, retries and pauses included."""
    client_write: Timeout = 30.0
    """The client does not read."""
    tunnel_idle: Timeout = 600.0
    """WebSockets: silence of both sides, after which the tunnel is closed."""


class MessageRule(Knobs):
    """The message in the JSON of requests."""

    pointer: syntax.Pointer | None = None
    """Where it stands, as a JSON pointer (RFC 6901) such as `/message`; null: not looked at."""
    max_length: Count = 10_000
    """Most characters of it; one that is longer, empty or not there is answered with 422."""


class Match(Knobs):
    """Which requests a route takes."""

    host: syntax.Host | None = None
    """Host of the request, without port; null: any."""
    path: syntax.RoutePath = "/"
    """`/a` exactly; `/a/` everything below; `{x}` one segment, `{x...}` the rest."""
    methods: tuple[syntax.Method, ...] = ()
    """Methods; none: all. GET includes HEAD."""
    headers: HeaderConditions = Field(default_factory=dict)
    """Headers that must be there, each with its value, one of several, or `*` for any; none: all.
    Names in any case, values exactly."""
    query: QueryConditions = Field(default_factory=dict)
    """Query parameters likewise, compared decoded; of a repeated one the first counts."""
