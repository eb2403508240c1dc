"""What an exchange knows of its own span while it runs, and the header that tells upstreams.

Made only where tracing is on; each attempt has a span ID of its own, made before it is sent.
"""

from binascii import hexlify
from typing import Final

_hexlify: Final = hexlify
_ID_BEGINS: Final = -21
_ID_ENDS: Final = -5
"""Where `line` names the attempt's span."""


class SpanRecord:
    """The SERVER span of an exchange. IDs and flags are lower-case hex digits, but for `ids`.

    `ids` are the trace's, that of its first attempt and its own.
    """

    ids: bytes
    """As spans have them: of the trace, of `attempt_id`, and of itself; 16, 8 and 8 bytes."""
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
    line: bytes
    """The last line of the head for an upstream: it sees the attempt's span as the parent."""
    sampled: bool
    """Whether it is exported."""
    keeps_state: bool
    """Whether the client's `tracestate` goes on: not one that belongs to no valid `traceparent`."""
    protocol: str = "http"
    """Of what the client asked for; behind a blank its version of HTTP, where that is not 1.1."""

    def __init__(self, ids: bytes, parent_id: str, flags: str) -> None:
        written = _hexlify(ids)
        digits = written.decode()
        self.ids = ids
        self.line = b"traceparent: 00-%b-%b-%b\r\n" % (
            written[:32],
            written[32:48],
            flags.encode(),
        )
        self.trace_id, self.attempt_id, self.span_id = digits[:32], digits[32:48], digits[48:]
        self.is_used = False
        self.parent_id, self.flags = parent_id, flags
        self.sampled, self.keeps_state = True, False

    def another(self, head: bytes, attempt_id: bytes) -> bytes:
        """`head`, whole, for one more attempt: `line` is its last one."""
        before = head[: -len(self.line) - 2]
        digits = _hexlify(attempt_id)
        self.ids = self.ids[:16] + attempt_id + self.ids[24:]
        self.attempt_id = digits.decode()
        self.line = self.line[:_ID_BEGINS] + digits + self.line[_ID_ENDS:]
        return before + self.line + b"\r\n"
