"""The upstream's answer as it is at the commit, or where it was set aside."""

from proxy.http.framing import ResponseHead
from proxy.streams.relay import EventStream


class UpstreamResponse:
    """The upstream's answer: its head, and of its body what has been read."""

    head: ResponseHead
    body: bytes = b""
    is_whole: bool = False
    """Whether `body` is all of it and the connection is given back."""
    stream: EventStream | None = None
    """Set where the head was held until the first event."""

    def __init__(self, head: ResponseHead) -> None:
        self.head = head
