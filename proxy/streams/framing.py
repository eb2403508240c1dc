"""What all framings share: whole events go on at once, an incomplete tail waits for its end.

No byte is changed or reordered. An event that does not end in time goes on by whole lines, one
that is too large goes on in pieces, and so do bytes that are no event at all; at the event's end
the framing is back. Each state knows whether a word of ours may follow what has been passed on.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

Profile = Literal["sse", "openai", "ndjson", "json-seq"]
"""The format of an error inside a stream."""

MAX_HELD = 64 * 1024
"""Bytes of one incomplete event that are held back before it is passed on in pieces."""

PATIENCE = 0.25
"""Seconds for which an unfinished event is held; then its whole lines go on."""

_CONTEXT = 5
"""Bytes passed on last that are kept of an event in pieces: a line end and the start of a field."""
_LINE_ENDS = (b"\n", b"\r")


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event of a stream. `name` is empty where the event, or the format, has none."""

    name: bytes
    data: bytes


class EventFraming(ABC):
    """The event boundaries of one stream, found as its bytes arrive.

    `events` counts the data events passed on so far.
    `held` are the bytes held back: the beginning of an event whose end has not come.
    `has_event` says whether the last feed() or release() passed on data: comments are none, bytes
    that are no event are some.
    `whole` are the events that ended with the last feed() or finish(), from their first byte, or
    of bytes that are no event what was passed on.
    `is_raw` once bytes have come that are no event of the format.
    `ends_unseen` where what was passed on last was not seen whole, so that nobody knows what it
    carried.
    """

    __slots__ = (
        "_has_data", "_in_pieces", "_passed", "_tail", "ends_unseen", "events", "has_event",
        "held", "is_raw", "whole",
    )  # fmt: skip

    profile: ClassVar[Profile]
    """The format's own form of an error; a route may ask for another."""

    def __init__(self) -> None:
        self._tail = b""
        self._passed = 0
        """Bytes of the tail that have been passed on."""
        self._in_pieces = False
        self._has_data = False
        """Whether the event in pieces carries data."""
        self.events = self.held = 0
        self.has_event = self.is_raw = self.ends_unseen = False
        self.whole = b""

    @property
    def takes_error(self) -> bool:
        """Whether an error event may follow what has been passed on: no line is unfinished, and
        where bytes came that are no event, there were events as well."""
        ended = not self._passed or self._last_passed in _LINE_ENDS
        return ended and (self.events > 0 or not self.is_raw)

    def close_event(self) -> bytes:
        """What ends an event that was passed on in part, before one of ours: a blank line."""
        if not self._passed:
            return b""
        return b"\n\n" if self._last_passed == b"\r" else b"\n"  # it may be half of a CRLF

    def feed(self, data: bytes) -> bytes:
        """What may be passed on now that `data` has come: all that is held and `data`, cut off
        behind the last whole event. Empty where no event has ended.
        """
        if self._in_pieces:
            return self._go_on(data)
        held = len(self._tail)
        text = self._tail + data if held else data
        end = self._boundary(text, held)
        size = len(text)
        if end < size and (size - end > MAX_HELD or self._is_foreign(text, end)):
            return self._take_apart(text, end)
        return self._pass(text, end)

    def release(self) -> bytes:
        """Whole lines of an event that has taken too long; an unfinished line is never passed."""
        end = 0 if self._in_pieces else self._end_of_lines(self._tail)
        if end <= self._passed:
            return b""
        lines = self._tail[self._passed : end]
        self._passed = end
        self.held = len(self._tail) - end
        self.has_event = self._carries_data(b"\n" + lines)
        return lines

    def finish(self) -> bytes:
        """The tail, to be passed on where the stream has ended well.

        Not where an error event is to follow: it would land inside the tail.
        """
        self.whole = b"" if self._in_pieces else self._tail
        tail = self._tail[self._passed :]
        self._tail, self._passed, self.held = b"", 0, 0
        self.has_event = bool(self.whole) and self._carries_data(b"\n" + self.whole + b"\n")
        return tail

    def heartbeat(self) -> bytes:
        """Bytes that may be sent now and mean nothing to a reader. Empty where there are none."""
        return b""

    @property
    def _last_passed(self) -> bytes:
        return self._tail[self._passed - 1 : self._passed]

    def _pass(self, text: bytes, end: int) -> bytes:
        """Pass on the events up to `end`, but for what has been passed on of the first."""
        if end == 0:
            self._tail = text
            self.held = len(text) - self._passed
            self.whole, self.has_event = b"", False
            return b""
        self._tail = text[end:] if end < len(text) else b""
        self.held = len(text) - end
        ready = self.whole = text[:end] if end < len(text) else text
        if self._passed:
            ready = ready[self._passed :]
            self._passed = 0
        fresh = self._count(self.whole)
        self.events += fresh
        if fresh:
            self.has_event, self.ends_unseen = True, False
        else:
            self.has_event = self._has_foreign(self.whole)
            self.is_raw = self.is_raw or self.has_event
        return ready

    def _take_apart(self, text: bytes, end: int) -> bytes:
        """Pass on all of `text`: the event that begins at `end` goes on as it comes."""
        passed = self._passed
        foreign = self._is_foreign(text, end)
        before = self._pass(text, end)
        rest = self._tail
        ready = before + (rest if end else rest[passed:])
        self._in_pieces = self.ends_unseen = self.has_event = True
        self.is_raw = self.is_raw or foreign
        self._has_data = self._carries_data(b"\n" + rest)
        self._keep(rest)
        if self.is_raw:
            self.whole = ready
        return ready

    def _go_on(self, data: bytes) -> bytes:
        """The next bytes of an event in pieces, and what follows its end."""
        seen = len(self._tail)
        text = self._tail + data
        end = self._first_end(text, seen)
        self._has_data = self._has_data or self._carries_data(text[:end] if end else text)
        self.has_event = True
        if not end:
            self._keep(text)
            self.whole = data if self.is_raw else b""
            return data
        self._in_pieces = False
        self._tail, self._passed, self.held = b"", 0, 0
        self.events += self._has_data
        ready = text[seen:end]
        raw = ready if self.is_raw else b""
        self.whole = b""
        if end < len(text):
            ready += self.feed(text[end:])
        self.whole = raw + self.whole
        self.has_event = True
        return ready

    def _keep(self, text: bytes) -> None:
        self._tail = text[-_CONTEXT:]
        self._passed = len(self._tail)
        self.held = 0

    def _is_foreign(self, text: bytes, at: int) -> bool:  # noqa: ARG002 - for those who can tell
        """Whether the unfinished event that begins at `at` can be none of the format."""
        return False

    def _has_foreign(self, whole: bytes) -> bool:  # noqa: ARG002
        """Whether something in `whole`, which has no data event, is none of the format."""
        return False

    def _end_of_lines(self, tail: bytes) -> int:  # noqa: ARG002 - where a line is an event
        """Where the last whole line of an unfinished event ends; 0 where there is none."""
        return 0

    @abstractmethod
    def read(self, whole: bytes) -> Iterator[StreamEvent]:
        """The events in `whole`."""

    @abstractmethod
    def _boundary(self, text: bytes, held: int) -> int:
        """Where the last whole event in `text` ends; the first `held` bytes contain no end."""

    @abstractmethod
    def _first_end(self, text: bytes, seen: int) -> int:
        """Where the event that goes on in `text` ends, 0 where it does not; the first `seen` bytes
        contain no end."""

    @abstractmethod
    def _carries_data(self, text: bytes) -> bool:
        """Whether a whole line of `text`, from its first line end on, is data."""

    @abstractmethod
    def _count(self, whole: bytes) -> int:
        """How many data events there are in `whole`, which ends at a boundary."""
