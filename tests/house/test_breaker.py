"""The circuit in the house: it opens, refuses at once, probes with one request and closes."""

import asyncio

import pytest

from tests.house.admin import ask, stories
from tests.house.fault_upstream import never, raw, reset_before_head, sse, status
from tests.house.raw_client import RawClient, eventually, request

ONCE = {"attempts": 1}


async def opened(house, upstream, **breaker):
    house = await house(retry=ONCE, breaker={"consecutive": 3, "cool_down": "30s"} | breaker)
    upstream.on("/", status(502), status(502), status(502), status(200))
    for _ in range(3):
        assert 502 == (await house.fetch()).status
    return house


async def test_open_circuit_refuses_without_asking(upstream, house):
    house = await opened(house, upstream)
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert (503, "circuit_open", "PB") == (answer.status, event["code"], event["term"])
    assert 3 == len(upstream.seen)
    said = answer.json()
    assert 1 <= said["retry_after"] == int(answer.header("Retry-After")) <= 40
    assert str(said["retry_after"]) in said["message"]
    assert ("open", 0) == (event["breaker_state"], event.get("attempts", 0))
    assert "consecutive" in str(await house.event("breaker_opened"))


async def test_what_opened_it_is_told_to_whoever_was_refused_and_to_the_admin(upstream, house):
    house = await house(retry=ONCE, breaker={"consecutive": 3, "cool_down": "30s"})
    upstream.on("/", reset_before_head, status(502), status(503))
    answers = [await house.fetch("/", method="POST") for _ in range(3)]
    ids = [answer.header("X-Request-ID") for answer in answers]
    refused = await house.fetch()
    (story,) = await stories(house.app.admin_port, refused.header("X-Request-ID"))
    told = story["breaker"]["opened"]
    (breaker,) = (await ask(house.app.admin_port, "/api/breakers")).json()["breakers"]
    page = await ask(house.app.admin_port, "/routes")
    event = await house.event("breaker_opened")

    assert ("consecutive", ids) == (told["rule"], [each["request_id"] for each in told["failures"]])
    assert [
        ("upstream_reset", None, upstream.url),
        ("upstream_error", 502, upstream.url),
        ("upstream_error", 503, upstream.url),
    ] == [(each["code"], each.get("status"), each["endpoint"]) for each in told["failures"]]
    assert ids == [each["request_id"] for each in breaker["changes"][0]["failures"]]
    assert ids == [each["request_id"] for each in event["failures"]]
    assert all(f'href="/requests/{each}"'.encode() in page.body for each in ids)
    assert (
        f"by the rule consecutive, after {ids[0]} (upstream_reset at {upstream.url})"
        in story["diagnosis"]
    )


async def test_no_pause_is_slept_when_the_circuit_is_open_already(upstream, house):
    """A dead upstream is answered for at once by whoever opens the circuit."""
    retry = {"attempts": 3, "first_pause": "20s", "max_pause": "20s"}
    house = await house(retry=retry, breaker={"consecutive": 1, "cool_down": "30s"})
    upstream.on("/", status(503, "X-Own: yes"))
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert (503, "yes", 1) == (answer.status, answer.header("X-Own"), len(upstream.seen))
    assert ("circuit_open", "open") == (event["retry_stopped"], event["breaker_state"])


async def test_no_pause_is_slept_for_a_failure_without_an_answer_either(upstream, house):
    retry = {"attempts": 3, "first_pause": "20s", "max_pause": "20s"}
    house = await house(retry=retry, breaker={"consecutive": 1, "cool_down": "30s"})
    upstream.on("/", reset_before_head)
    answer = await house.fetch()

    assert (502, "upstream_reset") == (answer.status, answer.json()["error"])


async def test_open_circuit_answers_within_a_millisecond(upstream, house):
    house = await opened(house, upstream)
    answers = [await house.fetch() for _ in range(20)]
    took = [(await house.event_of(answer))["duration_ms"] for answer in answers]

    assert min(took) < 1  # what it costs where nothing else has the processor


async def test_one_probe_at_a_time_closes_it(upstream, house):
    house = await opened(house, upstream, cool_down="50ms", jitter=0.0)
    gate = asyncio.Event()

    async def probe(turn):
        await gate.wait()
        await turn.answer()

    upstream.on("/", probe)
    await asyncio.sleep(0.06)
    probing = asyncio.create_task(house.fetch())
    await eventually(lambda: len(upstream.seen) == 4)
    others = [await house.fetch() for _ in range(5)]
    gate.set()

    assert 200 == (await probing).status
    assert [503] * 5 == [other.status for other in others]
    await house.event("breaker_closed")
    assert "closed" == await house.breaker()
    assert ["breaker_opened", "breaker_half_open", "breaker_closed"] == [
        event["event"] for event in house.events if event["event"].startswith("breaker_")
    ]


async def test_a_stream_that_goes_on_does_not_hold_it_half_open(upstream, house):
    house = await opened(house, upstream, cool_down="50ms", jitter=0.0)
    upstream.on("/", sse("data: one\n\n", 10.0))
    await asyncio.sleep(0.06)
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await client.until(b"data: one\n\n")

        assert "closed" == await house.breaker()


SLOW_BODY = "x" * 100


@pytest.mark.parametrize("kind", ["plain", "compressed", "announced"])
async def test_an_answer_that_takes_long_does_not_hold_it_half_open(upstream, house, kind):
    """Its first byte is proof enough, however slowly the rest comes."""
    house = await opened(house, upstream, cool_down="50ms", jitter=0.0)
    fields = {
        "plain": "Content-Type: text/plain\r\nTransfer-Encoding: chunked",
        "compressed": "Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\n"
        "Transfer-Encoding: chunked",
        "announced": "Content-Length: 1000",
    }[kind]
    first = SLOW_BODY if kind == "announced" else f"64\r\n{SLOW_BODY}\r\n"
    upstream.on("/", raw(f"HTTP/1.1 200 OK\r\n{fields}\r\n\r\n{first}"))
    await asyncio.sleep(0.06)
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await client.until(SLOW_BODY.encode())
        await house.event("breaker_closed")

        assert "closed" == await house.breaker()


async def test_a_reader_that_stands_still_does_not_hold_it_half_open(upstream, house):
    house = await opened(house, upstream, cool_down="50ms", jitter=0.0)
    large = f"HTTP/1.1 200 OK\r\nContent-Length: {1 << 24}\r\n\r\n" + "x" * (1 << 24)
    upstream.on("/", raw(large))
    await asyncio.sleep(0.06)
    async with RawClient(house.port, read_ahead=1024) as client:
        await client.send(request("GET", "/"))
        await client.head()
        await house.event("breaker_closed")


async def test_an_upload_that_drips_does_not_hold_it_shut(upstream, house):
    house = await opened(house, upstream, cool_down="50ms", jitter=0.0)
    upstream.on("/", status(200))
    upstream.on("/up", never)
    await asyncio.sleep(0.06)
    async with house.client() as client:
        await client.send(f"POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: {1 << 20}\r\n\r\nx")
        await eventually(lambda: len(upstream.seen) == 4)
        others = [await house.fetch() for _ in range(3)]

    assert [200] * 3 == [other.status for other in others]


async def test_an_error_page_that_takes_long_is_no_proof(upstream, house):
    house = await opened(house, upstream, cool_down="50ms", jitter=0.0)
    upstream.on("/", raw(f"HTTP/1.1 500 Oops\r\nContent-Length: 1000\r\n\r\n{SLOW_BODY}"))
    await asyncio.sleep(0.06)
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await client.until(SLOW_BODY.encode())

        assert "half_open" == await house.breaker()


async def test_a_probe_whose_first_event_is_an_error_opens_it_again(upstream, house):
    house = await opened(house, upstream, cool_down="50ms", jitter=0.0)
    upstream.on("/", sse("event: error\ndata: x\n\n"))
    await asyncio.sleep(0.06)
    event = await house.event_of(await house.fetch())

    assert ("stream_error", "open") == (event["code"], event["breaker_state"])


async def test_a_client_that_leaves_its_probe_teaches_nothing(upstream, house):
    house = await opened(house, upstream, cool_down="50ms", jitter=0.0)
    upstream.on("/", never, status(200))
    await asyncio.sleep(0.06)
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await eventually(lambda: len(upstream.seen) == 4)
    await house.event(code="client_closed_request")

    assert 200 == (await house.fetch()).status
    assert "closed" == await house.breaker()


async def test_refused_on_a_retry_gives_the_last_real_answer(upstream, house):
    house = await house(breaker={"consecutive": 2})
    upstream.on("/", status(503, "X-Try: 1"), status(503, "X-Try: 2"), status(200))
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert (503, "2", 2) == (answer.status, answer.header("X-Try"), len(upstream.seen))
    assert "circuit_open" == event["retry_stopped"]


async def test_half_of_ten_failing_opens_it(upstream, house):
    house = await house(retry=ONCE, breaker={"consecutive": 99})
    for number in range(10):
        upstream.on("/", status(500 if number % 2 else 200))
        await house.fetch()

    assert "open" == await house.breaker()


@pytest.mark.parametrize("script", [status(429), status(404), status(400)])
async def test_clients_faults_never_open_it(upstream, house, script):
    house = await house(retry=ONCE)
    upstream.on("/", script)
    for _ in range(30):
        await house.fetch()

    assert "closed" == await house.breaker()


async def test_broken_streams_open_it(upstream, house):
    house = await house(retry=ONCE, breaker={"consecutive": 3})
    upstream.on("/", sse("data: one\n\n", end=False))
    for _ in range(3):
        await house.event_of(await house.fetch())

    assert "open" == await house.breaker()


async def test_an_open_circuit_degrades_health_and_not_readiness(upstream, house):
    house = await opened(house, upstream)
    health = await house.admin("/health")

    assert (503, "degraded") == (health.status, health.json()["status"])
    assert 200 == (await house.admin("/readyz")).status


async def test_budget_stops_retry_storms(upstream, house):
    house = await house(
        breaker={"enabled": False},
        retry={"budget": {"capacity": 3, "per_minute": 0, "per_request": 0}},
    )
    upstream.on("/", reset_before_head)
    answers = [await house.fetch() for _ in range(4)]
    events = [await house.event_of(answer) for answer in answers]

    assert 4 + 3 == len(upstream.seen)
    assert "budget_spent" == events[-1]["retry_stopped"]
