"""The record of an exchange: one request of a client and all we did about it.

Each fact has one writer: those of the end, the phase and the silences are written by methods
here, the rest by one module each; `tests/test_writers.py` holds the list.
The observer reads it once, at the end.
Times are seconds on `clock.now`, lengths of time are seconds, sizes are bytes.
None means: it did not come to that.

Slots: with more attributes than a shared dict holds each record would have a large one of its own.
"""

from proxy.attempt_record import Attempt
from proxy.evidence.record import Evidence
from proxy.fallback.record import FallbackRecord
from proxy.observation.fault import Fault
from proxy.outcome import CLIENT_CLOSED_REQUEST, INTERNAL_ERROR, NotRetried, Outcome
from proxy.resilience.opening import Opening
from proxy.terms import Terms
from proxy.time_spent import RELAY, TimeSpent
from proxy.tracing.record import SpanRecord

_LONGEST_CODING = 40


class Exchange:
    """Everything that log, metrics, stories and alerts are made from."""

    __slots__ = (
        "around", "attempts", "breaker_before", "breaker_counts", "breaker_state", "bytes_in",
        "bytes_out", "cancelled", "client_cert", "client_ip", "client_request_id", "clock_ran",
        "committed", "config_hash", "detail", "end_marker", "ended", "events", "evidence",
        "fallback", "fault", "fields", "first_event", "held", "host", "id_is_ours",
        "inband_error", "interim", "is_raw", "last_byte", "masked", "max_gap", "max_gap_at",
        "method", "opening", "outcome", "phase", "raw_coding", "reads", "replaced_by",
        "request_id", "retry_in", "retry_stopped", "route", "span", "span_context", "spent",
        "started", "started_wall", "status", "streamed", "target", "terms", "upstream",
        "upstream_ids", "upstream_request_id", "upstream_status", "user_agent", "would_refuse",
    )  # fmt: skip

    started: float
    started_wall: float
    method: str
    target: str
    """The request target byte for byte (latin-1), not redacted: never record it as it is."""
    client_ip: str
    request_id: str
    id_is_ours: bool  # made here, and so without anything of a client's in it
    client_request_id: str | None
    upstream_request_id: str | None  # the first of `upstream_ids`
    upstream_ids: dict[str, str] | None
    """IDs of the upstream's own, by header; None where it named none."""
    span_context: bytes
    """16 bytes of its trace's ID and 8 of the span that stands for it, ours where it is exported,
    else the client's own; what follows is not read. Empty where it is in no trace."""
    span: SpanRecord | None
    """Of our own span; None where it has none."""
    fields: dict[str, str]
    """The team's own, from `observe.fields`."""
    user_agent: str
    client_cert: str
    """The name in the certificate that the client has shown; empty where it has shown none."""
    host: str
    route: str
    """Name of the route; empty where none was found."""
    upstream: str
    terms: Terms | None
    """The rule of the route, as it was when the exchange ran."""
    config_hash: str  # of the settings it ran under
    replaced_by: str  # by settings that were in force when it ended
    attempts: list[Attempt]
    retry_stopped: NotRetried | None
    breaker_state: str | None  # of the route's breaker, when the exchange ended
    breaker_before: str | None  # the same when the first attempt asked it
    breaker_counts: tuple[int, int] | None
    """Failed attempts and all of them in the breaker's window, at the end of a bad exchange."""
    opening: Opening | None
    """What had opened the route's circuit, where it was not closed at the end of a bad exchange."""
    retry_in: float | None
    """Seconds the client was asked to wait, where it was."""
    status: int | None
    """What the client was sent; 499 where it left before a head; None where nothing was sent."""
    upstream_status: int | None
    interim: tuple[int, ...]
    """Statuses of the interim responses that were passed on to the client."""
    outcome: Outcome | None
    phase: str
    """Where it is now: the second character of `term` for outcomes that end anywhere."""
    detail: str | None
    """What happened in technical words; internal, never sent to a client."""
    would_refuse: str | None
    """The limit that only runs dry and would have refused it, in technical words."""
    fault: Fault | None
    """Where a bug of our own ended it."""
    masked: bool
    """Whether the upstream's answer was replaced by words of our own."""
    fallback: FallbackRecord | None
    """What was given, or tried, where there was no answer."""
    committed: float | None  # when the head went to the client
    ended: float
    spent: TimeSpent
    """Where its time went."""
    streamed: bool
    """Whether the answer is a stream of events, or a tunnel."""
    events: int
    """Data events passed on."""
    reads: int
    """Reads in which the stream came; fewer than events where they arrive bunched."""
    first_event: float | None
    """From opening to the first data event."""
    end_marker: bool | None
    """Whether a stream that ended well carried its end marker; None where none is looked for."""
    is_raw: bool
    """Whether not all events of a stream were known: compressed, of another type, or no events."""
    raw_coding: str
    """The content coding for which events could not be seen; empty where it was not for one."""
    inband_error: bool
    """Whether the client was told inside the stream what broke it."""
    cancelled: float | None
    """From the client's leaving to the closing of the upstream connection."""
    clock_ran: float | None
    """How long the clock ran that ended it, where no other fact says it."""
    max_gap: float
    """The longest silence between two reads of the body."""
    max_gap_at: float | None
    """From opening to the beginning of that silence."""
    last_byte: float | None
    """From opening to the last read of the body."""
    held: int
    """Bytes of an unfinished event that were held back and discarded at a cut."""
    bytes_in: int  # of bodies, framing not counted
    bytes_out: int
    evidence: Evidence | None
    """What was found out at its end, where that was bad or late."""
    around: bytes | None
    """What happened around it, as JSON; None until that was looked at, after its end."""

    def __init__(
        self, started: float, started_wall: float, method: str, target: str, client_ip: str
    ) -> None:
        self.request_id = self.user_agent = self.client_cert = ""
        self.host = self.route = self.upstream = self.config_hash = self.replaced_by = ""
        self.raw_coding, self.phase, self.interim, self.span_context = "", "R", (), b""
        self.id_is_ours = self.masked = self.streamed = self.is_raw = self.inband_error = False
        self.client_request_id = self.upstream_request_id = self.upstream_ids = self.span = None
        self.retry_stopped = self.breaker_state = self.breaker_before = self.breaker_counts = None
        self.opening = self.retry_in = self.status = self.upstream_status = self.outcome = None
        self.detail = self.would_refuse = self.fault = self.fallback = self.committed = None
        self.first_event = self.end_marker = self.cancelled = self.clock_ran = None
        self.max_gap_at = self.last_byte = self.evidence = self.around = None
        self.ended = self.max_gap = 0.0
        self.events = self.reads = self.held = self.bytes_in = self.bytes_out = 0
        self.started, self.started_wall, self.spent = started, started_wall, TimeSpent(started)
        self.method, self.target, self.client_ip = method, target, client_ip
        self.fields, self.terms, self.attempts = {}, None, []

    def trace(self, span_context: bytes) -> None:
        """Where it stands in a trace."""
        self.span_context = span_context

    def enter(self, phase: str) -> None:
        """It is in another phase now."""
        self.phase = phase

    def commit(self, status: int, at: float) -> None:
        """The head goes to the client. An answer of our own keeps the phase it ended in."""
        self.status, self.committed = status, at
        if self.outcome is None:
            self.phase = "S"
        self.spent.enter(RELAY, at)

    def note(self, detail: str | None) -> None:
        """What happened, in technical words; the last ones stand."""
        self.detail = detail

    def clock_over(self, ran: float | None) -> None:
        """A clock ended it that had run for `ran` seconds; None where that is not known."""
        self.clock_ran = ran

    def end(self, outcome: Outcome, detail: str | None = None) -> None:
        """How it ends; the last word stands. Without `detail` what was noted before does.

        What becomes of a fallback does not change why it was given; a fault of ours does.
        """
        if self.fallback is not None and self.fallback.given and outcome is not INTERNAL_ERROR:
            self.fallback.end(outcome)
            return
        self.outcome = outcome
        if detail is not None:
            self.note(detail)
        if self.committed is None and outcome is CLIENT_CLOSED_REQUEST:
            self.status = outcome.status

    def close(self, at: float) -> None:
        """It is over."""
        self.ended = at
        self.spent.enter(self.spent.part, at)

    def begin_stream(self, *, is_raw: bool = False, coding: bytes | None = None) -> None:
        """The answer is a stream, or a tunnel; `is_raw` where its events cannot be known."""
        self.streamed, self.is_raw = True, is_raw
        if is_raw and coding:
            self.raw_coding = coding.decode("latin-1")[:_LONGEST_CODING]

    def received(self, size: int) -> None:
        """So many bytes of the body came from the client."""
        self.bytes_in += size

    def sent(self, size: int) -> None:
        """So many bytes of the answer's body went to the client."""
        self.bytes_out += size

    def saw(self, at: float, gap: float, reads: int = 0) -> None:
        """Bytes of the body came at `at`, after a silence of `gap` seconds; of a stream of events
        in so many `reads`."""
        if gap > self.max_gap and self.last_byte is not None:
            self.max_gap, self.max_gap_at = gap, at - gap - self.started
        self.last_byte = at - self.started
        self.reads += reads

    def forget_stream(self) -> None:
        """The attempt that had begun one is to be repeated."""
        self.streamed, self.reads, self.max_gap = False, 0, 0.0
        self.max_gap_at = self.last_byte = None

    @property
    def trace_id(self) -> str:
        """32 lower-case hex digits, or none."""
        return self.span_context[:16].hex()

    @property
    def span_id(self) -> str:
        """16 lower-case hex digits, or none."""
        return self.span_context[16:24].hex()

    @property
    def duration(self) -> float:
        return self.ended - self.started

    @property
    def overhead(self) -> float:
        """What Sidelight itself cost: the time in which nothing was waited for."""
        spent = self.spent
        waited = spent.queue + spent.connect + spent.upstream + spent.pause + spent.client
        ours = self.ended - self.started - waited
        return ours if ours > 0.0 else 0.0

    @property
    def term(self) -> str:
        """Who and phase, two characters."""
        return self.outcome.term.replace("*", self.phase) if self.outcome else "??"
