"""Boundaries of newline-delimited JSON: a line is an event, a blank line is none.

Only LF ends a line; a CR before it is white space of JSON.
"""

from collections.abc import Iterator
from typing import ClassVar

from proxy.streams.framing import EventFraming, Profile, StreamEvent


class Ndjson(EventFraming):
    """The framing of one `application/x-ndjson`."""

    __slots__ = ()

    profile: ClassVar[Profile] = "ndjson"

    def finish(self) -> bytes:
        """A last line may lack its LF: at a good end it counts as an event."""
        tail = super().finish()
        self.has_event = bool(tail.strip())
        self.events += self.has_event
        return tail

    def read(self, whole: bytes) -> Iterator[StreamEvent]:
        for line in whole.split(b"\n"):
            if data := line.strip():
                yield StreamEvent(b"", data)

    def _boundary(self, text: bytes, held: int) -> int:
        return text.rfind(b"\n", held) + 1

    def _count(self, whole: bytes) -> int:
        return sum(map(bool, map(bytes.strip, whole.split(b"\n"))))
