"""Ten replicas write to one store at once: what was sent is logged once, and stored once."""

import asyncio
import sys
from collections import Counter

from tests.house.admin import ask, stories
from tests.house.fault_upstream import status
from tests.house.house import ROOT
from tests.house.raw_client import eventually, fetch
from tests.house.test_postgres_faults import stored, until_many, user_of
from tests.house.test_store_faults import ONCE, UNBROKEN

REPLICAS = 10
EACH = 60


async def explained(replica, *words: str) -> str:
    command = [sys.executable, "-m", "proxy", "explain", *words]
    explain = await asyncio.create_subprocess_exec(
        *command, "--admin", f"http://127.0.0.1:{replica.admin_port}", cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    return (await explain.communicate())[0].decode()


async def sent(port: int, name: str) -> list[str]:
    ids = [f"{name}-{n}" for n in range(EACH)]
    for reference in ids:
        assert 500 == (await fetch(port, "/x", f"X-Request-ID: {reference}")).status
    return ids


async def test_what_ten_replicas_were_sent_is_logged_and_stored_once(
    upstream, process, cluster, shared
):
    """They start at once on an empty database, too."""
    upstream.on("/x", status(500))
    common = {"retry": ONCE, "breaker": UNBROKEN, "store": {"url": shared}}
    names = [f"pod-{n}" for n in range(REPLICAS)]
    replicas = await asyncio.gather(*(process(instance=name, **common) for name in names))
    loads = (sent(one.port, name) for one, name in zip(replicas, names, strict=True))
    ids = [one for load in await asyncio.gather(*loads) for one in load]
    await until_many(cluster, shared, len(ids))
    lines = Counter(e["request_id"] for one in replicas for e in one.events())
    answers = await asyncio.gather(
        *(stories(one.admin_port, f"{names[-n]}-7") for n, one in enumerate(replicas, start=1))
    )
    told = [event for one in replicas for event in one.events("store_failed")]

    assert dict.fromkeys(ids, 1) == lines == stored(cluster, shared)
    assert [[name] for name in reversed(names)] == [[s["instance"] for s in a] for a in answers]
    assert [] == told


async def test_errors_and_explain_know_all_instances(upstream, process, cluster, shared):
    upstream.on("/x", status(500))
    common = {"retry": ONCE, "breaker": UNBROKEN, "store": {"url": shared}}
    one, other = [await process(instance=name, **common) for name in ("pod-1", "pod-2")]
    await fetch(one.port, "/x", "X-Request-ID: first")
    await fetch(other.port, "/x", "X-Request-ID: second")
    async with asyncio.timeout(60):
        while len((await errors(other))[0].get("instances", ())) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    (group,) = await errors(other)
    text = await explained(other, "first")
    listing = await ask(other.admin_port, "/api/requests")
    grouped = await ask(other.admin_port, "/api/requests?group=instance")
    alone = [await ask(p.admin_port, "/api/requests?instance=pod-1") for p in (one, other)]
    page = await ask(other.admin_port, "/requests")

    assert (2, {"pod-1", "pod-2"}) == (group["total"], set(group["instances"]))
    assert "of pod-1" in text
    rows = listing.json()["requests"]
    assert {"first": "pod-1", "second": "pod-2"} == {r["request_id"]: r["instance"] for r in rows}
    assert [["first"]] * 2 == [[r["request_id"] for r in a.json()["requests"]] for a in alone]
    assert {"pod-1": 1, "pod-2": 1} == {
        group["value"]: group["count"] for group in grouped.json()["groups"]
    }
    assert b"pod-1" in page.body
    assert b"pod-2" in page.body


async def test_neighbours_are_those_of_all_instances_where_that_is_asked(
    upstream, process, cluster, shared
):
    """The one that is asked has seen none of the bad ones, and a third nothing else."""
    upstream.on("/bad", status(500))
    common = {"retry": ONCE, "breaker": UNBROKEN, "store": {"url": shared}}
    names = ("pod-1", "pod-2", "pod-3")
    one, other, third = await asyncio.gather(*(process(instance=name, **common) for name in names))
    for n in range(20):
        for replica in (one, other):
            assert 200 == (await fetch(replica.port, f"/well/{n}")).status
    for replica, reference in ((third, "bad-4"), *((one, f"bad-{n}") for n in range(4))):
        assert 500 == (await fetch(replica.port, "/bad", f"X-Request-ID: {reference}-aaaa")).status
    async with asyncio.timeout(60):
        while [(4, 24), (0, 20), (1, 1)] != counted(told := await told_of_all(other), names):  # noqa: ASYNC110
            await asyncio.sleep(0.1)  # until each has published what it saw last
    text = await explained(other, "bad-3-aaaa", "--all-instances")
    page = await ask(other.admin_port, "/requests/bad-3-aaaa?instances=all")
    own = await ask(other.admin_port, "/api/requests/bad-3-aaaa")
    wrong = await ask(other.admin_port, "/api/requests/bad-3-aaaa?instances=some")

    assert "GET /bad: 5 of 5 answered 500; all else on the route: 0 of 40" in told["words"]
    assert "Everywhere: on 3 instances: 5 of 45 on the route all answered 500" in text
    assert "pod-1 4 of 24, pod-2 0 of 20, pod-3 1 of 1" in " ".join(text.split())
    assert b"On all instances:" in page.body
    assert "all_instances" not in own.json()["stories"][0]
    assert 400 == wrong.status


async def told_of_all(replica) -> dict:
    answer = await ask(replica.admin_port, "/api/requests/bad-3-aaaa?instances=all")
    return answer.json()["stories"][0]["all_instances"] if answer.status == 200 else {}


def counted(told: dict, names) -> list[tuple[int, int]]:
    """How many were alike, and how many there were at all, of each instance that is told of."""
    instances = told.get("instances", {})
    found = [instances[name] for name in names if name in instances]
    return [(instance["alike"], instance["all"]) for instance in found]


async def errors(replica) -> list[dict]:
    return (await ask(replica.admin_port, "/api/errors")).json()["groups"] or [{}]


async def test_no_secret_is_in_any_message(upstream, process, cluster, shared, tmp_path):
    user = user_of(shared)
    url = f"postgresql://{user}:CANARY-1@127.0.0.1:{cluster.port}/{user}"
    running = await process(store={"url": url})
    await eventually(lambda: running.events("store_failed"), 60)
    (failed,) = running.events("store_failed")
    pages = [(await ask(running.admin_port, path)).body for path in ("/health", "/", "/metrics")]
    written = [file.read_bytes() for file in tmp_path.iterdir() if file.suffix != ".yaml"]

    assert "password authentication failed" in failed["reason"]
    assert not any(b"CANARY" in text for text in (*pages, *written))
