"""Reload after reload under load, good settings and bad ones in turn, all made by chance."""

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.house.fault_upstream import FaultUpstream
from tests.house.house import Process, free_port
from tests.house.raw_client import RawClient, eventually, request

RELOADS = 40
EVERY = 0.1
"""Seconds from one to the next."""
LONG = 300.0
"""Seconds of patience: no stall of the machine is a failure."""
GROWTH = 12 * 1024 * 1024
"""Bytes that the process may grow by between the first half of the reloads and their end; what
each of them builds takes more than that together."""
ASK = ("Content-Type: application/json",)

DOWN = {
    "name": "down", "match": {"path": "/down"}, "upstream": "nobody",
    "retry": {"attempts": 1}, "breaker": {"consecutive": 1, "cool_down": "5m"},
}  # fmt: skip
LIMITED = {
    "name": "limited", "match": {"path": "/limited"}, "upstream": "chat",
    "rate_limit": [{"rate": "1/1h", "burst": 2}],
}  # fmt: skip
TUNED: dict[str, list[Any]] = {
    "timeouts": [{"gap": "20s"}, {"head": "25s"}, {"total": "2m"}],
    "retry": [{"attempts": 1}, {"budget": {"capacity": 7}}, {"on": ["connect"]}],
    "breaker": [{"window": "20s"}, {"cool_down": "9s"}, {"critical": False}, {"enabled": False}],
    "rate_limit": [[{"rate": "9000/1s"}], [{"rate": "9000/1s", "by": "all", "dry_run": True}]],
    "concurrency": [{"limit": 500}, {"limit": 600, "per_client": 300}, {"queue": 3}],
    "max_body": ["1MiB", "2MiB"],
    "cors": [{"origins": ["https://app.example"]}, None],
    "stream": [{"heartbeat": "30s"}, {"progress": True}],
}  # fmt: skip
OF_ALL: dict[str, list[Any]] = {
    "errors": [{"format": "problem"}, {"proxy_status": "all"}],
    "trusted_proxies": [["10.0.0.0/8"], ["127.0.0.1"]],
    "observe": [{"fields": {"user": {"header": "X-User", "hash": True}}}, {}],
    "stories": [{"memory": "2MiB"}, {"memory": "1MiB", "slow": "1s"}],
    "alerts": [{"webhooks": [{"url": "http://127.0.0.1:1/x"}]}, {"every": "1s"}],
    "identity": [{"mode": "always_new"}, {"upstream_ids": []}],
}
FAULTS: list[Any] = [
    {"routes": []}, {"nothing": 1}, {"listen": {"port": "x"}}, {"trusted_proxies": ["here"]},
    {"upstreams": {"chat": {"endpoints": ["ftp://a"]}}}, "[", "", "routes: {", "\x00",
]  # fmt: skip


def tuned(rng: random.Random, knobs: dict[str, list[Any]]) -> dict[str, Any]:
    return {key: rng.choice(knobs[key]) for key in rng.sample(list(knobs), rng.randrange(4))}


def good(rng: random.Random, upstream: str, base: dict[str, Any]) -> dict[str, Any]:
    """The steady routes as ever; the volatile one, others, and all else by chance."""
    volatile = {"endpoints": [upstream], "pool": {"size": rng.choice([500, 600, 700])}}
    others = [
        {"name": f"r{rng.randrange(10**6)}", "match": {"path": f"/r{n}/"}, "upstream": "volatile"}
        | tuned(rng, TUNED)
        for n in range(rng.randrange(6))
    ]
    moving = {"name": "moving", "match": {"path": "/moving/"}, "upstream": "volatile"}
    routes = [*base["routes"][:-1], moving | tuned(rng, TUNED), *others]
    upstreams = {**base["upstreams"], "volatile": volatile}
    return base | tuned(rng, OF_ALL) | {"routes": routes, "upstreams": upstreams}


def bad(rng: random.Random, settings: dict[str, Any]) -> str:
    fault = rng.choice(FAULTS)
    text = json.dumps(settings)
    if isinstance(fault, dict):
        return json.dumps(settings | fault)
    return fault or text[: rng.randrange(1, len(text) - 1)]


async def words(turn) -> None:
    """A stream that lasts as long as it is wanted."""
    await turn.begin_chunked("Content-Type: text/event-stream")
    while turn.request.target not in STOPPED:
        await turn.chunk("data: word\n\n")
        await asyncio.sleep(0.02)
    await turn.chunk("data: last\n\n")
    await turn.end_chunked()


STOPPED: set[str] = set()


class Load:
    """Clients that ask without a pause, and streams that last; every answer is kept."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.statuses: list[int] = []
        self.goes_on = True

    async def ask(self, path: str) -> None:
        async with RawClient(self._port) as client:
            while self.goes_on:
                self.statuses.append((await client.get(path, patience=LONG)).status)
                await asyncio.sleep(0.005)

    async def stream(self, path: str) -> bytes:
        async with RawClient(self._port) as client:
            await client.send(request("GET", path))
            return await client.until(b"0\r\n\r\n", LONG)


async def reload(process: Process) -> int:
    async with RawClient(process.admin_port) as client:
        await client.send(request("POST", "/reload", *ASK, host="localhost"))
        return (await client.answer(patience=LONG)).status


def descriptors(process: Process) -> int:
    return len(list(Path(f"/proc/{process.process.pid}/fd").iterdir()))


async def storm(process: Process, upstream: FaultUpstream, rng: random.Random, reloads: int):
    """Good and bad settings in turn; what the process weighed after each."""
    file = process.log.with_suffix(".yaml")
    base = json.loads(file.read_text())
    weights = []
    for n in range(reloads):
        settings = good(rng, upstream.url, base)
        is_good = n % 2 == 0
        file.write_text(json.dumps(settings) if is_good else bad(rng, settings))
        assert (200 if is_good else 422) == await reload(process)
        weights.append((process.memory(), descriptors(process)))
        await asyncio.sleep(EVERY)
    return weights


async def circuit(process: Process) -> dict[str, Any]:
    async with RawClient(process.admin_port) as client:
        return (await client.get("/health")).json()["circuit_breakers"]["down"]


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
async def test_nothing_is_lost_and_nothing_grows(upstream, process, loop) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    rng = random.Random(seed)
    STOPPED.clear()
    upstream.on("/words", words)
    upstream.on("/moving/words", words)
    more = {"nobody": {"endpoints": [f"http://127.0.0.1:{free_port()}"]}}
    chat = {"endpoints": [upstream.url]}
    process = await process(
        upstreams={"chat": chat, "volatile": chat, **more},
        more_routes=[
            DOWN,
            LIMITED,
            {"name": "moving", "match": {"path": "/moving/"}, "upstream": "volatile"},
        ],
        event_loop=loop,
    )  # fmt: skip
    load = Load(process.port)
    async with RawClient(process.port) as client:
        assert [502, 503] == [(await client.get("/down")).status for _ in range(2)]
        assert [200, 200] == [(await client.get("/limited")).status for _ in range(2)]
    opened = (await circuit(process))["opened_at"]
    paths = ("/words?1", "/words?2", "/moving/words?3", "/moving/words?4")
    streams = [asyncio.create_task(load.stream(path)) for path in paths]
    asking = [
        asyncio.create_task(load.ask(path)) for path in ("/a", "/b", "/moving/c") for _ in "12"
    ]
    weights = await storm(process, upstream, rng, RELOADS)
    load.goes_on = False
    await asyncio.gather(*asking)
    STOPPED.update(paths)
    whole = await asyncio.gather(*streams)

    assert {200} == set(load.statuses)
    assert all(b"data: last" in text for text in whole)
    settled = weights[len(weights) // 2 :]
    assert max(memory for memory, _ in settled) - settled[0][0] < GROWTH
    assert max(fds for _, fds in settled) <= max(fds for _, fds in weights[: len(weights) // 2]) + 8
    still = await circuit(process)
    assert ("open", opened) == (still["state"], still["opened_at"])
    async with RawClient(process.port) as client:
        assert 429 == (await client.get("/limited")).status
    assert RELOADS // 2 == len(process.events("config_rejected"))
    assert 1 + RELOADS // 2 == len(process.events("config_loaded"))
    ends = {
        event["code"] for event in process.events() if event["path"] not in ("/down", "/limited")
    }
    assert {"completed"} == ends
    await eventually(lambda: b"" == process.log.with_suffix(".err").read_bytes())
