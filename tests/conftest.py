"""Every async test runs on both loops that Sidelight runs on.

And what tests of several folders need: an exchange to tell of, a certificate.
"""

import asyncio
import os
import shutil
import ssl
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import uvloop
from hypothesis import HealthCheck, settings

from proxy.exchange import Exchange
from proxy.outcome import OUTCOMES
from proxy.settings.load import parse
from proxy.upstream.connection import Connection
from proxy.upstream.dialer import Dialer
from proxy.upstream.result import Failed
from tests import records
from tests.authority import Authority
from tests.line import Line, Socket

# A machine that stands still for a moment is not a fault of what is tested.
settings.register_profile("sidelight", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sidelight")


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


MakeExchange = Callable[..., Exchange]

SETTINGS = """
upstreams: { chat: { endpoints: ["http://127.0.0.1:8000"] } }
routes:
  - { name: chat, match: { path: /api/chat, methods: [POST] }, upstream: chat }
"""


@pytest.fixture(scope="session")
def terms():
    """The rule of a route, as the settings make it."""
    return parse(SETTINGS).routes[0]


@pytest.fixture
def exchange_of(terms) -> MakeExchange:
    """A call answered 200 after 25 ms; `code` names another outcome."""

    def make(code: str = "completed", **unusual: object) -> Exchange:
        attempt = records.attempt(
            "http://127.0.0.1:8000",
            10.0,
            connect=0.002,
            head=0.02,
            sent=True,
            status=200,
            result="ok",
        )
        usual: dict[str, object] = {
            "started": 10.0,
            "started_wall": 1e9,
            "method": "POST",
            "target": "/api/chat",
            "client_ip": "192.0.2.7",
            "request_id": "id-1",
            "route": "chat",
            "upstream": "chat",
            "terms": terms,
            "attempts": [attempt],
            "breaker_before": "closed",
            "breaker_state": "closed",
            "status": 200,
            "upstream_status": 200,
            "outcome": OUTCOMES[code],
            "committed": 10.022,
            "ended": 10.025,
            "upstream_wait": 0.024,
            "bytes_in": 10,
            "bytes_out": 2000,
        }
        return records.exchange(**{**usual, **unusual})

    return make


@pytest.fixture
def server_tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def authority(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command")
    return Authority(tmp_path)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A file with a key and its own certificate, for localhost and 127.0.0.1."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command")
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made = subprocess.run(
        [*command, "-keyout", "-", "-out", "-"], check=True, capture_output=True, text=True
    )
    path.write_text(made.stdout)
    return str(path)


@pytest.fixture
async def line(monkeypatch: pytest.MonkeyPatch):
    """Makes lines; unusual settings by keyword."""
    lines: list[Line] = []
    quiet, other_end = os.pipe()

    def make(**settings: Any) -> Line:
        fields = settings.pop("fields", lambda _: {"team": "a"})
        made = Line(settings, Socket(quiet), fields)

        async def dial(
            self: Dialer, endpoint, owner, timeout: float, limit: float
        ) -> Connection | Failed:
            return await made.dial(endpoint, self.rule, owner)

        monkeypatch.setattr(Dialer, "dial", dial)
        lines.append(made)
        return made

    yield make
    for made in lines:
        await made.stop()
    for end in (quiet, other_end):
        os.close(end)
