"""A builder without a process around it, and settings that differ in one thing."""

from typing import Any

import pytest

from proxy.limits.overload import Overload
from proxy.observation.log import Log
from proxy.observation.metrics import Metrics
from proxy.observation.observer import Observer
from proxy.observation.summary import Summary
from proxy.reload.build import Builder
from proxy.resilience.permits import Transition
from proxy.settings.load import parse
from proxy.settings.schema import Settings

SETTINGS = """
upstreams:
  model: { endpoints: ["http://127.0.0.1:9"] }
  other: { endpoints: ["http://127.0.0.1:10"] }
policies:
  mine: { timeouts: { gap: 7s } }
routes:
  - name: chat
    match: { path: /api/chat }
    upstream: model
    policy: mine
    breaker: { cool_down: 30s }
    retry: { budget: { capacity: 20 } }
    rate_limit: [{ rate: 10/1m, burst: 20 }]
    concurrency: { limit: 5 }
  - { name: rest, match: { path: / }, upstream: other }
"""


def settings(*replaced: tuple[str, str], text: str = SETTINGS) -> Settings:
    """Those above, some of the text replaced."""
    for old, new in replaced:
        assert old in text, old
        text = text.replace(old, new, 1)
    return parse(text)


class Desk:
    """A builder, and what its objects said of themselves."""

    def __init__(self, log: Log) -> None:
        self.observer = Observer(log, Metrics({}), Summary(0.0), later=lambda *_: None)
        self.changes: list[Transition] = []
        self.told: list[Any] = []
        self.builder = Builder(
            self.observer,
            lambda *told: self.told.append(told),
            self.changes.append,
            lambda _: True,
            Overload(None, None, lambda *_: None),
        )

    def follow(self, new: Settings) -> tuple[Any, Any]:
        """Put it in force: what was before, and what is now."""
        before = self.builder.current
        built = self.builder.build(new)
        for adapt in built.at_switch:
            adapt()
        self.builder.current = built
        return before, built


@pytest.fixture
def desk(tmp_path):
    with (tmp_path / "log").open("wb") as file:
        log = Log(fd=file.fileno())
        yield Desk(log)
        log.close()
