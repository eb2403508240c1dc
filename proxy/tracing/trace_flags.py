"""The flags byte of a trace (W3C Trace Context, "Trace Flags"), in each form that is written."""

from binascii import unhexlify
from typing import Final

_BEGAN: Final = b"\x39"
"""`Span.start_time_unix_nano`"""


class TraceFlags:
    """Of two lower-case hex digits."""

    __slots__ = ("below_ours", "below_theirs", "digits", "line_end")

    def __init__(self, digits: str) -> None:
        self.digits = digits
        self.line_end = f"-{digits}\r\n"
        """The last of a `traceparent` line."""
        self.below_ours = unhexlify(f"8501{digits}010000") + _BEGAN
        """`Span.flags`, which also says that the parent is no other process, or that there is none;
        then the start of the span, up to its time."""
        self.below_theirs = unhexlify(f"8501{digits}030000") + _BEGAN
        """The same of a span whose parent is another process."""


_known: Final[dict[str, TraceFlags]] = {}
"""At most 256, each made once."""


def flags_of(digits: str) -> TraceFlags:
    """Raises binascii.Error where `digits` are no two hex digits."""
    known = _known.get(digits)
    if known is None:
        known = _known[digits] = TraceFlags(digits)
    return known
