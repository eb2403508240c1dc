"""What an exchange knows of its own span while it runs, and the header that tells upstreams.

Made only where tracing is on; each attempt has a span ID of its own, made before it is sent.
"""

from typing import Final

_ID_BEGINS: Final = -23
_ID_ENDS: Final = -7
"""Where a head that ends with `line` names the attempt's span."""


class SpanRecord:
    """The SERVER span of an exchange. IDs and flags are lower-case hex digits, but for `ids`.

    `ids` are the trace's, its own and that of its first attempt.
    """

    ids: bytes
    """As spans have them: of the trace, of itself, and of `attempt_id`; 16, 8 and 8 bytes."""
    trace_id: str
    span_id: str
    parent_id: str
    """The client's span; empty where the trace begins here."""
    flags: str
    """The flags byte of the trace, as it is passed on: two digits."""
    attempt_id: str
    """The span of the attempt that is made, or is to be made first."""
    is_used: bool
    """Whether an attempt has it already, so that the next one needs another."""
    sampled: bool
    """Whether it is exported."""
    keeps_state: bool
    """Whether the client's `tracestate` goes on: not one that belongs to no valid `traceparent`."""
    scheme: str = "http"
    """Of what the client asked for; behind a blank its version of HTTP, where that is not 1.1."""

    def __init__(self, ids: bytes, parent_id: str, flags: str) -> None:
        digits = ids.hex()
        self.ids = ids
        self.trace_id, self.span_id = digits[:32], digits[32:48]
        self.attempt_id, self.is_used = digits[48:], False
        self.parent_id, self.flags = parent_id, flags
        self.sampled, self.keeps_state = True, False

    def line(self) -> bytes:
        """The last line of the head for an upstream: it sees the attempt's span as the parent."""
        told = f"traceparent: 00-{self.trace_id}-{self.attempt_id}-{self.flags}\r\n"
        return told.encode()

    def another(self, head: bytes, attempt_id: bytes) -> bytes:
        """`head`, whole, for one more attempt."""
        self.ids, self.attempt_id = self.ids[:24] + attempt_id, attempt_id.hex()
        return head[:_ID_BEGINS] + self.attempt_id.encode() + head[_ID_ENDS:]
