"""What has come of a response: its heads, body bytes, how it ended, or why nothing more comes."""

from collections.abc import Callable
from typing import Final

from proxy.http.framing import Framing, ResponseHead
from proxy.outcome import STREAM_TRUNCATED, UPSTREAM_RESET, Outcome
from proxy.upstream.result import Failed

_NO_FRAMING: Final = Framing("none", None, False)
_UNFRAMED: Final = Framing("close", None, False)

_FAILED: Final = 500
"""Behind an answer with this status or above a server may close without saying so."""


class Response:
    """One response after the other on a connection to `endpoint`; its reader fills it."""

    __slots__ = (
        "buffered", "chunks", "endpoint", "failure", "framing", "head", "interim", "is_done",
        "is_raw", "is_tainted",
    )  # fmt: skip

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.is_tainted = False
        self.clear()

    def clear(self) -> None:
        """Forget the last one; what tainted the connection stays."""
        self.framing = _NO_FRAMING
        self.head: ResponseHead | None = None
        """Of the final response, or of the 101 that was asked for."""
        self.interim: list[ResponseHead] = []
        """Interim heads that have come and were not taken yet; a 100 is only counted."""
        self.failure: Failed | None = None
        self.chunks: list[bytes] = []
        self.buffered = 0
        """Bytes in `chunks`."""
        self.is_done = False
        """The body has ended as its framing said; the rest of it is in `chunks`."""
        self.is_raw = False
        """Whether a 101 was the last that is HTTP; what follows it is in `chunks`."""

    def switch(self, head: ResponseHead) -> None:
        """`head` is a 101 that was asked for: what follows it is not HTTP."""
        self.is_raw = True
        self.framing = _UNFRAMED
        self.head = head

    def end(self) -> bool:
        """The upstream sends no more. Whether that ended the body as its framing said."""
        if self.head is not None and self.framing.kind == "close" and self.failure is None:
            self.is_done = True
        return self.is_done

    def fail(self, outcome: Outcome, detail: str) -> None:
        """Nothing more will come of this response; the first reason stands."""
        if self.failure is None:
            self.failure = Failed(outcome, detail, self.endpoint)

    def abandon(self) -> None:
        """We break it off; a whole one stays whole."""
        if not self.is_done:
            outcome = UPSTREAM_RESET if self.head is None else STREAM_TRUNCATED
            self.fail(outcome, "closed by us")

    @property
    def is_followable(self) -> bool:
        """Whether another may follow it on the connection, once it is whole.

        Never behind a 5xx: some servers close then, unannounced.
        """
        head = self.head
        is_good = head is not None and head.status < _FAILED
        return is_good and self.framing.keeps_alive and not self.is_tainted

    def pass_interim(self, to: Callable[[ResponseHead], None] | None) -> None:
        """Give the interim heads that have come to `to`, in their order, and forget them."""
        heads, self.interim = self.interim, []
        if to is not None:
            for head in heads:
                to(head)

    def pack_chunks(self) -> None:
        """Keep them as one: each costs more memory than it has bytes."""
        self.chunks = [b"".join(self.chunks)]

    def take_chunks(self) -> bytes:
        """The body bytes that have arrived and were not taken yet."""
        chunks = self.chunks
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self.chunks = []
        self.buffered = 0
        return data
