"""An admin port in a thread, as a command finds it; what it answers is a test's."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest


class Port(HTTPServer):
    """Remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.answers: dict[str, tuple[int, object]] = {}
        self.asked: list[tuple[str, str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(BaseHTTPRequestHandler):
    server: Port

    def do_GET(self) -> None:
        self.server.asked.append((self.command, self.path, self.headers["Authorization"]))
        status, body = self.server.answers.get(self.path, (404, {"message": "Not there."}))
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET  # noqa: N815  # the library's names

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture
def port() -> Iterator[Port]:
    with Port() as port:
        thread = threading.Thread(target=port.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield port
        port.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SIDELIGHT_ADMIN__TOKEN", "SIDELIGHT_ADMIN__HOST", "SIDELIGHT_ADMIN__PORT"):
        monkeypatch.delenv(name, raising=False)
