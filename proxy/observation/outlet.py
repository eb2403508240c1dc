"""The file descriptor of the log, which may be full, broken or closed.

Nothing is raised from here. What could not be written is counted, and said once writing works.
"""

import os
import select
from collections.abc import Callable
from typing import Final

from proxy import clock

Drops = dict[str, int]
"""Lines lost, by cause: `queue_full` or `write_failed`."""

_TELL_EVERY: Final = 10.0
_POLL_MS: Final = 250


class Outlet:
    """Writes whole lines, blocking. `report` makes the line that reports lost ones."""

    def __init__(
        self,
        fd: int,
        report: Callable[[Drops], bytes],
        now: Callable[[], float] = clock.now,
    ) -> None:
        self.dropped: Drops = {"queue_full": 0, "write_failed": 0}
        self._fd = fd
        self._report = report
        self._now = now
        self._told = dict(self.dropped)
        self._told_at = float("-inf")
        self._is_torn = False

    def write(self, batch: bytes) -> None:
        """Write `batch`, lines with their ends, and then report losses, but not too often."""
        lost = self._write(batch)
        self.dropped["write_failed"] += lost
        if not lost and self._now() - self._told_at >= _TELL_EVERY:
            self.tell()

    def tell(self) -> None:
        """Say what was lost since it was last said, if anything was."""
        lost = {cause: n - self._told[cause] for cause, n in self.dropped.items()}
        if any(lost.values()) and not self._write(self._report(lost)):
            self._told = {cause: self._told[cause] + n for cause, n in lost.items()}
            self._told_at = self._now()

    def _write(self, batch: bytes) -> int:
        """How many lines were lost."""
        if self._is_torn:
            batch = b"\n" + batch  # ends the half line that went out before
        written = self._write_bytes(batch)
        if written:
            self._is_torn = not batch.endswith(b"\n", 0, written)
        return batch.count(b"\n", written)

    def _write_bytes(self, data: bytes) -> int:
        """How many bytes went out before the descriptor refused; waits while it is full."""
        written = 0
        while written < len(data):
            try:
                written += os.write(self._fd, memoryview(data)[written:])
            except BlockingIOError:
                _await_writable(self._fd)
            except OSError:
                break
        return written


def _await_writable(fd: int) -> None:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    poll.poll(_POLL_MS)
