"""Endpoints are checked whether there is traffic or not, and what the checks say is obeyed.

Both endpoints are paths of one fault upstream: `/a` and `/b`. Scenes wait for events, so that a
machine that stands still only makes them slower.
"""

import asyncio
import json

import pytest

from proxy import __version__
from tests.house.admin import ask, stories
from tests.house.fault_upstream import Connection, close_before_head, never, slow_head, status
from tests.house.house import free_port
from tests.house.raw_client import eventually

OFTEN = {"path": "/healthz", "interval": "100ms", "timeout": "5s", "up_after": 2, "down_after": 3}
BRIEF = OFTEN | {"timeout": "300ms"}


def two(upstream, **health) -> dict:
    endpoints = [f"{upstream.url}/a", f"{upstream.url}/b"]
    return {"endpoints": endpoints, "health": OFTEN | health, "balance": "round_robin"}


async def health_of(house, upstream="chat") -> dict:
    return (await house.admin("/health")).json()["upstreams"][upstream]


def statuses(house) -> list[str]:
    return [view.status for view in house.app.upstreams["chat"].endpoint_views()]


async def until_statuses(house, *wanted: str) -> None:
    await eventually(lambda: statuses(house) == list(wanted), patience=30)


def checks_of(upstream, path: str) -> int:
    return sum(one.path == path for one in upstream.seen)


def traffic(upstream) -> list[str]:
    return [one.target for one in upstream.seen if not one.path.endswith("/healthz")]


async def test_a_check_is_marked_and_no_exchange(upstream, house):
    house = await house(upstream=two(upstream))
    await until_statuses(house, "up", "up")
    metrics = (await house.admin("/metrics")).body.decode()

    first = next(one for one in upstream.seen if one.path == "/a/healthz")
    assert ("GET", "/a/healthz") == (first.method, first.target)
    assert f"Sidelight-Health/{__version__}" == first.header("User-Agent")
    assert None is first.header("Via")
    assert [] == house.all()
    assert "sidelight_attempts_total{" not in metrics
    assert f'sidelight_endpoint_healthy{{endpoint="{upstream.url}/a",upstream="chat"}} 1' in metrics


async def test_without_traffic_what_works_is_connected_and_what_is_dead_is_down(upstream, house):
    working = await house(upstream={"health": OFTEN})
    dead = await house(upstream={"endpoints": [f"http://127.0.0.1:{free_port()}"], "health": OFTEN})
    await until_statuses(working, "up")
    await until_statuses(dead, "down")
    told, answer = await health_of(dead), await dead.admin("/health")

    assert "connected" == (await health_of(working))["status"]
    assert ("failing", 503) == (told["status"], answer.status)
    assert "no endpoint is healthy: 3 checks in a row: connect_refused" in told["reason"]
    assert told["since"] == told["endpoints"][0]["since"] is not None
    assert 200 == (await working.admin("/health")).status


@pytest.mark.parametrize(
    ("script", "knobs", "reason"),
    [
        pytest.param(status(500), OFTEN, "status 500", id="answers 500"),
        pytest.param(status(302, "Location: /"), OFTEN, "status 302", id="leads elsewhere"),
        pytest.param(never, BRIEF, "no answer within 0.3 s", id="accepts and never answers"),
        pytest.param(slow_head(2.0), BRIEF, "no answer within 0.3 s", id="answers too late"),
        pytest.param(close_before_head, OFTEN, "upstream_reset: ", id="closes"),
    ],
)
async def test_an_endpoint_that_fails_its_checks_gets_no_traffic(
    upstream, house, script, knobs, reason
):
    upstream.on("/b/healthz", script)
    house = await house(upstream=two(upstream, **knobs))
    await until_statuses(house, "up", "down")
    event = await house.event("endpoint_down", endpoint=f"{upstream.url}/b")
    answers = [await house.fetch("/x") for _ in range(6)]
    metrics = (await house.admin("/metrics")).body.decode()

    assert [200] * 6 == [answer.status for answer in answers]
    assert ["/a/x"] * 6 == traffic(upstream)
    assert f"3 checks in a row: {reason}" in event["reason"]
    assert f'sidelight_endpoint_healthy{{endpoint="{upstream.url}/b",upstream="chat"}} 0' in metrics
    assert "connected" == (await health_of(house))["status"]


async def test_after_recovery_traffic_comes_back_and_each_change_is_said_once(upstream, house):
    house = await house(upstream=two(upstream))
    await until_statuses(house, "up", "up")
    upstream.on("/b/healthz", status(503))
    await until_statuses(house, "up", "down")
    upstream.on("/b/healthz", status(204))
    await until_statuses(house, "up", "up")
    answers = [await house.fetch("/x") for _ in range(4)]
    down, up = await house.event("endpoint_down"), await house.event("endpoint_up")

    assert [200] * 4 == [answer.status for answer in answers]
    assert {"/a/x", "/b/x"} == set(traffic(upstream))
    assert ("3 checks in a row: status 503", "WARNING") == (down["reason"], down["level"])
    assert ("2 checks in a row: status 204", "INFO") == (up["reason"], up["level"])


async def test_an_endpoint_that_flaps_below_the_thresholds_stays_as_it_is(upstream, house):
    """Two failures, one good check, and so on: never three in a row."""
    up, flaps = status(200), [status(500), status(500), status(200)]
    upstream.on("/b/healthz", up, *flaps * 8, up)
    house = await house(upstream=two(upstream))
    await eventually(lambda: checks_of(upstream, "/b/healthz") >= 26, patience=30)

    assert [] == house.all("endpoint_down")
    assert "up" == statuses(house)[1]


async def test_where_none_is_healthy_requests_are_refused_until_the_next_check(upstream, house):
    upstream.on("/a/healthz", status(500))
    upstream.on("/b/healthz", status(500))
    slow = two(upstream, down_after=1, interval="30s")
    house = await house(upstream=slow, breaker={"consecutive": 1})
    await until_statuses(house, "down", "down")
    answers = [await house.fetch(method="POST", body=b"x") for _ in range(3)]
    event = await house.event_of(answers[0])
    [story] = await stories(house.app.admin_port, answers[0].header("X-Request-ID"))
    guards = {each["guard"]: each["decision"] for each in story["guards"]}

    assert [503] * 3 == [answer.status for answer in answers]
    assert {"no_healthy_upstream"} == {a.header("X-Sidelight-Error") for a in answers}
    assert 1 <= int(answers[0].header("Retry-After")) <= 33
    assert ("no_healthy_upstream", "PB") == (event["code"], event["term"])
    assert "attempts" not in event
    assert "2 of 2 endpoints are down" in event["detail"]
    assert "no endpoint of the chat upstream healthy" in story["diagnosis"]
    assert ("refused", "passed") == (guards["endpoints"], guards["breaker"])
    assert [] == traffic(upstream)
    assert "closed" == await house.breaker()
    assert "destination_unavailable" in answers[0].header("Proxy-Status")


async def test_where_none_is_left_for_a_retry_the_client_gets_what_the_attempt_gave(
    upstream, house
):
    upstream.on("/x", close_before_head)
    retry = {"attempts": 2, "first_pause": "2500ms", "max_pause": "5s"}
    house = await house(upstream={"health": OFTEN | {"down_after": 1}}, retry=retry)
    await until_statuses(house, "up")
    asking = asyncio.create_task(house.fetch("/x"))
    await eventually(lambda: traffic(upstream))
    upstream.on("/healthz", status(500))
    answer = await asking
    event = await house.event_of(answer)

    assert (502, "upstream_reset") == (answer.status, answer.header("X-Sidelight-Error"))
    assert ["/x"] == traffic(upstream)
    assert 1 == event["attempts"]


async def test_one_endpoint_alone_is_obeyed_as_well_and_comes_back(upstream, house):
    upstream.on("/healthz", status(500))
    house = await house(upstream={"health": OFTEN})
    await until_statuses(house, "down")
    refused = await house.fetch()
    upstream.on("/healthz", status(200))
    await until_statuses(house, "up")
    answer = await house.fetch()

    assert (503, "no_healthy_upstream") == (refused.status, refused.header("X-Sidelight-Error"))
    assert 200 == answer.status
    assert "connected" == (await health_of(house))["status"]


async def test_in_a_panic_all_are_used_and_the_story_says_so(upstream, house):
    upstream.on("/a/healthz", status(500))
    upstream.on("/b/healthz", status(500))
    house = await house(upstream=two(upstream) | {"panic": 0.5})
    await until_statuses(house, "down", "down")
    answers = [await house.fetch("/x") for _ in range(4)]
    await house.event_of(answers[0])
    told = json.dumps(await stories(house.app.admin_port, answers[0].header("X-Request-ID")))

    assert [200] * 4 == [answer.status for answer in answers]
    assert {"/a/x", "/b/x"} == set(traffic(upstream))
    assert "panic" in told


async def test_where_half_are_left_a_panic_of_a_half_is_none(upstream, house):
    upstream.on("/b/healthz", status(500))
    house = await house(upstream=two(upstream) | {"panic": 0.5})
    await until_statuses(house, "up", "down")
    for _ in range(4):
        await house.fetch("/x")

    assert ["/a/x"] * 4 == traffic(upstream)


async def test_what_checks_call_up_but_traffic_finds_broken_is_ejected_and_stays_so(
    upstream, house
):
    upstream.on("/b/x", status(500))
    rules = {"ejection": {"failures": 2, "time": "60s"}}
    house = await house(upstream=two(upstream) | rules)
    await until_statuses(house, "up", "up")
    async with asyncio.timeout(20):
        while not house.all("endpoint_ejected"):
            await house.fetch("/x")
    before = checks_of(upstream, "/b/healthz")
    await eventually(lambda: checks_of(upstream, "/b/healthz") >= before + 4)

    assert ["up", "ejected"] == statuses(house)
    assert [] == house.all("endpoint_returned")


async def test_an_endpoint_that_was_down_and_ejected_is_back_when_its_checks_are_good(
    upstream, house
):
    upstream.on("/b/x", close_before_head)
    rules = {"ejection": {"failures": 2, "time": "60s"}}
    house = await house(upstream=two(upstream) | rules)
    await until_statuses(house, "up", "up")
    async with asyncio.timeout(20):
        while not house.all("endpoint_ejected"):
            await house.fetch("/x")
    upstream.on("/b/healthz", close_before_head)
    await until_statuses(house, "up", "down")
    upstream.on("/b/healthz", status(200))
    upstream.on("/b/x", status(200))
    await until_statuses(house, "up", "up")

    assert f"{upstream.url}/b" == (await house.event("endpoint_returned"))["endpoint"]


async def test_an_endpoint_that_loses_its_name_is_down(house):
    """`.invalid` is never found (RFC 6761)."""
    house = await house(upstream={"endpoints": ["http://gone.invalid:80"], "health": OFTEN})
    await until_statuses(house, "down")
    event = await house.event("endpoint_down")

    assert "dns_failure" in event["reason"]


async def test_a_unix_socket_is_checked(upstream, house, tmp_path):
    path = tmp_path / "app.sock"
    loop = asyncio.get_running_loop()
    server = await loop.create_unix_server(lambda: Connection(upstream), str(path))
    house = await house(upstream={"endpoints": [f"unix:{path}"], "health": OFTEN})
    await until_statuses(house, "up")
    server.close()

    assert "localhost" == upstream.seen[0].header("Host")


async def test_checks_take_nothing_from_the_pool(upstream, house):
    """The only connection is taken, and checks go on."""
    upstream.on("/x", never)
    house = await house(upstream={"health": OFTEN, "pool": {"size": 1}})
    await until_statuses(house, "up")
    held = asyncio.create_task(house.fetch("/x"))
    await eventually(lambda: traffic(upstream))
    before = len(upstream.seen)
    await eventually(lambda: len(upstream.seen) > before + 4)
    view = (await house.admin("/health")).json()["pools"]["chat"]
    held.cancel()

    assert 1 == view["in_use"]
    assert ["up"] == statuses(house)


async def test_checks_go_on_during_a_drain_and_end_with_it(upstream, house):
    upstream.on("/x", never)
    house = await house(upstream={"health": OFTEN})
    await until_statuses(house, "up")
    held = asyncio.create_task(house.fetch("/x"))
    await eventually(lambda: traffic(upstream))
    draining = asyncio.create_task(house.app.drain(delay=0, limit=3600, cause="test"))
    await house.event("drain_began")
    before = len(upstream.seen)
    await eventually(lambda: len(upstream.seen) > before + 2)
    draining.cancel()
    await asyncio.gather(draining, held, return_exceptions=True)
    await house.app.stop()
    after = len(upstream.seen)
    await asyncio.sleep(0.3)

    assert after == len(upstream.seen)


async def test_a_stall_of_ours_takes_no_endpoint_out_of_use(upstream, house):
    """The loop stands still for longer than a check may take, three times over."""
    house = await house(upstream=two(upstream, timeout="200ms", down_after=1))
    await until_statuses(house, "up", "up")
    loop = asyncio.get_running_loop()
    for _ in range(3):
        await _one_more_check(upstream)
        _stand_still(loop)
    await until_statuses(house, "up", "up")

    assert [] == house.all("endpoint_down")


async def _one_more_check(upstream) -> None:
    before = len(upstream.seen)
    await eventually(lambda: len(upstream.seen) > before)


def _stand_still(loop: asyncio.AbstractEventLoop) -> None:
    until = loop.time() + 0.5
    while loop.time() < until:
        loop.time()


async def test_the_alert_names_the_endpoint_and_why(upstream, house):
    upstream.on("/b/healthz", status(500))
    house = await house(upstream=two(upstream), alerts={"every": "50ms"})
    await until_statuses(house, "up", "down")
    event = await house.event("alert_raised", rule="endpoint_down")
    page = (await ask(house.app.admin_port, "/")).body.decode()

    assert f"{upstream.url}/b of chat is down: 3 checks in a row: status 500" in str(event)
    assert "status 500" in page
