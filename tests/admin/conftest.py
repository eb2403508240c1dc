"""An admin port in front of sources that say what a test wants."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import pytest
from aiohttp.test_utils import TestClient, TestServer

from proxy.admin.door import admin_runner
from proxy.admin.guard import Guard
from proxy.admin.health import HealthView
from proxy.observation.metrics import Metrics
from proxy.observation.series import Snapshot
from proxy.observation.summary import Summary
from proxy.observation.upstream_status import UpstreamHealth


@dataclass
class Sources:
    """An application that is well."""

    readiness: tuple[bool, str] = (True, "")
    upstreams: dict[str, UpstreamHealth] = field(default_factory=dict)
    metrics: Metrics = field(default_factory=lambda: Metrics({"chat": "backend"}, "1.2.3"))
    settings: dict[str, object] = field(default_factory=dict)

    def ready(self) -> tuple[bool, str]:
        return self.readiness

    def health(self) -> HealthView:
        return HealthView(10.0, 1e9, 0.0, self.upstreams, {}, {}, "1.2.3", "c0ffee")

    def summary(self) -> Mapping[str, object]:
        return Summary(0.0).figures(10.0)

    def snapshot(self) -> Snapshot:
        return self.metrics.snapshot()

    def config(self) -> Mapping[str, object]:
        return self.settings


@pytest.fixture
def sources() -> Sources:
    return Sources()


@pytest.fixture
def guard() -> Guard:
    return Guard("127.0.0.1")


@pytest.fixture
async def admin(sources: Sources, guard: Guard) -> AsyncIterator[TestClient]:
    runner = admin_runner(sources, guard)
    async with TestClient(TestServer(runner.app)) as client:
        yield client
