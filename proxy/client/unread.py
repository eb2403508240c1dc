"""The bound on what a client leaves unread after an exchange, when no exchange waits for it.

Closing a connection waits until all that is queued is written, for ever if need be.
"""

from typing import Protocol

from proxy.client.output import Output
from proxy.timing.progress import Progress


class Unreader(Protocol):
    """A connection whose client may not read."""

    is_serving: bool
    """Whether an exchange is under way, whose clocks count instead."""

    def abort(self, *, reset: bool = False) -> None: ...


class UnreadBound:
    """Breaks the connection of a client that takes nothing of what is queued for too long."""

    __slots__ = ("_client", "_output", "_progress", "_silence")

    def __init__(self) -> None:
        self._client: Unreader | None = None
        """None while all is written."""
        self._output: Output | None = None
        self._progress: Progress | None = None
        self._silence = 0.0

    def start(self, client: Unreader, output: Output, silence: float) -> None:
        """Watch what is queued, if anything is, and nobody watches it already.

        `silence` is how long it may take nothing, in seconds.
        """
        if self._client is not None or not output.queued:
            return
        self._progress = output.progress(self._look)
        if self._progress is not None:
            self._client, self._output, self._silence = client, output, silence
            self._progress.watch(silence)

    def close(self) -> None:
        """All is written, or the connection is lost, which would be held."""
        if self._progress is not None:
            self._progress.close()
        self._client = self._output = self._progress = None

    def _look(self) -> None:
        if self._client is None or self._output is None or self._progress is None:
            return
        if not self._output.queued:
            self.close()
        elif self._progress.is_made() or self._client.is_serving:
            self._progress.watch(self._silence)
        else:
            self._client.abort()
