"""One record, one truth: after a mixed load all who count say the same of every outcome."""

import asyncio
import json
import re
from collections import Counter

from proxy.diagnostics.stories.query import Query
from proxy.outcome import OUTCOMES
from tests.house.admin import ask, listed
from tests.house.fault_upstream import never, raw, reset_before_head, sse, status
from tests.house.raw_client import PATIENCE, eventually, request
from tests.house.streams import stream

ONE = "data: one\n\n"
ROUNDS = 14
ASKED = {
    "/good": status(200),
    "/stream": sse(ONE, ONE),
    "/gone": status(404),
    "/sick": status(500),
    "/busy": status(503),
    "/lost": reset_before_head,
    "/late": never,
    "/garbage": raw("garbage\r\n\r\n"),
    "/cut": stream(ONE, then="cut"),
    "/stalled": stream(ONE, then="silent"),
    "/half": raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", then="close"),
}
"""Paths and what the upstream does there."""
ENDED = {
    "completed": 2 * ROUNDS,
    "upstream_error": 3 * ROUNDS,
    "upstream_reset": ROUNDS,
    "head_timeout": ROUNDS,
    "upstream_protocol_error": ROUNDS,
    "stream_truncated": 2 * ROUNDS,
    "stream_stalled": ROUNDS,
    "route_not_found": ROUNDS,
    "bad_request": ROUNDS,
    "client_closed_stream": ROUNDS,
}
"""How often each must then have ended how."""
UNSEEN_BY_ERRORS = {"completed", "route_not_found", "bad_request", "client_closed_stream"}
THEIR_FAULT = 2 * ROUNDS
"""Upstream errors that are no client's: the 500 and the 503."""


async def one_round(house) -> None:
    await asyncio.gather(*(house.fetch(path) for path in ASKED), house.fetch("/no/where"))
    async with house.client() as client:
        await client.send("GET /good HTTP/1.1\r\nX : a\r\n\r\n")
        await client.answer()
    async with house.client() as client:
        await client.send(request("GET", "/stalled"))
        await client.until(b"one\n\n")


def counted(metrics: str, name: str, label: str = "code") -> Counter[str]:
    """The sums of a counter by one label."""
    counts: Counter[str] = Counter()
    for row in re.findall(rf"^{name}{{(.*)}} (\S+)$", metrics, re.MULTILINE):
        found = re.search(rf'{label}="(\w+)"', row[0])
        counts[found[1]] += int(float(row[1]))
    return +counts


async def test_log_metrics_summary_stories_store_and_errors_agree(upstream, house, tmp_path):
    for path, script in ASKED.items():
        upstream.on(path, script)
    house = await house(
        retry={"attempts": 2, "first_pause": "1ms", "max_pause": "2ms"},
        breaker={"enabled": False},
        timeouts={"head": "300ms", "gap": "300ms"},
        store={"path": str(tmp_path / "stories.db"), "sample": 1},
        route={"match": {"path": "/{what}", "methods": ["GET"]}},
        upstream={"pool": {"keep_alive": "0s"}},  # none is reused, so that none is stale
    )
    port = house.app.admin_port
    for _ in range(ROUNDS):
        await one_round(house)
    total = sum(ENDED.values())
    await eventually(lambda: len(house.all()) == total)
    await eventually(lambda: not house.app.diagnostics.store_state()["queued"])
    metrics = (await house.admin("/metrics")).body.decode()
    summary = (await house.admin("/metrics.json")).json()
    told = await listed(port)
    errors = (await ask(port, "/api/errors")).json()

    assert ENDED == Counter(event["code"] for event in house.all())
    assert ENDED == counted(metrics, "sidelight_terminations_total")
    assert ENDED == Counter(story["code"] for story in told)
    assert total == sum(counted(metrics, "sidelight_requests_total", "method").values())
    assert total == summary["total_requests"]
    assert {each["request_id"] for each in told} == {e["request_id"] for e in house.all()}
    check_errors(house.all(), errors, metrics, summary)
    for code in ENDED:
        assert ENDED[code] == len(await listed(port, f"code={code}"))
    await check_store(house, told)


def check_errors(events, errors, metrics, summary) -> None:
    expected = {code: n for code, n in ENDED.items() if code not in UNSEEN_BY_ERRORS}
    expected["upstream_error"] = THEIR_FAULT
    grouped: Counter[str] = Counter()
    for group in errors["groups"]:
        if group["severity"] == "info":
            continue  # what clients got wrong, in no figure
        grouped[group["code"]] += group["total"]
        assert group["total"] == group["last_24h"] == sum(h["count"] for h in group["per_hour"])
    levels = Counter(event["level"].lower() for event in events)

    assert expected == grouped
    assert expected == errors["summary"]["by_code"]
    assert expected == counted(metrics, "sidelight_errors_total")
    assert levels["error"] == errors["summary"]["last_24h"]["error"] == summary["error_count"]
    assert levels["error"] == sum(1 for event in events if is_error(event))


def is_error(event) -> bool:
    if event["code"] == "upstream_error":
        return event["status"] >= 500
    return OUTCOMES[event["code"]].is_error


async def check_store(house, told) -> None:
    """What a later process reads from the file is what this one remembers."""
    store = house.app.diagnostics._store
    stored: list = []
    async with asyncio.timeout(PATIENCE):
        while len(stored) < len(told):
            stored = await asyncio.to_thread(store.search, Query(limit=1000)) or []

    assert json.dumps(sorted(told, key=key)) == json.dumps(sorted(stored, key=key))
    recent = house.app.diagnostics._recent
    for each in told[::20]:
        (found,) = recent.told(recent.records(each["request_id"]))
        (kept,) = await asyncio.to_thread(store.find, each["request_id"])

        assert without_around(json.loads(json.dumps(found))) == without_around(kept)


def without_around(story) -> dict[str, object]:
    """Of very many bad ones in one second not each was compared before it was stored."""
    around = ("neighbours", "likely", "next_check", "diagnosis", "usual")
    return {name: value for name, value in story.items() if name not in around}


def key(story) -> str:
    return story["request_id"]
