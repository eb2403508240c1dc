"""Who a request is: its request ID and its place in a trace.

An ID is chosen here once and from then on the same on every line, header and page.
Nothing of the client's is ever used unless it is short and plain.
"""

import re
from dataclasses import dataclass
from secrets import token_hex

_PLAIN = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_TRACEPARENT = re.compile(
    rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)
_STATE_LIMIT = 512
_KNOWN_FLAGS = 0x03
"""Sampled, and random of level 2; the others must be sent as 0 (§3.2.2.5)."""


def identify(given: bytes | None, *, kept: bool) -> tuple[str, str | None]:
    """The request ID, and the client's own where it was replaced.

    The latter is kept long enough for redaction to see a secret whole; records cut it further.

    `given` is the header's value, repeated ones joined; `kept`: whether this client is trusted.
    """
    if given is None:
        return new_id(), None
    if kept and _PLAIN.fullmatch(given):
        return given.decode(), None
    return new_id(), given[:1024].decode("latin-1") or None


def new_id() -> str:
    """A random UUID (RFC 9562 §5.4)."""
    h = _random_hex(32)
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{_VARIANT[h[16]]}{h[17:20]}-{h[20:]}"


_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
_DRAWN = 4096
_drawn = ""
_used = _DRAWN


def _random_hex(digits: int) -> str:
    """Random digits, drawn from the system a few kilobytes at a time: a call each costs more."""
    global _drawn, _used
    end = _used + digits
    if end > _DRAWN:
        _drawn, end = token_hex(_DRAWN // 2), digits
    _used = end
    return _drawn[end - digits : end]


@dataclass(slots=True, init=False)
class Trace:
    """Our place in a trace (W3C Trace Context)."""

    trace_id: str
    span_id: str
    flags: str
    state: bytes | None

    def __init__(
        self, trace_id: str, span_id: str, flags: str = "01", state: bytes | None = None
    ) -> None:
        self.trace_id = trace_id
        self.span_id = span_id
        self.flags = flags
        self.state = state

    @property
    def parent(self) -> bytes:
        """The `traceparent` that goes to the upstream."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}".encode()


def trace(parent: bytes | None, state: bytes | None) -> Trace:
    """Continue the client's trace if it is valid, else begin one.

    `tracestate` goes on only with a valid `traceparent`; beyond 512 bytes its oldest members,
    which stand at the end, are left out (§3.3.1.5).
    """
    match = _TRACEPARENT.fullmatch(parent) if parent else None
    if match is None or (match[1] == b"00" and match[5]):
        drawn = _random_hex(48)
        return Trace(drawn[:32], drawn[32:])
    flags = f"{int(match[4], 16) & _KNOWN_FLAGS:02x}"
    return Trace(match[2].decode(), _random_hex(16), flags, _shortened(state))


def _shortened(state: bytes | None) -> bytes | None:
    """`state` within the limit, in whole members; None where nothing is left."""
    if state and len(state) > _STATE_LIMIT:
        state = state[: _STATE_LIMIT + 1].rpartition(b",")[0]
    return state or None
