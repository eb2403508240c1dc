"""What an exchange knows of its own span while it runs, and the header that tells upstreams.

Made only where tracing is on; each attempt has a span ID of its own, made before it is sent.
"""

from proxy.attempt_record import Attempt


class SpanRecord:
    """The SERVER span of an exchange. IDs and flags are lower-case hex digits."""

    trace_id: str
    span_id: str
    parent_id: str
    """The client's span; empty where the trace begins here."""
    flags: str
    """The flags byte of the trace, as it is passed on: two digits."""
    sampled: bool
    """Whether it is exported."""
    replaces: frozenset[bytes]
    """Headers of the client's that do not go on: its `traceparent`, and a `tracestate` that belongs
    to no valid one."""
    scheme: str = "http"

    def __init__(self, trace_id: str, span_id: str, parent_id: str, flags: str) -> None:
        self.trace_id, self.span_id = trace_id, span_id
        self.parent_id, self.flags = parent_id, flags
        self.sampled = True
        self.replaces = _BOTH

    def onto(self, head: bytes, tried: Attempt) -> bytes:
        """`head`, whole, with the span of this attempt as the parent that the upstream sees."""
        parent = f"traceparent: 00-{self.trace_id}-{tried.span_id}-{self.flags}\r\n\r\n"
        return head[:-2] + parent.encode()


PARENT = frozenset({b"traceparent"})
_BOTH = frozenset({b"traceparent", b"tracestate"})
