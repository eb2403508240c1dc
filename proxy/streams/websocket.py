"""The borders of WebSocket frames: where one ends, and what a Close frame says (RFC 6455 §5).

Reads heads and skips payloads, so it costs the same for a byte and for 64 MB.
Refuses to understand messages: fragments, compression and text are between the two who talk.
"""

NO_CODE = 1005
"""Stands for a Close frame without a code (RFC 6455 §7.4.1)."""

GOING_AWAY = 1001

_CLOSE = 8
_MASKED = 0x80
_LONGEST_HEAD = 16
"""Two bytes, eight of length, four of mask, and the code of a Close frame."""
_LONGEST_REASON = 123


class Frames:
    """The frames that go one way."""

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
        size = _size(head)
        if len(head) < size:
            self._head = head
            return len(data)
        self._head = b""
        if head[0] & 15 == _CLOSE:
            return at - before + self._note(head, size)
        length = head[1] & 127
        self._left = int.from_bytes(head[2 : 4 if length == 126 else 10]) if length > 125 else length
        return at - before + size

    def _note(self, head: bytes, size: int) -> int:
        """Keep what a Close frame says; gives how much of `head` that took."""
        length = head[1] & 127
        code = head[size - 2 : size] if length > 1 else NO_CODE.to_bytes(2)
        if head[1] & _MASKED and length > 1:
            code = _masked(code, head[size - 6 : size - 2])
        if self.close_code is None:
            self.close_code = int.from_bytes(code)
        self._left = max(0, length - 2) if length > 1 else length
        return size


def _size(head: bytes) -> int:
    """The length of a frame's head, with the code of a Close frame; a guess where it is cut."""
    if len(head) < 2:
        return 2
    length = head[1] & 127
    size = 2 if length < 126 else 4 if length == 126 else 10
    if head[1] & _MASKED:
        size += 4
    return size + 2 if head[0] & 15 == _CLOSE and length > 1 else size


def close_frame(code: int, reason: str, key: bytes | None = None) -> bytes:
    """A Close frame; `key` of four bytes masks it, as all that goes to a server is (§5.3)."""
    payload = code.to_bytes(2) + reason.encode("ascii", "replace")[:_LONGEST_REASON]
    head = bytes((0x80 | _CLOSE, len(payload) | (_MASKED if key else 0)))
    return head + key + _masked(payload, key) if key else head + payload


def _masked(payload: bytes, key: bytes) -> bytes:
    return bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))
