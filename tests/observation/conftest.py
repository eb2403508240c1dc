"""An exchange that went well; each test says only what is unusual about its own."""

import json
import os
import threading
from collections.abc import Callable
from typing import Any

import pytest

from proxy.exchange import Exchange
from proxy.outcome import COMPLETED
from tests import records

MakeExchange = Callable[..., Exchange]


@pytest.fixture
def exchange() -> MakeExchange:
    def make(**unusual: Any) -> Exchange:
        attempt = records.attempt(
            "http://127.0.0.1:8000", 10.0, reused=True, head=0.02, status=200, result="ok"
        )
        usual: dict[str, Any] = {
            "started": 10.0,
            "started_wall": 1e9,
            "method": "GET",
            "target": "/api/chat",
            "client_ip": "192.0.2.7",
            "request_id": "id-1",
            "trace_id": "a" * 32,
            "span_id": "b" * 16,
            "user_agent": "widget/1",
            "route": "chat",
            "upstream": "backend",
            "attempts": [attempt],
            "breaker_state": "closed",
            "status": 200,
            "upstream_status": 200,
            "outcome": COMPLETED,
            "ended": 10.0251234,
            "upstream_wait": 0.0251,
            "bytes_in": 10,
            "bytes_out": 2000,
        }
        return records.exchange(**{**usual, **unusual})

    return make


class Reader:
    """The other end of a log: everything written to `fd`, read by a thread of its own."""

    def __init__(self) -> None:
        self._end, self.fd = os.pipe()
        self._data = b""
        self._thread = threading.Thread(target=self._read, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def lines(self) -> list[bytes]:
        """All lines, once the writing end was closed, which this does."""
        if not self._thread.ident:
            self.start()
        os.close(self.fd)
        self._thread.join(10)
        return self._data.splitlines()

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines()]

    def fill(self) -> int:
        """Stuff the pipe until nothing more goes in; how many bytes that took."""
        os.set_blocking(self.fd, False)
        stuffed = 0
        try:
            while True:
                stuffed += os.write(self.fd, b"\n" * 4096)
        except BlockingIOError:
            return stuffed

    def hang_up(self) -> None:
        os.close(self._end)

    def _read(self) -> None:
        while data := os.read(self._end, 65536):
            self._data += data
        os.close(self._end)


@pytest.fixture
def reader() -> Reader:
    return Reader()
