"""Who is behind a refusal, among good traffic of several users and two endpoints."""

import asyncio
from contextlib import AsyncExitStack

from tests.house.fault_upstream import never, reset_before_head, status
from tests.house.neighbourhood import USERS, neighbourhood
from tests.house.raw_client import eventually, request
from tests.house.test_neighbours import only

POST = {"method": "POST", "body": b"{}"}


def words_of(story, name: str) -> str:
    return "\n".join(story["culprits"][name]["words"])


async def test_an_open_circuit_names_the_failures_that_opened_it(upstream, house):
    breaker = {"consecutive": 4}
    async with neighbourhood(house, upstream, breaker=breaker) as around:
        around.on("/bad", status(503))
        await around.well(20)
        await around.ask("/bad", "u9", **POST)  # while the other endpoint works, it counts for none
        failed = [await around.ask("/bad", "u9", **POST) for _ in range(4)]
        story = await around.story(await around.ask("/well", "u1"))

    told = words_of(story, "circuit")
    assert "by the rule consecutive 4" in told
    for answer in failed:
        assert f"{answer.header('X-Request-ID')}: 503 at http://" in told
    assert "they have in common, and not with most good ones:" in told
    assert "because too many attempts in a row had failed" in story["proven"]
    assert "user_id u9" in story["likely"]
    assert "app/1" not in story["likely"]  # all had that agent
    assert "by hand" not in story["proven"]


async def test_a_circuit_that_was_opened_by_hand(upstream, house):
    async with neighbourhood(house, upstream) as around:
        await around.well(10)
        around.house.app.in_process_admin.order_breaker("all", "open")
        story = await around.story(await around.ask("/well", "u1"))

    assert "because it had been opened by hand" in story["proven"]
    assert "too many" not in story["diagnosis"]
    assert words_of(story, "circuit").startswith("opened by hand at ")
    assert "circuit_by_hand" == story["runbook"]


async def test_a_full_pool_names_who_holds_its_connections(upstream, house):
    pool = {"pool": {"size": 2}}
    timeouts = {"pool_wait": "100ms"}
    async with (
        neighbourhood(house, upstream, upstream=pool, timeouts=timeouts) as around,
        AsyncExitStack() as held,
    ):
        around.on("/hold", never)
        await around.well(10)
        for user in ("u7", "u8"):
            client = await held.enter_async_context(around.house.client())
            await client.send(request("GET", "/hold", f"X-User: {user}"))
        await eventually(lambda: len(around.one.seen) + len(around.two.seen) == 12)
        story = await around.story(await around.ask("/well", "u1"))

    told = words_of(story, "places")
    assert "pool: size 2, in use 2, waiting 0" in told
    assert "2 places held for" in told
    assert "user_id u7 (1), user_id u8 (1)" in told
    assert "on route all (2)" in told
    assert "/hold of user_id u7, for" in told
    assert "No connection to the chat upstream came free" in story["proven"]
    assert "The places are held by route all (2 of 2); the oldest for" in story["likely"]
    assert (
        f"Look up {story['culprits']['places']['oldest'][0]['request_id']}" in story["next_check"]
    )


async def test_a_full_route_names_who_is_under_way(upstream, house):
    route = {"concurrency": {"limit": 1, "queue": 0}}
    async with (
        neighbourhood(house, upstream, route=route) as around,
        AsyncExitStack() as held,
    ):
        around.on("/hold", never)
        await around.well(10)
        client = await held.enter_async_context(around.house.client())
        await client.send(request("GET", "/hold", "X-User: u7"))
        await eventually(lambda: len(around.one.seen) + len(around.two.seen) == 11)
        story = await around.story(await around.ask("/well", "u1"))

    told = words_of(story, "places")
    assert "concurrency.limit: size 1, in use 1, waiting 0" in told
    assert "1 place held for" in told
    assert "user_id u7 (1)" in told


async def test_a_rate_limit_names_whom_it_let_in(upstream, house):
    route = {"rate_limit": [{"rate": "12/60s", "burst": 12}]}
    async with neighbourhood(house, upstream, route=route) as around:
        await around.well(4)
        for _ in range(8):
            await around.ask("/api", "u9")
        story = await around.story(await around.ask("/api", "u1"))

    told = words_of(story, "rate_limit")
    assert "12 requests let in on the route all: by user_id u9 (8)" in told
    assert "rate_limited" == story["code"]


async def test_a_spent_budget_names_the_retries_that_spent_it(upstream, house):
    retry = {"attempts": 2, "budget": {"capacity": 2, "per_request": 0, "per_minute": 0}}
    breaker = {"enabled": False}
    async with neighbourhood(house, upstream, retry=retry, breaker=breaker) as around:
        await around.well(10)
        around.on("/bad", reset_before_head)
        for _ in range(2):
            await around.ask("/bad", "u9")
        story = await around.story(await around.ask("/bad", "u1"))

    assert "budget_spent" == story["retry_stopped"]
    told = words_of(story, "budget")
    assert "2 retries paid on the route all: by user_id u9 (2)" in told
    assert "retried after reset at http://" in told


async def test_what_failed_of_the_attempts_is_told(upstream, house):
    async with neighbourhood(house, upstream) as around:
        around.on("/api", only(X_User="u9"))
        await around.well(18)
        for _ in range(4):
            bad = await around.ask("/api", "u9")
        story = await around.story(bad)

    counted = "(3 of 21 attempts failed in 30 s)"  # the first one while the other endpoint worked
    assert counted in story["proven"]
    told = words_of(story, "attempts")
    for endpoint in (around.one, around.two):
        assert f"status_5xx at {endpoint.url} (" in told


async def test_refusals_at_once_name_the_same(upstream, house):
    """A storm of them looks once, and each has its culprits."""
    pool = {"pool": {"size": 1, "max_waiting": 1}}
    async with (
        neighbourhood(house, upstream, upstream=pool) as around,
        AsyncExitStack() as held,
    ):
        around.on("/hold", never)
        for user in USERS[:2]:  # one holds, one waits
            client = await held.enter_async_context(around.house.client())
            await client.send(request("GET", "/hold", f"X-User: {user}"))
        await eventually(lambda: around.house.app.upstreams["chat"].view().waiting == 1)
        answers = await asyncio.gather(*(around.ask("/well", "u3") for _ in range(5)))
        told = [words_of(await around.story(each), "places") for each in answers]

    assert all("user_id u0 (1)" in each for each in told)
    assert all("user_id u1" not in each for each in told)
