"""What `/health` says."""

from dataclasses import dataclass
from typing import Any

import pytest

from proxy.admin.health import CircuitView, HealthView
from proxy.observation.upstream_status import UpstreamHealth
from proxy.resilience.permits import BreakerView
from proxy.tls.facts import CertificateFacts
from proxy.upstream.health.view import EndpointView


@dataclass
class Pool:
    size: int = 1024
    in_use: int = 1
    idle: int = 2
    waiting: int = 0
    oldest_age: float | None = 12.34567


CLOSED = BreakerView("closed", 0, 10, None, 0.0)
OPEN = BreakerView("open", 5, 10, 90.0, 20.12345)
HALF_OPEN = BreakerView("half_open", 5, 10, 90.0, 0.0)


def _view(**unusual: Any) -> HealthView:
    usual: dict[str, Any] = {
        "now": 100.0,
        "wall": 1_700_000_000.0,
        "started": 40.5,
        "upstreams": {"backend": UpstreamHealth("connected")},
        "circuits": {"chat": CircuitView(CLOSED)},
        "pools": {"backend": Pool()},
        "version": "1.2.3",
        "config_hash": "c0ffee",
        "certificates": [CertificateFacts("listen", 1_700_086_400.0, "broken")],
    }
    return HealthView(**{**usual, **unusual})


def test_everything_is_told() -> None:
    assert {
        "status": "ok",
        "uptime_seconds": 59.5,
        "upstreams": {
            "backend": {
                "status": "connected",
                "reason": None,
                "since": None,
                "failures": 0,
                "endpoints": [],
            }
        },
        "circuit_breakers": {
            "chat": {
                "state": "closed",
                "failure_count": 0,
                "success_count": 10,
                "opened_at": None,
                "retry_in_seconds": 0.0,
            }
        },
        "critical_circuits_open": [],
        "overload": None,
        "pools": {
            "backend": {
                "size": 1024,
                "in_use": 1,
                "idle": 2,
                "waiting": 0,
                "oldest_age_seconds": 12.346,
            }
        },
        "certificates": {
            "listen": {
                "expires_at": "2023-11-15T22:13:20.000Z",
                "expires_in_seconds": 86400,
                "rejected": "broken",
            }
        },
        "version": "1.2.3",
        "config_hash": "c0ffee",
        "reload": None,
    } == _view().body()


def test_an_expired_certificate_degrades() -> None:
    expired = CertificateFacts("listen", 1_700_000_000.0)

    assert "degraded" == _view(certificates=[expired]).status
    assert "ok" == _view().status


def test_an_open_circuit_says_since_when_and_for_how_long() -> None:
    told = _view(circuits={"chat": CircuitView(OPEN)}).body()

    assert ["chat"] == told["critical_circuits_open"]
    assert {
        "state": "open",
        "failure_count": 5,
        "success_count": 10,
        "opened_at": "2023-11-14T22:13:10.000Z",
        "retry_in_seconds": 20.123,
    } == told["circuit_breakers"]["chat"]


def test_a_failing_upstream_says_since_when_and_how_many() -> None:
    told = _view(upstreams={"backend": UpstreamHealth("failing", "reset", 90.0, 3)}).body()

    assert {
        "status": "failing",
        "reason": "reset",
        "since": "2023-11-14T22:13:10.000Z",
        "failures": 3,
        "endpoints": [],
    } == told["upstreams"]["backend"]


def test_an_empty_pool_has_no_age() -> None:
    told = _view(pools={"backend": Pool(oldest_age=None)}).body()

    assert told["pools"]["backend"]["oldest_age_seconds"] is None


@pytest.mark.parametrize(
    ("unusual", "status"),
    [
        pytest.param({}, "ok", id="all is well"),
        pytest.param({"upstreams": {"b": UpstreamHealth("unknown", "x")}}, "ok", id="nobody knows"),
        pytest.param(
            {
                "upstreams": {
                    "a": UpstreamHealth("connected"),
                    "b": UpstreamHealth("failing", "upstream_reset"),
                }
            },
            "degraded",
            id="one upstream fails",
        ),
        pytest.param({"circuits": {"chat": CircuitView(OPEN)}}, "degraded", id="critical and open"),
        pytest.param(
            {"circuits": {"chat": CircuitView(OPEN, is_critical=False)}},
            "ok",
            id="open, not critical",
        ),
        pytest.param({"circuits": {"chat": CircuitView(HALF_OPEN)}}, "ok", id="being probed"),
    ],
)
def test_degraded_is_a_failing_upstream_or_a_critical_circuit(unusual, status: str) -> None:
    assert status == _view(**unusual).status


def test_a_process_that_refuses_new_requests_is_degraded() -> None:
    view = _view(overload="overload.memory: 9 MiB of 8 MiB")

    assert ("degraded", "overload.memory: 9 MiB of 8 MiB") == (view.status, view.body()["overload"])


def test_of_each_endpoint_it_is_told_how_it_stands_why_and_since_when() -> None:
    views = (
        EndpointView("http://a:1", None, "down", "3 checks in a row: status 500", since=90.0),
        EndpointView("http://b:1", "10.0.0.2", "ejected", "5 failures in a row", until=130.0),
    )
    told = _view(endpoints={"backend": views}).body()["upstreams"]

    assert [
        {
            "endpoint": "http://a:1",
            "address": None,
            "status": "down",
            "reason": "3 checks in a row: status 500",
            "since": "2023-11-14T22:13:10.000Z",
            "retry_in_seconds": None,
        },
        {
            "endpoint": "http://b:1",
            "address": "10.0.0.2",
            "status": "ejected",
            "reason": "5 failures in a row",
            "since": None,
            "retry_in_seconds": 30.0,
        },
    ] == told["backend"]["endpoints"]
