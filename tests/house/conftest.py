"""The house: a fault upstream, the proxy in front of it, and what its log said."""

import asyncio

import pytest
from blockbuster import blockbuster_ctx

from tests.house.fault_upstream import FaultUpstream
from tests.house.house import House, Process


def pytest_asyncio_loop_factories(item):
    """What does not depend on the loop need not be played twice: processes, browsers."""
    alone = {"process", "browser"} & set(item.fixturenames)
    is_page = "test_dashboard" in item.module.__name__
    return {"asyncio": asyncio.new_event_loop} if alone or is_page else None


@pytest.fixture(autouse=True)
def nothing_blocks_the_loop():
    """A call that blocks the event loop from within the proxy fails the scene."""
    with blockbuster_ctx("proxy") as watched:
        # `make coverage` measures from within it
        watched.functions["threading.Lock.acquire"].can_block_in(
            "coverage/collector.py", "lock_data"
        )
        yield


@pytest.fixture
async def upstream():
    async with FaultUpstream() as upstream:
        yield upstream
    assert [] == upstream.errors
    assert [] == upstream.malformed


@pytest.fixture
async def house(upstream):
    """Starts the proxy in front of `upstream`: `await house(timeouts={"head": "200ms"})`."""
    houses: list[House] = []

    async def start(**unusual: object) -> House:
        houses.append(await House.start(upstream, **unusual))
        return houses[-1]

    yield start
    for one in houses:
        await one.stop()


@pytest.fixture
async def process(upstream, tmp_path):
    """Starts the proxy as a process of its own: `await process(drain={...})`."""
    processes: list[Process] = []

    async def start(**unusual: object) -> Process:
        processes.append(await Process.start(upstream, tmp_path, **unusual))
        return processes[-1]

    yield start
    for one in processes:
        await one.end()
