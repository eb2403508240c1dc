"""Every async test runs on both loops that Sidelight runs on; and an exchange to tell of."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

from proxy.exchange import Exchange
from proxy.outcome import OUTCOMES
from proxy.settings.load import parse
from tests import records


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
