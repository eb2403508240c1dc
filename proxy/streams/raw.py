"""A stream whose events nobody sees: compressed, or of a type that only the route knows."""

from collections.abc import Iterator
from typing import ClassVar

from proxy.streams.framing import EventFraming, Profile, StreamEvent


class Raw(EventFraming):
    """Passes bytes on as they come; each read counts as data for the clocks, and is no event."""

    __slots__ = ()

    profile: ClassVar[Profile] = "sse"

    def __init__(self) -> None:
        super().__init__()
        self.is_raw = self.ends_unseen = self.has_event = True

    def feed(self, data: bytes) -> bytes:
        return data

    def finish(self) -> bytes:
        self.has_event = False
        return b""

    def read(self, whole: bytes) -> Iterator[StreamEvent]:  # noqa: ARG002 - nobody sees them
        return iter(())

    def _boundary(self, text: bytes, held: int) -> int:  # noqa: ARG002
        return len(text)

    def _first_end(self, text: bytes, seen: int) -> int:  # noqa: ARG002
        return 0

    def _carries_data(self, text: bytes) -> bool:
        return bool(text)

    def _count(self, whole: bytes) -> int:  # noqa: ARG002
        return 0
