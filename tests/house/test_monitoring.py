"""A real Prometheus scrapes, the shipped rules fire on a real fault, Alertmanager tells somebody.

The rules are the shipped ones with shorter windows: minutes are half seconds here.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.deploy.test_grafana import TARGETS
from tests.deploy.tools import tool
from tests.house.fault_upstream import FaultUpstream, Turn, reset_before_head, sse
from tests.house.house import ROOT, free_port
from tests.house.raw_client import fetch

SHIPPED = ROOT / "deploy" / "prometheus"
PATIENCE = 60


def scaled(text: str) -> str:
    """Windows and waits in half seconds instead of minutes, and at least two seconds long."""
    text = re.sub(r"\[(\d+)m\]", lambda m: f"[{max(2, int(m[1]) // 2)}s]", text)
    text = re.sub(r"\[(\d+)h\]", lambda m: f"[{int(m[1]) * 30}s]", text)
    return re.sub(r"for: (\d+)m", lambda m: f"for: {int(m[1]) * 100}ms", text)


@asynccontextmanager
async def program(*command: str, port: int, home: Path) -> AsyncIterator[None]:
    """Runs it until it is ready and no longer than the block."""
    log = home / f"{Path(command[0]).name}.log"
    with log.open("wb") as file:
        running = await asyncio.create_subprocess_exec(*command, stdout=file, stderr=file, cwd=home)
    try:
        async with asyncio.timeout(PATIENCE):
            while not await is_ready(port):
                assert running.returncode is None, log.read_text()
                await asyncio.sleep(0.05)
        yield
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


async def is_ready(port: int) -> bool:
    try:
        return (await fetch(port, "/-/ready", method="GET")).status == 200
    except OSError:
        return False


def write_settings(home: Path, targets: int, alertmanager: int, receiver: int) -> None:
    for name in ("recording.yml", "alerts.yml"):
        (home / name).write_text(scaled((SHIPPED / name).read_text()))
    text = (SHIPPED / "prometheus.yml").read_text()
    for old, new in (
        ("sidelight:8081", f"127.0.0.1:{targets}"),
        ("alertmanager:9093", f"127.0.0.1:{alertmanager}"),
        ("15s", "250ms"),
    ):
        assert old in text
        text = text.replace(old, new)
    (home / "prometheus.yml").write_text(text)
    hook = {"url": f"http://127.0.0.1:{receiver}/hook"}
    route = {"receiver": "hook", "group_by": ["..."], "group_wait": "0s"}
    receivers = [{"name": "hook", "webhook_configs": [hook]}]
    (home / "alertmanager.yml").write_text(json.dumps({"route": route, "receivers": receivers}))


@asynccontextmanager
async def monitoring(home: Path, targets: int, receiver: int) -> AsyncIterator[int]:
    """Prometheus and Alertmanager, on the loopback; gives the port of Prometheus."""
    prometheus, alertmanager = free_port(), free_port()
    write_settings(home, targets, alertmanager, receiver)
    async with (
        program(
            tool("prometheus-alertmanager", "prometheus-alertmanager"),
            "--config.file=alertmanager.yml",
            "--storage.path=alerts",
            f"--web.listen-address=127.0.0.1:{alertmanager}",
            "--cluster.listen-address=",
            port=alertmanager,
            home=home,
        ),
        program(
            tool("prometheus", "prometheus"),
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            "--enable-feature=exemplar-storage",
            f"--web.listen-address=127.0.0.1:{prometheus}",
            port=prometheus,
            home=home,
        ),
    ):
        yield prometheus


async def asked(port: int, path: str, **query: str) -> Any:
    target = f"/api/v1/{path}?{urlencode(query)}"
    answer = json.loads((await fetch(port, target, method="GET")).body)

    assert "success" == answer["status"], (query, answer)
    return answer["data"]


async def answered(port: int) -> dict[str, bool]:
    """Whether each question of the dashboard has an answer; it must be one that can be asked."""
    found: dict[str, bool] = {}
    for panel, target in TARGETS:
        question = re.sub(r"\[\$__rate_interval\]", "[30s]", target["expr"])
        question = re.sub(r"\$(?:route|upstream)", ".*", question)
        data = await asked(port, "query", query=question)
        found[f"{panel['title']} {target['refId']}"] = bool(data["result"])
    return found


@pytest.fixture
async def receiver():
    """Takes what Alertmanager sends; gives the labels and annotations of what fires."""
    async with FaultUpstream() as server:
        told: dict[str, dict[str, Any]] = {}

        async def take(turn: Turn) -> None:
            await turn.body()
            for alert in json.loads(turn.request.body)["alerts"]:
                if alert["status"] == "firing":
                    told[alert["labels"]["alertname"]] = alert
            await turn.answer(200)

        server.on("/hook", take)
        yield server.port, told


async def test_a_fault_becomes_an_alert_with_its_runbook(upstream, process, receiver, tmp_path):
    port, told = receiver
    lost = {"name": "lost", "match": {"path": "/lost"}, "upstream": "chat"}
    running = await process(
        breaker={"enabled": False}, more_routes=[{**lost, "breaker": {"consecutive": 3}}]
    )
    upstream.on("/cut", sse("data: one\n\n", end=False))
    upstream.on("/lost", reset_before_head)
    wanted = {"SidelightErrorRate", "SidelightStreamFailures", "SidelightBreakerOpen"}

    async with monitoring(tmp_path, running.admin_port, port) as prometheus:
        async with asyncio.timeout(PATIENCE):
            while not wanted <= set(told):
                await fetch(running.port, "/cut", method="GET")
                await fetch(running.port, "/lost", method="GET")
                await asyncio.sleep(0.1)
        groups = (await asked(prometheus, "rules"))["groups"]
        named = await asked(prometheus, "query_exemplars", **EXEMPLARS)
        shown = await answered(prometheus)

    assert [] == [rule["lastError"] for g in groups for rule in g["rules"] if "lastError" in rule]
    assert "critical" == told["SidelightBreakerOpen"]["labels"]["severity"]
    assert (
        "docs/runbooks/README.md#stream_failures"
        == (told["SidelightStreamFailures"]["annotations"]["runbook_url"])
    )
    assert {panel for panel, has_data in shown.items() if not has_data} <= MAY_BE_EMPTY
    assert {event["request_id"] for event in running.events()} >= ids(named) > set()


EXEMPLARS = {
    "query": "sidelight_terminations_total",
    "start": "2020-01-01T00:00:00Z",
    "end": "2100-01-01T00:00:00Z",
}
MAY_BE_EMPTY = {
    "Clients that left A",
    "Stale connections A",
    "Connections used again A",
    "Endpoints A",
    "Fallbacks A",
    "Lost B",
    "Lost C",
    "Alerts of its own A",
    "Drains A",
}
"""Panels of what does not happen in the scene, or may not have happened yet."""


def ids(series: list[dict[str, Any]]) -> set[str]:
    return {each["labels"]["request_id"] for one in series for each in one["exemplars"]}
