"""Boundaries of newline-delimited JSON: a line is an event, a blank line is none.

Only LF ends a line; a CR before it is white space of JSON.
"""

from collections.abc import Iterator
from typing import ClassVar

from proxy.streams.framing import EventFraming, Profile, StreamEvent

_RECORD_SEPARATOR = b"\x1e"


class Ndjson(EventFraming):
    """The framing of one `application/x-ndjson`."""

    __slots__ = ()

    profile: ClassVar[Profile] = "ndjson"

    def finish(self) -> bytes:
        """A last line may lack its LF: at a good end it counts as an event."""
        tail = super().finish()
        self.events += self.has_event or (self._in_pieces and self._has_data)
        return tail

    def read(self, whole: bytes) -> Iterator[StreamEvent]:
        for line in whole.split(b"\n"):
            if data := line.lstrip(_RECORD_SEPARATOR).strip():
                yield StreamEvent(b"", data)

    def _boundary(self, text: bytes, held: int) -> int:
        return text.rfind(b"\n", held) + 1

    def _first_end(self, text: bytes, seen: int) -> int:
        return text.find(b"\n", seen) + 1

    def _carries_data(self, text: bytes) -> bool:
        return bool(text.strip())

    def _count(self, whole: bytes) -> int:
        return sum(map(bool, map(bytes.strip, whole.split(b"\n"))))


class JsonSequence(Ndjson):
    """The framing of one `application/json-seq` (RFC 7464): lines behind a record separator."""

    __slots__ = ()

    profile: ClassVar[Profile] = "json-seq"
