"""The upstream's answer as it is at the commit, or where it was set aside."""

from proxy.http.framing import ResponseHead
from proxy.streams.relay import EventStream


class UpstreamResponse:
    """The upstream's answer: its head, and of its body what has been read."""

    __slots__ = (
        "body", "head", "is_whole", "stream",
    )  # fmt: skip

    head: ResponseHead
    body: bytes
    is_whole: bool
    """Whether `body` is all of it and the connection is given back."""
    stream: EventStream | None
    """Set where the head was held until the first event."""

    def __init__(self, head: ResponseHead) -> None:
        self.body = b""
        self.is_whole = False
        self.stream = None
        self.head = head
