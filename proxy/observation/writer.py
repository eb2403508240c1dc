"""The thread that writes the log, and the bounded queue before it.

A reader that stalls holds up this thread and nobody else. No line is ever waited for.
"""

import threading
from collections import deque
from typing import Final

from proxy.observation.outlet import Outlet

_BATCH_BYTES: Final = 64 * 1024
_LINGER: Final = 0.02


class Writer:
    """Takes whole lines from any thread and hands them on, in order, from its own."""

    def __init__(self, outlet: Outlet, size: int = 8192) -> None:
        self._outlet = outlet
        self._size = size
        self._queue: deque[tuple[bytes, int]] = deque()
        self._waiting = 0
        """How many lines are in the queue."""
        self._count = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sidelight-log", daemon=True)
        self._thread.start()

    def put(self, lines: bytes, count: int = 1) -> None:
        """Hand over `count` lines, their ends included. Never waits: a full queue drops them.

        Lines that are handed over together enter together, also where only some have room left.
        """
        with self._count:
            if self._waiting >= self._size:
                self._outlet.dropped["queue_full"] += count
                return
            self._waiting += count
        self._queue.append((lines, count))
        if not self._wake.is_set():
            self._wake.set()

    def close(self, timeout: float) -> bool:
        """Write what is queued, for at most `timeout` seconds. False: some of it was left."""
        self._size = 0
        self._closing.set()
        self._wake.set()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._closing.wait(_LINGER)  # lets a batch gather: one write, not one per line
            self._wake.clear()  # before the queue is read, so that no line is overlooked
            self._empty_queue()
        self._empty_queue()
        self._outlet.tell()

    def _empty_queue(self) -> None:
        while self._queue:
            self._outlet.write(self._next_batch())

    def _next_batch(self) -> bytes:
        lines, size, taken = [], 0, 0
        while self._queue and size < _BATCH_BYTES:
            some, count = self._queue.popleft()
            lines.append(some)
            size += len(some)
            taken += count
        with self._count:
            self._waiting -= taken
        return b"".join(lines)
