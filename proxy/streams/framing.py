"""What all framings share: whole events go on at once, an incomplete tail waits for its end.

No byte is changed, reordered, or kept longer than its event takes to arrive.
So whatever has been passed on ends between two events, and a word of ours may follow it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

Profile = Literal["sse", "openai", "ndjson"]
"""The format of an error inside a stream."""

MAX_HELD = 64 * 1024
"""Bytes of one incomplete event that are held back before the stream is passed on raw."""


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event of a stream. `name` is empty where the event, or the format, has none."""

    name: bytes
    data: bytes


class EventFraming(ABC):
    """The event boundaries of one stream, found as its bytes arrive.

    `events` counts the data events passed on so far.
    `has_event` says whether the last feed() passed on at least one: comments are none.
    `is_raw` once an event outgrew MAX_HELD: from then on bytes pass as they come, between events
    or within them; `events` stands still, and each read counts as carrying an event, because what
    outgrows a heartbeat that far is an answer.
    """

    __slots__ = ("_tail", "events", "has_event", "is_raw")

    profile: ClassVar[Profile]
    """The format's own form of an error; a route may ask for another."""

    def __init__(self) -> None:
        self._tail = b""
        self.events = 0
        self.has_event = False
        self.is_raw = False

    @property
    def held(self) -> int:
        """Bytes held back: the beginning of an event whose end has not come."""
        return len(self._tail)

    def feed(self, data: bytes) -> bytes:
        """What may be passed on now that `data` has come: all that is held and `data`, cut off
        behind the last whole event. Empty where no event has ended.
        """
        if self.is_raw:
            return data
        held = len(self._tail)
        text = self._tail + data if held else data
        end = self._boundary(text, held)
        if len(text) - end > MAX_HELD:
            return self._give_up(text)
        if end < len(text):
            self._tail = text[end:]
            text = text[:end]
        else:
            self._tail = b""
        fresh = self._count(text)
        self.events += fresh
        self.has_event = fresh > 0
        return text

    def finish(self) -> bytes:
        """The tail, to be passed on where the stream has ended well.

        Not where an error event is to follow: it would land inside the tail.
        """
        tail, self._tail = self._tail, b""
        return tail

    def heartbeat(self) -> bytes:
        """Bytes that may be sent now and mean nothing to a reader. Empty where there are none."""
        return b""

    def _give_up(self, text: bytes) -> bytes:
        self.events += self._count(text[: self._boundary(text, 0)])
        self.has_event = self.is_raw = True
        self._tail = b""
        return text

    @abstractmethod
    def read(self, whole: bytes) -> Iterator[StreamEvent]:
        """The events in `whole`, which feed() or finish() returned."""

    @abstractmethod
    def _boundary(self, text: bytes, held: int) -> int:
        """Where the last whole event in `text` ends; the first `held` bytes contain no end."""

    @abstractmethod
    def _count(self, whole: bytes) -> int:
        """How many data events there are in `whole`, which ends at a boundary."""
