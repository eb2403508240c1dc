"""Who is told of a stream while it lasts."""

from collections.abc import Callable
from typing import Protocol

from proxy.exchange import Exchange


class StreamObserver(Protocol):
    """Who is told of a stream while it lasts."""

    def stream_gaps(self, x: Exchange) -> Callable[[float], None]:
        """Whom to tell, in seconds, of each silence between two reads."""

    def stream_started(self, x: Exchange) -> None: ...

    def stream_progress(self, x: Exchange) -> None: ...
