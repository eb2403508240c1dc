"""The life of the process: it begins, is asked to end, and drains."""

import gc
from types import SimpleNamespace
from typing import Any

import pytest

from proxy.supervisor import run


class App:
    """What the process asks of an application."""

    def __init__(self) -> None:
        self.settings = SimpleNamespace(drain=SimpleNamespace(readiness_delay=1.0, limit=9.0))
        self.reloader = SimpleNamespace(ask=lambda _: None)
        self.ask_to_end: Any = None
        self.told: list[Any] = []

    async def start(self) -> None:
        self.told.append("started")

    async def drain(self, **how: Any) -> None:
        self.told.append((how["cause"], how["limit"]))

    async def stop(self) -> None:
        self.told.append("stopped")


@pytest.fixture(autouse=True)
def collected_as_before():
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


async def test_it_drains_when_it_is_asked_to_end_and_says_by_what() -> None:
    app: Any = App()
    await run(app, on_ready=lambda: app.ask_to_end())

    assert ["started", ("POST /drain", 9.0), "stopped"] == app.told


async def test_cycles_are_looked_for_seldom_for_what_is_kept_is_looked_through_each_time() -> None:
    app: Any = App()
    await run(app, on_ready=lambda: app.ask_to_end())

    assert gc.isenabled()
    assert gc.get_threshold()[0] >= 50_000
    assert gc.get_freeze_count() > 0
