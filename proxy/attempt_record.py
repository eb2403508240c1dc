"""The record of an attempt: one try at one endpoint, and how it ended.

Written on the way of its exchange, each fact by one module or by a method here.
Times are seconds on `clock.now`, lengths of time are seconds. None means: it did not come to that.
"""

from proxy.outcome import Outcome, Result, result_of
from proxy.upstream.chosen import Chosen
from proxy.upstream.link import Link
from proxy.upstream.resolved import Resolved


class Attempt:
    """One try at one endpoint, up to the head of its answer."""

    __slots__ = (
        "address", "budget_left", "chosen", "connect", "detail", "endpoint", "head", "idle",
        "in_vain", "link", "outcome", "pause", "queued", "resolved", "result", "retry_after",
        "reused", "sent", "span_id", "started", "status", "upload", "upstream_ids", "use",
    )  # fmt: skip

    endpoint: str
    started: float
    address: str | None
    """Which address of the endpoint's name it was; None where that has one only."""
    chosen: Chosen | None
    """Why it was this endpoint, and what was known of the others; None where there is one only."""
    reused: bool
    connect: float | None
    """Length of TCP and TLS set-up; None on a reused connection."""
    head: float | None
    """From the request sent to the head of the answer."""
    upload: float
    """From the connection to the last byte of a request whose body was passed on as it came."""
    sent: bool
    """Whether any byte of the request was handed to the kernel."""
    status: int | None
    result: Result | None
    outcome: Outcome | None
    detail: str | None
    """What happened in technical words; internal, never sent to a client."""
    pause: float
    """The wait after it, before the next attempt."""
    upstream_ids: dict[str, str] | None
    """IDs of the upstream's own, of an answer that was not passed on."""
    retry_after: float | None
    """Seconds for which the answer asked us to stay away."""
    queued: float
    """Waited for a connection slot; part of the exchange's `queued`."""
    budget_left: float | None
    """Retry tokens left after the decision that followed it."""

    span_id: bytes
    """Of its span, which the upstream sees as the parent; empty where it has none."""
    in_vain: float | None
    """How long a connection was tried to be made that did not come about."""
    link: Link | None
    """The connection that carried it; None where there was none."""
    resolved: Resolved | None
    """What the DNS answered for the endpoint's name, where a connection was to be made."""
    use: int
    """The how many-th exchange on that connection it was."""
    idle: float | None
    """How long the connection had lain in the pool; None for one that had not."""

    def __init__(self, endpoint: str, started: float) -> None:
        self.address = self.chosen = self.connect = self.head = self.status = self.result = None
        self.outcome = self.detail = self.upstream_ids = self.retry_after = None
        self.budget_left = self.in_vain = self.link = self.resolved = self.idle = None
        self.reused = self.sent = False
        self.upload = self.pause = self.queued = 0.0
        self.span_id = b""
        self.use = 0
        self.endpoint = endpoint
        self.started = started

    @property
    def connected_at(self) -> float:
        """When it had its connection."""
        return self.started + self.queued + (self.connect or 0.0)

    @property
    def sent_at(self) -> float:
        """When the last byte of the request had been sent."""
        return self.connected_at + self.upload

    def carried_by(self, link: Link, at: float) -> None:
        """It has a connection, from `at` on."""
        use = link.uses = link.uses + 1
        self.link, self.use = link, use
        if rested := link.rested_at:
            self.idle = at - rested if at > rested else 0.0

    def answer(self, status: int) -> None:
        """A head came."""
        self.status, self.result = status, result_of(status)

    def fail(self, outcome: Outcome, detail: str | None) -> None:
        """It failed; one that was given up ended by the client's body: broken, late or too long."""
        self.outcome, self.result = outcome, outcome.result or "client_gone"
        self.note(detail)

    def leave(self, result: Result) -> None:
        """It ends while it still waits; one that has a result keeps it."""
        if self.result is None:
            self.result = result

    def note(self, detail: str | None) -> None:
        """What happened, in technical words; the last ones stand."""
        self.detail = detail
