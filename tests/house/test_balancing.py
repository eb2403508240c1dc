"""Several endpoints, of which some refuse, hang, lie, fail, flap or die."""

import asyncio
import socket
from collections import Counter

import pytest

from tests.house.admin import stories
from tests.house.fault_upstream import FaultUpstream, status
from tests.house.raw_client import eventually, fetch
from tests.house.streams import stream

PATIENT = {"head": "20s", "total": "30s"}
"""Clocks that do not run out."""

HASTY = {"head": "300ms", "total": "5s"}


@pytest.fixture
async def peers():
    """Starts upstreams: `a, b = await peers(2)`."""
    started: list[FaultUpstream] = []

    async def start(count: int, **options: object) -> list[FaultUpstream]:
        new = [FaultUpstream(**options) for _ in range(count)]
        for one in new:
            await one.open()
        started.extend(new)
        return new

    yield start
    for one in started:
        await one.stop()


def by_turns(*upstreams, **knobs):
    return {"endpoints": [one.url for one in upstreams], "balance": "round_robin"} | knobs


async def never(turn):
    """Accept, read, never answer."""
    await turn.gone()


async def answers(house, count, **options):
    """The statuses of so many exchanges, one after the other."""
    return [(await house.fetch(**options)).status for _ in range(count)]


async def metrics(house):
    return (await house.admin("/metrics")).body.decode()


async def test_one_that_refuses_costs_nobody_an_answer(peers, house):
    good, gone = await peers(2)
    await gone.refuse()
    house = await house(upstream=by_turns(good, gone))

    assert {200} == set(await answers(house, 20, method="POST", body=b"{}"))
    down = await house.event("endpoint_down")
    assert (gone.url, 5000) == (down["endpoint"], down["for_ms"])
    assert down["reason"]
    assert 20 == len(good.seen)


async def test_one_that_hangs_costs_nobody_anything_after_its_third_failure(peers, house):
    good, hung = await peers(2)
    hung.on("/", never)
    house = await house(upstream=by_turns(good, hung), timeouts=HASTY)
    statuses = Counter(await answers(house, 40, method="POST", body=b"{}"))
    ejected = await house.event("endpoint_ejected")

    assert {200: 37, 504: 3} == statuses
    assert (hung.url, 30000) == (ejected["endpoint"], ejected["for_ms"])
    assert "5 failures in a row, the last one head_timeout" == ejected["reason"]


async def test_many_that_hang_at_once_at_one_endpoint_open_no_circuit(peers, house):
    good, hung = await peers(2)
    hung.on("/", never)
    house = await house(upstream=by_turns(good, hung), timeouts=HASTY)
    await asyncio.gather(*(house.fetch(method="POST", body=b"{}") for _ in range(40)))
    await house.event("endpoint_ejected")

    assert {200} == set(await answers(house, 20, method="POST", body=b"{}"))
    assert [] == house.all("breaker_opened")


async def test_one_that_hangs_cannot_take_all_connections(peers, house):
    good, hung = await peers(2)
    hung.on("/", never)
    house = await house(upstream=by_turns(good, hung, pool={"size": 4}), timeouts=PATIENT)
    asking = [asyncio.ensure_future(house.fetch()) for _ in range(12)]
    await eventually(lambda: sum(one.done() for one in asking) == 10)

    assert 2 == len(hung.seen)
    assert {200} == {one.result().status for one in asking if one.done()}
    await eventually(lambda: len(house.all()) == 10)
    assert "full" in {event["chosen"] for event in house.all()}
    for one in asking:
        one.cancel()
    await asyncio.wait(asking)


async def test_500_on_one_path_only_ejects_nobody_who_serves_the_others(peers, house):
    good, poisoned = await peers(2)
    poisoned.on("/poison", status(500))
    house = await house(upstream=by_turns(good, poisoned))
    for _ in range(10):
        await answers(house, 2, path="/poison")
        assert [200, 200] == await answers(house, 2)

    assert [] == house.all("endpoint_ejected")


async def test_500_on_every_path_ejects_the_one_but_never_the_last(peers, house):
    worse, bad = await peers(2)
    for one in (worse, bad):
        one.on("/", status(500))
    house = await house(upstream=by_turns(worse, bad), breaker={"enabled": False})
    assert {500} == set(await answers(house, 40))
    await eventually(lambda: house.all("endpoint_ejected"))
    ejected = await house.event("endpoint_ejected")

    assert ejected["endpoint"] in (worse.url, bad.url)
    labels = f'{{endpoint="{ejected["endpoint"]}",upstream="chat"}}'
    assert f"sidelight_endpoint_ejections_total{labels} 1" in await metrics(house)


async def test_an_ejected_one_that_works_again_comes_back_by_one_probe(peers, house):
    good, ill = await peers(2)
    ill.on("/", *[status(500)] * 5, status(200))
    knobs = by_turns(good, ill, ejection={"time": "1ms"})
    house = await house(upstream=knobs, breaker={"enabled": False})
    async with asyncio.timeout(10):
        while not house.all("endpoint_returned"):
            await answers(house, 1)
    await eventually(lambda: house.all(chosen="probe"))
    probe = await house.event(chosen="probe")

    assert (ill.url, 200) == (probe["endpoint"], probe["status"])


async def test_one_that_flaps_costs_nobody_an_answer(peers, house):
    good, flapping = await peers(2)
    house = await house(upstream=by_turns(good, flapping))
    statuses = []
    for _ in range(4):
        statuses += await answers(house, 4)
        await flapping.refuse()
        statuses += await answers(house, 4)
        await flapping.open()

    assert {200} == set(statuses)


async def test_endpoints_that_die_one_after_the_other_under_load_cost_nobody_an_answer(
    peers, house
):
    """What a retry may rescue is rescued: whatever is idempotent."""
    dying = await peers(4)
    house = await house(upstream={"endpoints": [one.url for one in dying]}, timeouts=PATIENT)
    statuses, ends = Counter(), asyncio.Event()

    async def ask():
        while not ends.is_set():
            statuses[(await house.fetch()).status] += 1

    async def more(count):
        wanted = statuses.total() + count
        await eventually(lambda: statuses.total() >= wanted)

    asking = [asyncio.ensure_future(ask()) for _ in range(8)]
    for one in dying[:-1]:
        await more(100)
        await one.refuse()
    await more(100)
    ends.set()
    await asyncio.gather(*asking)

    assert {200} == set(statuses)


async def test_a_retry_elsewhere_is_made_at_once(peers, house):
    """The pause would be longer than the test waits."""
    busy, good = await peers(2)
    busy.on("/", status(503, "Retry-After: 30"))
    retry = {"first_pause": "1h", "max_pause": "1h", "retry_after_cap": "1h"}
    house = await house(upstream=by_turns(busy, good), retry=retry)
    first = await house.fetch()
    event = await house.event_of(first)
    others = await answers(house, 6)

    assert {200} == {first.status, *others}
    assert (good.url, "elsewhere", 2) == (event["endpoint"], event["chosen"], event["attempts"])
    assert 1 == len(busy.seen), "it asked for rest, and gets it"


async def test_a_pause_before_going_elsewhere_is_kept_where_it_is_asked_for(peers, house):
    bad, good = await peers(2)
    bad.on("/", status(503))
    house = await house(upstream=by_turns(bad, good), retry={"elsewhere": "pause"})
    answer = await house.fetch()
    (story,) = await stories(house.app.admin_port, answer.header("X-Request-ID"))

    assert 200 == answer.status
    assert story["attempts"][0]["pause_ms"] > 0


async def test_where_all_have_failed_the_pause_is_slept(peers, house):
    bad, worse = await peers(2)
    bad.on("/", status(503), status(200))
    worse.on("/", status(503))
    house = await house(upstream=by_turns(bad, worse))
    answer = await house.fetch()
    (story,) = await stories(house.app.admin_port, answer.header("X-Request-ID"))
    first, second, third = story["attempts"]

    assert 200 == answer.status
    assert (0, True) == (first["pause_ms"], second["pause_ms"] > 0)
    assert "none_better" == third["chosen"]["why"]


async def test_a_held_stream_that_stays_silent_goes_elsewhere(peers, house):
    silent, good = await peers(2)
    silent.on("/", stream(then="silent"))
    good.on("/", stream("data: hi\n\n"))
    house = await house(
        upstream=by_turns(silent, good),
        timeouts={"first_event": "300ms"},
        retry={"on": ["first_event_timeout"]},
        route={"stream": {"hold_first_event": True}},
    )
    answer = await house.fetch()

    assert b"data: hi\n\n" == answer.body
    assert good.url == (await house.event_of(answer))["endpoint"]


async def test_a_client_is_led_to_the_same_endpoint_by_its_key(peers, house):
    upstreams = await peers(3)
    knobs = {
        "endpoints": [one.url for one in upstreams],
        "balance": "hash",
        "by": {"header": "X-User"},
    }
    house = await house(upstream=knobs)
    used = {}
    for user in range(30):
        found = set()
        for _ in range(2):
            event = await house.event_of(await house.fetch("/", f"X-User: u{user}"))
            found.add(event["endpoint"])
        assert 1 == len(found)
        used[user] = found.pop()

    assert {one.url for one in upstreams} == set(used.values())


async def test_every_process_leads_a_client_to_the_same_endpoint(peers, process):
    """And none of the endpoints has all of them: Python hashes differently in each process."""
    upstreams = await peers(3)
    knobs = {"balance": "hash", "by": {"header": "X-User"}}
    urls = [one.url for one in upstreams]
    both = [await process(upstream={"endpoints": urls, **knobs}) for _ in range(2)]
    led = []
    for running in both:
        for number in range(60):
            await fetch(running.port, "/", f"X-User: u{number}")
        led.append([{seen.header("X-User") for seen in one.seen} for one in upstreams])

    assert led[0] == led[1]
    assert 60 == sum(len(users) for users in led[0])
    assert all(led[0])


async def test_a_story_says_why_an_endpoint_was_chosen_and_what_was_known_of_the_others(
    peers, house
):
    good, gone = await peers(2)
    await gone.refuse()
    house = await house(upstream=by_turns(gone, good))
    answer = await house.fetch()
    (story,) = await stories(house.app.admin_port, answer.header("X-Request-ID"))
    first, second = story["attempts"]
    known = {each["endpoint"]: each for each in second["chosen"]["known"]}

    assert ("turn", "elsewhere") == (first["chosen"]["why"], second["chosen"]["why"])
    assert {gone.url, good.url} == set(known)
    assert ("resting", "usable") == (known[gone.url]["status"], known[good.url]["status"])
    assert known[gone.url]["reason"]


def named(house, *addresses):
    """The DNS of the house answers so from now on; an exception is raised."""
    name = house.app.upstreams["chat"].endpoints._names[0]

    async def lookup(_host, port):
        if isinstance(addresses[0], Exception):
            raise addresses[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    name.addresses._lookup = lookup
    return name.addresses


async def test_all_addresses_of_a_name_are_used_and_survive_the_loss_of_the_dns(peers, house):
    (one,) = await peers(1, host="127.0.0.1")
    (two,) = await peers(1, host="127.0.0.2", port=one.port)
    knobs = {"endpoints": [f"http://chat.test:{one.port}"], "balance": "round_robin"}
    house = await house(upstream=knobs)
    dns = named(house, "127.0.0.1", "127.0.0.2")
    assert {200} == set(await answers(house, 6))
    named(house, socket.gaierror("no such name"))
    dns._begin(asyncio.get_running_loop())
    failed = await house.event("endpoint_dns_failed")
    await one.refuse()

    assert {200} == set(await answers(house, 6))
    assert len(two.seen) >= 6
    assert "no such name; the last answer stays in use" == failed["reason"]
    assert {"127.0.0.1", "127.0.0.2"} == {
        event["address"] for event in house.all() if "address" in event
    }


async def test_a_fallback_has_endpoints_of_its_own_to_choose_from(peers, house):
    bad, worse, spare, hung = await peers(4)
    for one in (bad, worse):
        one.on("/", status(503))
    hung.on("/", never)
    house = await house(
        upstreams={"chat": by_turns(bad, worse), "spare": by_turns(hung, spare)},
        route={"fallback": {"upstream": "spare"}},
        timeouts=HASTY,
    )
    statuses = await answers(house, 8)
    ejected = await house.event("endpoint_ejected", upstream="spare")

    assert [503, 200, 503, 200, 503, 200, 200, 200] == statuses
    assert hung.url == ejected["endpoint"]
