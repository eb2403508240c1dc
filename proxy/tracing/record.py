"""What an exchange knows of its own span while it runs, and the header that tells upstreams.

Made only where tracing is on; each attempt has a span ID of its own, made before it is sent.
"""

from proxy.tracing.trace_flags import TraceFlags


class SpanRecord:
    """The SERVER span of an exchange. IDs are bytes, as spans have them."""

    __slots__ = (
        "attempt_id", "digits", "flags", "ids", "is_used", "keeps_state", "line", "parent_id",
        "protocol", "sampled",
    )  # fmt: skip

    ids: bytes
    """Of the trace, of itself, and of its first attempt: 16, 8 and 8 bytes."""
    digits: str
    """The same in lower-case hex digits, for headers and log."""
    parent_id: bytes
    """The client's span; empty where the trace begins here."""
    flags: TraceFlags
    """As they are passed on."""
    attempt_id: bytes
    """The span of the attempt that is made, or is to be made first."""
    is_used: bool
    """Whether an attempt has it already, so that the next one needs another."""
    line: bytes
    """The last line of the head for an upstream: it sees the attempt's span as the parent."""
    sampled: bool
    """Whether it is exported."""
    keeps_state: bool
    """Whether the client's `tracestate` goes on: not one that belongs to no valid `traceparent`."""
    protocol: str
    """Of what the client asked for; behind a blank its version of HTTP, where that is not 1.1."""

    def __init__(
        self,
        ids: bytes,
        parent_id: bytes,
        flags: TraceFlags,
        protocol: str = "http",
        *,
        sampled: bool = True,
        keeps_state: bool = False,
    ) -> None:
        self.ids, self.digits, self.attempt_id = ids, ids.hex(), ids[24:]
        self.parent_id, self.flags, self.is_used = parent_id, flags, False
        self.protocol, self.sampled, self.keeps_state = protocol, sampled, keeps_state
        self.line = self._line_of(self.digits[48:])

    def _line_of(self, attempt: str) -> bytes:
        return f"traceparent: 00-{self.digits[:32]}-{attempt}{self.flags.line_end}".encode()

    def another(self, head: bytes, attempt_id: bytes) -> bytes:
        """`head`, whole, for one more attempt: `line` is its last one."""
        before = head[: -len(self.line) - 2]
        self.attempt_id, self.line = attempt_id, self._line_of(attempt_id.hex())
        return before + self.line + b"\r\n"
