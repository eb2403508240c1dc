"""Who is limited, by which limit, and how often: told by the API and on the page, never by name."""

import asyncio

from tests.house.admin import ask
from tests.house.raw_client import eventually

SECRET = "s3cret-canary-key"
RATE = {"rate": "1/1h", "burst": 2, "by": {"header": "X-Api-Key"}, "name": "keys"}


async def test_who_is_limited_and_who_was_refused_most(upstream, house):
    house = await house(route={"rate_limit": [RATE, {"rate": "1000/1s"}]})
    for key, times in (("ann", 3), (SECRET, 5), ("bob", 2)):
        for _ in range(times):
            await house.fetch("/", f"X-Api-Key: {key}")
    answer = await ask(house.app.admin_port, "/api/limits")
    limit, other = answer.json()["rate_limits"]
    page = await ask(house.app.admin_port, "/routes")

    assert ("all", "keys", "1/1h", 2, "header X-Api-Key", 6, 4) == tuple(
        limit[key] for key in ("route", "policy", "rate", "burst", "by", "allowed", "refused")
    )
    assert [3, 1] == [one["refused"] for one in limit["refused_most"]]
    assert {one["client"] for one in limit["limited_now"]} == {
        one["client"] for one in limit["refused_most"]
    }
    assert all(3500 < one["retry_in_seconds"] <= 3600 for one in limit["limited_now"])
    assert ([], []) == (other["limited_now"], other["refused_most"])
    assert limit["refused_most"][0]["client"].encode() in page.body
    assert SECRET.encode() not in page.body + answer.body


async def test_places_and_whoever_had_all_of_its_own(upstream, house):
    rule = {"limit": 5, "per_client": 1, "by": {"header": "X-Api-Key"}}
    house = await house(route={"concurrency": rule}, listen={"concurrency": 9})
    gate = asyncio.Event()

    async def wait(turn):
        await gate.wait()
        await turn.answer()

    upstream.on("/", wait)
    first = asyncio.create_task(house.fetch("/", "X-Api-Key: ann"))
    await eventually(lambda: upstream.seen)
    assert 429 == (await house.fetch("/", "X-Api-Key: ann")).status
    told = (await ask(house.app.admin_port, "/api/limits")).json()["concurrency"]
    gate.set()
    await first

    assert [("*", 9, None, 1, 0), ("all", 5, 1, 1, 0)] == [
        tuple(one[key] for key in ("scope", "limit", "per_client", "in_use", "waiting"))
        for one in told
    ]
    assert [1] == [one["refused"] for one in told[1]["refused_most"]]
    assert told[1]["refused_most"][0]["client"].startswith("header X-Api-Key ")


async def test_the_story_tells_the_decision_with_the_rate_as_it_is_set(upstream, house):
    house = await house(route={"rate_limit": [{"rate": "10/1m", "burst": 1}]})
    await house.fetch()
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert event["detail"].startswith("rate_limit all: no leave for ")
    assert event["detail"].endswith(" s (10/1m, burst 1, by address 127.0.0.1)")


async def test_without_limits_there_is_nothing_to_tell(upstream, house):
    house = await house()
    told = (await ask(house.app.admin_port, "/api/limits")).json()

    assert ([], [], None) == (
        told["rate_limits"],
        told["concurrency"],
        told["overload"]["reason"],
    )
