"""Errors of all replicas become one alert, told once by the one that leads; another takes over.

Nothing is scaled: a leader that stands still is given up by the server after ten seconds.
"""

import asyncio
import json
import signal

import pytest

from tests.house.admin import ask
from tests.house.fault_upstream import FaultUpstream, status
from tests.house.raw_client import eventually, fetch
from tests.house.test_alerts import Receiver
from tests.house.test_postgres_faults import user_of
from tests.house.test_store_faults import ONCE, UNBROKEN

LONG = 60.0
NAMES = ("pod-1", "pod-2", "pod-3")
LEADER = """SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND classid = %d AND granted AND usename = '%s'"""
LEADING = 0x51E0


@pytest.fixture
async def receiver():
    async with FaultUpstream() as server:
        receiver = Receiver(server.port)
        server.on("/hook/T0KEN", receiver)
        yield receiver
    assert [] == server.errors


@pytest.fixture
async def replicas(upstream, process, shared, receiver):
    """Three of them, by name; their sessions have it, too."""
    upstream.on("/x", status(500))
    rules = {
        "errors": {"above": 3, "window": "1h"}, "error_rate": {"above": None}, "every": "200ms",
        "webhooks": [{"url": receiver.url}],
    }  # fmt: skip
    common = {"retry": ONCE, "breaker": UNBROKEN, "alerts": rules}
    urls = {name: f"{shared}&application_name={name}" for name in NAMES}
    made = [process(instance=name, store={"url": urls[name]}, **common) for name in NAMES]
    return dict(zip(NAMES, await asyncio.gather(*made), strict=True))


async def leader(cluster, url: str, *, but: str = "") -> str:
    """Who holds the lock, once somebody does who is not `but`."""
    async with asyncio.timeout(LONG):
        while True:
            rows = await asyncio.to_thread(cluster.run, LEADER % (LEADING, user_of(url)))
            if rows and rows[0][0] != but:
                return rows[0][0]
            await asyncio.sleep(0.05)


async def test_errors_of_all_are_one_alert(cluster, shared, replicas, receiver):
    """None of them has had enough for itself."""
    await leader(cluster, shared)
    for replica in replicas.values():
        for _ in range(2):
            await fetch(replica.port, "/x")
    await eventually(lambda: receiver.posts, LONG)
    told = json.loads(receiver.posts[0].body)["alert"]
    await asyncio.sleep(2)  # nobody else says it, either

    assert [("raised", "errors")] == receiver.events()
    assert 1 < len(told["instances"]) <= 3
    assert "pod-" in told["summary"]


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
async def test_another_takes_over(cluster, shared, replicas, receiver, fault):
    first = await leader(cluster, shared)
    began = asyncio.get_running_loop().time()
    replicas[first].tell(fault)
    second = await leader(cluster, shared, but=first)
    took = asyncio.get_running_loop().time() - began
    for name in set(NAMES) - {first}:
        for _ in range(2):
            await fetch(replicas[name].port, "/x")
    await eventually(lambda: receiver.posts, LONG)
    await asyncio.sleep(2)
    print(f"{fault.name}: {second} took over from {first} after {took:.1f} s")

    assert [("raised", "errors")] == receiver.events()
    assert first not in json.loads(receiver.posts[0].body)["alert"]["instances"]
    assert took < 15 + 5  # a machine may stand still


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "ended"])
async def test_what_was_told_is_not_told_again_by_the_next(
    cluster, shared, replicas, receiver, end
):
    """Whose own book has it as well, perhaps only now."""
    first = await leader(cluster, shared)
    others = [replicas[name] for name in NAMES if name != first]
    for replica in others:
        for _ in range(2):
            await fetch(replica.port, "/x")
    await until(lambda: receiver.posts and told(cluster, shared))
    print(f"{first} is told to end:", told(cluster, shared), replicas[first].process.returncode)
    replicas[first].tell(end)
    await leader(cluster, shared, but=first)
    async with asyncio.timeout(LONG):
        for replica in others:
            while "errors" not in await alerts(replica):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    await asyncio.sleep(2)
    for name, replica in replicas.items():
        print(name, *replica.events("alert_raised"), *replica.events("store_failed"))
    print(*(json.loads(post.body)["alert"] for post in receiver.posts), told(cluster, shared))

    assert [("raised", "errors")] == receiver.events()


def told(cluster, url: str) -> list[tuple]:
    return cluster.run("SELECT what, alert, told FROM told_alerts", database=user_of(url))


async def until(is_so) -> None:
    async with asyncio.timeout(LONG):
        while not await asyncio.to_thread(is_so):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def alerts(replica) -> list[str]:
    """What its own book has, whoever tells it."""
    answer = await ask(replica.admin_port, "/api/alerts")
    return [alert["rule"] for alert in answer.json()["alerts"]]
