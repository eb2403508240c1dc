"""Exchanges whose spans wait to be sent, and how a batch of them becomes bytes.

`add` is for the event loop and never waits, `next` for the thread that sends.
"""

from collections import Counter, deque
from collections.abc import Sequence

from proxy.exchange import Exchange
from proxy.tracing.spans import SpanWriter


class SpanQueue:
    """At most `room` spans wait; more are dropped."""

    def __init__(self, writer: SpanWriter, room: int) -> None:
        self._writer, self._room = writer, room
        self.dropped: Counter[str] = Counter()
        """Spans lost since the start, by cause: queue_full, rejected, closing."""
        self._batches: deque[list[Exchange]] = deque()
        self._put = self._written = self._taken = 0
        """Spans, each counted by one thread only."""

    @property
    def waiting(self) -> int:
        """Spans that are not done with."""
        return self._put - self._taken

    @property
    def unwritten(self) -> int:
        """Those of them that no call of `next` has given yet."""
        return self._put - self._written

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to be written."""
        return not self._batches

    def add(self, batch: Sequence[Exchange]) -> None:
        """Queue the spans of these; they are redacted, and nobody will change them any more."""
        taken: list[Exchange] = []
        for x in batch:
            if x.span is None or not x.span.sampled:
                continue
            spans = _count(x)
            if self._put - self._taken + spans > self._room:
                self.dropped["queue_full"] += spans
            else:
                self._put += spans
                taken.append(x)
        if taken:
            self._batches.append(taken)

    def next(self, most: int) -> tuple[bytes, int]:
        """The next spans as fields of `ScopeSpans`, and how many these are: those of one batch
        after the other, until there are `most`."""
        lines: list[bytes] = []
        spans = 0
        while self._batches and spans < most:
            for x in self._batches.popleft():
                spans += self._write(lines, x)
        return b"".join(lines), spans

    def _write(self, lines: list[bytes], x: Exchange) -> int:
        """How many spans were written."""
        number, before = _count(x), len(lines)
        self._written += number
        try:
            self._writer.put(lines, x)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            del lines[before:]  # one that cannot be made must not stop the rest
            self.dropped["rejected"] += number
            self._taken += number
            return 0
        return number

    def done(self, spans: int) -> None:
        """So many were sent, or never will be."""
        self._taken += spans


def _count(x: Exchange) -> int:
    spare = x.fallback.attempt if x.fallback is not None else None
    return 1 + len(x.attempts) + (1 if spare is not None and spare.span_id else 0)
