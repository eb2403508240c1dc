"""The borders of WebSocket frames: where one ends, and what a Close frame says (RFC 6455 §5).

Reads heads and skips payloads, so it costs the same for a byte and for 64 MB; small frames are
skipped by one regular expression, however many arrive at once.
Refuses to understand messages: fragments, compression and text are between the two who talk.
"""

import re

NO_CODE = 1005
"""Stands for a Close frame without a code (RFC 6455 §7.4.1)."""

GOING_AWAY = 1001

_CLOSE = 8
_MASKED = 0x80
_LONGEST_HEAD = 16
"""Two bytes, eight of length, four of mask, and the code of a Close frame."""
_LONGEST_REASON = 123
_SMALL = 125
"""The largest payload whose length stands in the second byte."""
_ENDLESS = 1 << 63
"""Bytes left of a frame with a wrong length: nobody knows where it ends."""


def _small_frame() -> bytes:
    """Matches one whole frame, no Close frame, with a payload of at most `_SMALL` bytes."""
    closes = b"".join(b"\\x%02x" % first for first in range(_CLOSE, 256, 16))
    bodies = []
    for size in range(_SMALL + 4 + 1):  # what follows the second byte, mask included
        plain = b"\\x%02x" % size if size <= _SMALL else b""
        masked = b"\\x%02x" % (_MASKED | size - 4) if size >= 4 else b""
        bodies.append(b"[%b%b].{%d}" % (plain, masked, size))
    return b"[^%b](?:%b)" % (closes, b"|".join(bodies))


_SMALL_FRAMES = re.compile(b"(?:%b)*+" % _small_frame(), re.DOTALL)


class Frames:
    """The frames that go one way, up to the first Close frame: nothing may follow it (§5.5.1)."""

    __slots__ = ("_head", "_left", "close_code")

    def __init__(self) -> None:
        self._head = b""
        """The beginning of a frame whose head is not whole yet."""
        self._left = 0
        """Payload bytes of the frame that are still to come."""
        self.close_code: int | None = None
        """What the first Close frame said; None while there was none."""

    @property
    def at_border(self) -> bool:
        """Whether the last frame is whole, so that another one may follow."""
        return not self._left and not self._head

    def feed(self, data: bytes) -> None:
        """Read on through all of `data`."""
        at, size = 0, len(data)
        while at < size:
            if self.at_border:
                if self.close_code is not None:
                    return
                at = _skip_small(data, at)
            at = self._step(data, at)

    def finish(self, data: bytes) -> int:
        """Read on to the end of the frame under way; gives how many bytes of `data` that takes."""
        at, size = 0, len(data)
        while at < size and not self.at_border:
            at = self._step(data, at)
        return at

    def _step(self, data: bytes, at: int) -> int:
        """Read one head, or what is there of one payload; gives where it ends."""
        if not self._left:
            return self._begin(data, at)
        taken = min(self._left, len(data) - at)
        self._left -= taken
        return at + taken

    def _begin(self, data: bytes, at: int) -> int:
        before = len(self._head)
        head = self._head + data[at : at + _LONGEST_HEAD - before]
        size, length = _measure(head)
        code = 2 if length > 1 and head[0] & 15 == _CLOSE else 0
        if len(head) < size + code:
            self._head = head
            return len(data)
        self._head = b""
        self._left = length - code
        if head[0] & 15 == _CLOSE and self.close_code is None:
            self.close_code = _code(head, size) if code else NO_CODE
        return at - before + size + code


def _skip_small(data: bytes, at: int) -> int:
    """Where the small frames that are whole end."""
    skipped = _SMALL_FRAMES.match(data, at)
    return at if skipped is None else skipped.end()


def _measure(head: bytes) -> tuple[int, int]:
    """The sizes of a frame's head and payload; the first is right as far as `head` goes."""
    if len(head) < 2:
        return 2, 0
    length = head[1] & 127
    size = 2
    if length > _SMALL:
        size, least = (4, 126) if length == 126 else (10, 1 << 16)
        length = int.from_bytes(head[2:size])
        if len(head) >= size and not least <= length < _ENDLESS:
            length = _ENDLESS  # not the shortest form (§5.2): nobody has to take it for a frame
    return size + 4 if head[1] & _MASKED else size, length


def _code(head: bytes, size: int) -> int:
    """The code of a Close frame whose head is the first `size` bytes."""
    code = head[size : size + 2]
    return int.from_bytes(_masked(code, head[size - 4 : size]) if head[1] & _MASKED else code)


def close_frame(code: int, reason: str, key: bytes | None = None) -> bytes:
    """A Close frame; `key` of four bytes masks it, as all that goes to a server is (§5.3)."""
    payload = code.to_bytes(2) + reason.encode("ascii", "replace")[:_LONGEST_REASON]
    head = bytes((0x80 | _CLOSE, len(payload) | (_MASKED if key else 0)))
    return head + key + _masked(payload, key) if key else head + payload


def _masked(payload: bytes, key: bytes) -> bytes:
    return bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))
