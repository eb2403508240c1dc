"""An admin port in front of sources that say what a test wants."""

import copy
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestClient

from proxy.admin.guard import Guard
from proxy.admin.health import CircuitView, HealthView
from proxy.admin.live import Live, Running
from proxy.admin.server import AdminRunner, admin_runner
from proxy.diagnostics.stories.query import Query
from proxy.diagnostics.stories.tail import Followed
from proxy.observation.metrics import Metrics
from proxy.observation.reload_report import ReloadReport
from proxy.observation.series import Exemplars, Snapshot
from proxy.observation.summary import Slot, Summary
from proxy.observation.upstream_status import UpstreamHealth
from proxy.resilience.permits import BreakerView

Told = dict[str, Any]

STALLED: Told = {
    "request_id": "req-1",
    "at": "2026-11-22T03:00:00.000Z",
    "started": 1795316400.0,
    "ended": 1795316422.0,
    "method": "POST",
    "path": "/api/chat",
    "client_ip": "192.0.2.7",
    "user_agent": "widget/1",
    "code": "stream_stalled",
    "term": "uS",
    "level": "error",
    "category": "upstream",
    "status": 200,
    "duration_ms": 22000.0,
    "overhead_ms": 0.4,
    "parts": {"guards_ms": 0.01, "upstream_ms": 21999.6, "relay_ms": 0.39},
    "bytes_in": 41,
    "bytes_out": 15300,
    "fields": {"user_id": "u-7"},
    "route": {
        "name": "chat",
        "upstream": "model",
        "policy": "streamed-chat",
        "why": "the path is /api/chat",
        "match": {"host": None, "path": "/api/chat", "methods": ["POST"]},
    },
    "guards": [
        {"guard": "request", "decision": "passed"},
        {"guard": "breaker", "decision": "passed"},
    ],
    "attempts": [
        {
            "number": 1,
            "endpoint": "http://10.0.0.1:80",
            "chosen": {"why": "hash", "in_use": 0, "usable": 3, "known": []},
            "reused": True,
            "at_ms": 0.5,
            "head_ms": 9.5,
            "sent": False,
            "result": "reset",
            "detail": "closed before the head",
            "then": "retried",
            "why": "reset",
            "pause_ms": 90.0,
            "budget_left": 19.0,
        },
        {
            "number": 2,
            "endpoint": "http://10.0.0.2:80",
            "reused": False,
            "at_ms": 100.0,
            "connect_ms": 10.0,
            "head_ms": 290.0,
            "sent": True,
            "status": 200,
            "result": "ok",
            "then": "answered",
        },
    ],
    "breaker": {
        "before": "closed",
        "after": "closed",
        "failures": 4,
        "attempts": 10,
        "window_ms": 30000.0,
    },
    "times": {"upstream_ms": 21900.0, "paused_ms": 90.0},
    "clocks": [
        {"clock": "head", "configured_ms": 30000.0, "elapsed_ms": 290.0, "ran_out": False},
        {"clock": "gap", "configured_ms": 20000.0, "elapsed_ms": 20000.0, "ran_out": True},
        {"clock": "event_gap", "configured_ms": None, "ran_out": False},
    ],
    "stream": {
        "head_ms": 400.0,
        "first_event_ms": 1000.0,
        "events": 148,
        "reads": 140,
        "max_gap_ms": 700.0,
        "max_gap_at_ms": 1200.0,
        "last_byte_ms": 2000.0,
        "silent_ms": 20000.0,
        "raw": False,
        "told": True,
    },
    "client": {
        "got": "in_band_error",
        "status": 200,
        "code": "stream_stalled",
        "message": "The answer stopped arriving.",
    },
    "worker": 0,
    "config_hash": "c0ffee",
    "diagnosis": "The model upstream sent 148 events, then nothing for 20.0 s.",
    "runbook": "stream_stalled",
}

LISTED: Told = {
    **{key: STALLED[key] for key in ("request_id", "at", "ended", "method", "path", "status")},
    **{key: STALLED[key] for key in ("code", "term", "level", "duration_ms", "fields")},
    "route": "chat",
    "upstream": "model",
    "attempts": 2,
}

GROUP: Told = {
    "fingerprint": "0123456789ab",
    "code": "stream_stalled",
    "route": "chat",
    "upstream": "model",
    "endpoint": "http://10.0.0.2:80",
    "detail_class": "gap: no byte for # s",
    "severity": "error",
    "category": "upstream",
    "first_seen": "2026-11-22T01:00:00.000Z",
    "last_seen": "2026-11-22T03:00:22.000Z",
    "total": 7,
    "last_24h": 5,
    "per_hour": [{"hour": "2026-11-22T03:00:00Z", "count": 5}],
    "samples": ["req-1", "req-0"],
    "message": "The answer stopped arriving.",
}

ALERT: Told = {
    "id": "a1",
    "rule": "stalls",
    "subject": "",
    "severity": "error",
    "summary": "25 % of all streams fell silent within 5m",
    "value": 0.25,
    "threshold": 0.05,
    "window_s": 300.0,
    "state": "raised",
    "raised_at": "2026-11-22T03:00:30.000Z",
    "runbook": "stalls",
    "samples": ["req-1"],
    "silenced": False,
}

LOADED = ReloadReport("loaded", "POST /reload", "c0ffee")

BREAKER: Told = {
    "route": "chat",
    "enabled": True,
    "critical": True,
    "state": "open",
    "failure_count": 4,
    "success_count": 6,
    "opened_at": "2026-11-22T03:00:22.000Z",
    "retry_in_seconds": 12.0,
    "changes": [{"at": "2026-11-22T03:00:22.000Z", "to": "open", "cause": "consecutive"}],
}

ROUTE: Told = {
    "name": "chat",
    "match": {"host": None, "path": "/api/chat", "methods": ["POST"]},
    "upstream": "model",
    "policy": "streamed-chat",
    "timeouts": {"head": "30s", "event_gap": None},
}


def hostile(value: object) -> Any:
    """`value` with a script in every text, as if a client had chosen all of them."""
    match value:
        case str():
            return f'"><script>alert(1)</script>{value}'
        case dict():
            return {key: hostile(inner) for key, inner in value.items()}
        case list():
            return [hostile(inner) for inner in value]
        case _:
            return value


@dataclass
class Found:
    stories: list[Told]
    store: str = "ok"
    why: str = ""
    named: tuple[str, ...] = ()
    is_shared: bool = False


@dataclass
class FakeDiagnostics:
    """Remembers one of each, and what it was asked."""

    known: list[Told] = field(default_factory=lambda: [copy.deepcopy(STALLED)])
    listed: list[Told] = field(default_factory=lambda: [copy.deepcopy(LISTED)])
    groups: list[Told] = field(default_factory=lambda: [copy.deepcopy(GROUP)])
    raised: list[Told] = field(default_factory=lambda: [copy.deepcopy(ALERT)])
    store: str = "ok"
    why: str = ""
    named: tuple[str, ...] = ()
    asked: list[Any] = field(default_factory=list)
    receivers: list[dict[str, str]] = field(default_factory=list)

    async def story(self, request_id: str, *, across: bool = False) -> Found:
        self.asked.append(across)
        found = [s for s in self.known if s["request_id"] == request_id]
        return Found(found, self.store, self.why, self.named)

    async def stories(self, query: Query) -> Found:
        self.asked.append(query)
        return Found(self.listed, self.store)

    async def tail(self, cursor: int | None, query: Query, wait: float) -> Followed:
        self.asked.append((cursor, query, wait))
        return Followed(self.listed, 7, 2)

    def errors(self, wall: float) -> Told:
        day = {"warning": 3, "error": 5, "critical": 1}
        hours = [{"hour": "2026-11-22T03:00:00Z", "warning": 3, "error": 5, "critical": 1}]
        summary = {"last_24h": day, "by_code": {}, "rate_per_hour": 0.25, "per_hour": hours}
        return {"groups": self.groups, "summary": {**summary, "critical_recent": []}}

    def error(self, fingerprint: str, wall: float) -> Told | None:
        return next((g for g in self.groups if g["fingerprint"] == fingerprint), None)

    def order_error(self, fingerprint: str, order: str) -> bool:
        self.asked.append((fingerprint, order))
        return self.error(fingerprint, 0.0) is not None

    def alerts(self, wall: float) -> list[Told]:
        return self.raised

    def silence(self, rule: str, until: float) -> bool:
        self.asked.append((rule, until))
        return rule == "stalls"

    async def alert_test(self) -> Sequence[Told]:
        return list(self.receivers)

    def store_state(self) -> Told:
        return {"state": self.store, "reason": "disk full", "dropped": {}, "queued": 0}


@dataclass
class Sources:
    """An application that is well."""

    diagnostics: FakeDiagnostics = field(default_factory=FakeDiagnostics)
    readiness: tuple[bool, str] = (True, "")
    upstreams: dict[str, UpstreamHealth] = field(default_factory=dict)
    circuits: dict[str, CircuitView] = field(
        default_factory=lambda: {"chat": CircuitView(BreakerView("closed", 0, 10, None, 0.0))}
    )
    metrics: Metrics = field(default_factory=lambda: Metrics({"chat": "backend"}, "1.2.3"))
    settings: dict[str, Any] = field(default_factory=dict)
    circuits_told: list[Told] = field(default_factory=lambda: [copy.deepcopy(BREAKER)])
    routes_told: list[Told] = field(default_factory=lambda: [copy.deepcopy(ROUTE)])
    orders: list[tuple[str, str]] = field(default_factory=list)
    refusal: str | None = None
    drains: bool = False
    can_drain: bool = True
    reloads: list[str] = field(default_factory=list)
    report: ReloadReport = field(
        default_factory=lambda: ReloadReport("loaded", "POST /reload", "c0ffee")
    )

    def ready(self) -> tuple[bool, str]:
        return self.readiness

    def health(self) -> HealthView:
        return HealthView(10.0, 1e9, 0.0, self.upstreams, self.circuits, {}, "1.2.3", "c0ffee")

    def live(self) -> Live:
        slots = [Slot(10.0 * n, n, n // 10, 0.01, 0.02) for n in range(-29, 1)]
        return Live(self.health(), {"chat": Running(3, 2), "": Running(1, 0)}, slots)

    def summary(self) -> Mapping[str, Any]:
        return Summary(0.0).figures(10.0)

    def exemplars(self) -> Exemplars:
        return self.metrics.exemplars()

    def snapshot(self) -> Snapshot:
        return self.metrics.snapshot()

    def config(self) -> Mapping[str, Any]:
        return self.settings

    def routes(self) -> list[Told]:
        return self.routes_told

    def limits(self) -> Told:
        return {"rate_limits": [], "concurrency": [], "overload": {"reason": None, "refused": 0}}

    def breakers(self) -> list[Told]:
        return self.circuits_told

    def order_breaker(self, route: str, order: str) -> str | None:
        self.orders.append((route, order))
        return self.refusal

    async def reload(self, cause: str) -> ReloadReport:
        self.reloads.append(cause)
        return self.report

    def last_reload(self) -> ReloadReport | None:
        return self.report if self.reloads else None

    def drain_view(self) -> Told:
        return {"draining": self.drains, "running": 4}

    def start_drain(self) -> bool:
        self.drains = self.can_drain
        return self.can_drain


@pytest.fixture
def sources() -> Sources:
    return Sources()


@pytest.fixture
def guard() -> Guard:
    return Guard("127.0.0.1")


@pytest.fixture
async def admin(sources: Sources, guard: Guard) -> AsyncIterator[TestClient]:
    runner = admin_runner(sources, guard)
    async with TestClient(PortServer(runner)) as client:
        yield client
    await runner.cleanup()


class PortServer(BaseTestServer):
    """The admin port with its own server, as in production."""

    def __init__(self, runner: AdminRunner) -> None:
        super().__init__()
        self._ours = runner

    async def _make_runner(self, **_: Any) -> web.ServerRunner:
        return await self._ours.setup()


@pytest.fixture
def stalled() -> Told:
    """The story of a stream that fell silent, after an attempt that failed."""
    return copy.deepcopy(STALLED)


@pytest.fixture
def make_hostile():
    return hostile
