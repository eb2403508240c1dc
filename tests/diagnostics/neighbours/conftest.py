"""Exchanges side by side, as a minute of traffic leaves them."""

from collections.abc import Callable
from typing import Any

import pytest

from proxy.diagnostics.neighbours.ring import Ring
from proxy.diagnostics.neighbours.rows import ComparedRow, RowMaker
from proxy.diagnostics.neighbours.window import RouteWindow, Slowness
from proxy.exchange import Exchange
from proxy.outcome import OUTCOMES
from tests import records

A, B = "http://10.0.0.1:80", "http://10.0.0.2:80"
USUAL: dict[str, Any] = {
    "path": "/api/chat",
    "endpoint": A,
    "reused": True,
    "user": "u1",
    "code": "completed",
    "status": 200,
    "took": 0.1,
}

Happen = Callable[..., Exchange]


@pytest.fixture
def happen() -> Happen:
    """An exchange that ended at `at`; what is unusual of it is named."""
    made = 0

    def make(at: float, **unusual: Any) -> Exchange:
        nonlocal made
        made += 1
        had = USUAL | unusual
        attempt = records.attempt(
            had["endpoint"], at - had["took"], reused=had["reused"], status=had["status"],
            head=had["took"], sent=True,
            result="ok" if had["code"] == "completed" else OUTCOMES[had["code"]].result or "ok",
        )  # fmt: skip
        x = Exchange(at - had["took"], 1e9 + at - had["took"], "GET", had["path"], "192.0.2.1")
        x.request_id, x.route, x.upstream = had.get("id", f"id-{made}"), "chat", "model"
        x.config_hash = had.get("config_hash", "")
        x.user_agent, x.fields = had.get("agent", "widget/1"), {"user_id": had["user"]}
        x.attempts = had.get("attempts", [attempt])
        x.outcome, x.upstream_status = OUTCOMES[had["code"]], had["status"]
        x.ended, x.bytes_out = at, 100
        for name in ("streamed", "first_event", "retry_stopped", "terms", "breaker_counts"):
            if name in had:
                setattr(x, name, had[name])
        return x

    return make


@pytest.fixture
def window_of() -> Callable[[list[Exchange]], tuple[RouteWindow, ComparedRow]]:
    """The counts of their route; the last one is the one that is asked about."""

    def make(
        happened: list[Exchange], slowness: Slowness | None = None
    ) -> tuple[RouteWindow, ComparedRow]:
        maker, ring = RowMaker(("user_id",)), Ring()
        rows = [maker.row(x) for x in happened]
        for row in rows:
            ring.add(row)
        window = RouteWindow("chat", maker.fields, slowness or Slowness())
        window.count_all(ring.window(rows[-1].ended))
        return window, rows[-1]

    return make
