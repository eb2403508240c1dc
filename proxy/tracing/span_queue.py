"""Spans that wait to be sent, written as soon as their exchange is recorded.

Then what they are read from is in the caches of the processor; in a thread, later, it is not, and
each time the thread asks for the interpreter costs the event loop more than writing does.
`add` is for the event loop and never waits, `take` and `done` for the thread that sends.
"""

import struct
from collections import Counter, deque
from collections.abc import Sequence

from proxy.exchange import Exchange
from proxy.tracing.spans import SpanWriter


class SpanQueue:
    """At most `room` spans wait; more are dropped."""

    def __init__(self, writer: SpanWriter, room: int) -> None:
        self._writer, self._room = writer, room
        self.dropped: Counter[str] = Counter()
        """Spans lost since the start, by cause; each is counted by one thread only: queue_full by
        the event loop, rejected by the one that sends, closing by the one that ends it."""
        self._portions: deque[tuple[bytes, int, int]] = deque()
        """What was written at a time, how many spans it is, and how many could not be written."""
        self._put = self._taken = self._done = 0
        """Spans since the start; the first is counted by the event loop, the others by the thread
        that sends."""

    @property
    def waiting(self) -> int:
        """Spans that are not done with."""
        return self._put - self._done

    @property
    def untaken(self) -> int:
        """Those of them that no call of `take` has given yet."""
        return self._put - self._taken

    def add(self, batch: Sequence[Exchange]) -> None:
        """Write the spans of these; they are redacted, and nobody will change them any more."""
        lines: list[bytes] = []
        written = failed = 0
        for x in batch:
            if x.span is not None and x.span.sampled:
                spans = _count(x)
                if self._put - self._done + written + failed + spans > self._room:
                    self.dropped["queue_full"] += spans
                elif self._is_written(lines, x):
                    written += spans
                else:
                    failed += spans
            _drop(x)
        if written or failed:
            self._portions.append((b"".join(lines), written, failed))
            self._put += written + failed

    def _is_written(self, lines: list[bytes], x: Exchange) -> bool:
        """One that cannot be written must not stop the rest."""
        before = len(lines)
        try:
            self._writer.put(lines, x)
        except (ArithmeticError, AttributeError, LookupError, struct.error, TypeError, ValueError):
            del lines[before:]
            return False
        return True

    def take(self, most: int) -> tuple[list[bytes], int]:
        """The next spans as fields of `ScopeSpans`, in pieces, and how many these are: portion
        after portion until there are `most`."""
        pieces: list[bytes] = []
        spans = 0
        while self._portions and spans < most:
            piece, written, failed = self._portions.popleft()
            pieces.append(piece)
            spans += written
            self._taken += written + failed
            if failed:
                self.dropped["rejected"] += failed
                self._done += failed
        return pieces, spans

    def done(self, spans: int) -> None:
        """So many were sent, or never will be."""
        self._done += spans


def _drop(x: Exchange) -> None:
    """What only its spans are made of: records are kept for long."""
    x.span = None
    for tried in x.attempts:
        tried.span_id = b""


def _count(x: Exchange) -> int:
    spare = x.fallback.attempt if x.fallback is not None else None
    return 1 + len(x.attempts) + (1 if spare is not None and spare.span_id else 0)
