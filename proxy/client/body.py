"""The body of one request, as far as it has arrived: cut by its framing, held until it is read.

Knows no socket. The connection feeds it and tells it when nothing more can come; who reads takes
pieces, or the reason why there are no more.
"""

from typing import Final

from proxy.client.chunk_reader import ChunkReader
from proxy.outcome import BAD_REQUEST, Outcome

HIGH_WATER: Final = 64 * 1024
"""Bytes held before reading from the client pauses."""

_MOST_PIECES: Final = 64
"""Pieces held apart: of small chunks each costs more than its bytes."""
_CRUMBS: Final = 256
"""Pieces in one read from which on a body is fragmented."""


class Body:
    """A body of `length` bytes; of chunks where `length` is None."""

    def __init__(self, length: int | None) -> None:
        self._left = length or 0
        self._chunks = ChunkReader() if length is None else None
        self._pieces: list[bytes] = []
        self.buffered = 0
        """Bytes that wait to be read."""
        self.is_whole = length == 0
        """Whether all of it has arrived."""
        self.failure: Outcome | None = None
        """Why no more will come; None while more may."""
        self.why = ""
        """The words for it; internal."""
        self.is_fragmented = False
        """Whether the last read brought its bytes in crumbs: they cost by their number."""
        self._is_dropped = False

    def feed(self, data: bytes, at: int = 0) -> int:
        """Bytes from the client; gives the position behind the last that belongs to the body."""
        pieces: list[bytes] = []
        if self._chunks is None:
            end = min(len(data), at + self._left)
            pieces.append(data if end - at == len(data) else data[at:end])
            self._left -= end - at
            self.is_whole = not self._left
        else:
            end = self._chunks.feed(data, at, pieces)
            self.is_fragmented = len(pieces) > _CRUMBS
            self.is_whole = self._chunks.is_whole
            if self._chunks.why:
                self.fail(BAD_REQUEST, "broken body: " + self._chunks.why)
        if not self._is_dropped:
            self._pieces += pieces
            for piece in pieces:
                self.buffered += len(piece)
            if len(self._pieces) > _MOST_PIECES:
                self._pieces = [b"".join(self._pieces)]
        return end

    def fail(self, outcome: Outcome, why: str) -> None:
        """No more will come; the first reason stands, and none counts once all has come."""
        if self.failure is None and not self.is_whole:
            self.failure, self.why = outcome, why

    @property
    def has_news(self) -> bool:
        """Whether who reads need not wait: for bytes, the end or a failure."""
        return self.buffered > 0 or self.is_whole or self.failure is not None

    def take(self) -> bytes:
        """The bytes that have arrived and were not taken yet."""
        pieces = self._pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._pieces = []
        self.buffered = 0
        return data

    def drop(self) -> None:
        """Nobody reads it any more: what is here and what comes is dropped."""
        self._is_dropped = True
        self._pieces = []
        self.buffered = 0


NO_BODY: Final = Body(0)
"""The body of a request that has none."""
