"""A drain made for answers: real processes, real signals, streams under way."""

import asyncio
import signal
from dataclasses import dataclass, field

import pytest

from tests.house.fault_upstream import never
from tests.house.raw_client import CutShortError, RawClient, eventually, request
from tests.house.streams import NDJSON, compressed, stream, the_error

ONE, PING = "data: one\n\n", ": ping\n\n"
WORDS = [step for number in range(12) for step in (f"data: {number}\n\n", 0.03)]
WHOLE = "".join(step for step in WORDS if isinstance(step, str)).encode()
NOW = {"readiness_delay": "0s", "limit": "200ms"}
JSON = "Content-Type: application/json"


@dataclass
class Balancer:
    """What stands before two Sidelights: sends where readiness is, and only looks now and then."""

    processes: list
    wanted: list = field(default_factory=list)

    async def watch(self) -> None:
        while True:
            self.wanted = [one for one in self.processes if await one.is_ready()]
            await asyncio.sleep(0.03)


@dataclass
class Tally:
    whole: int = 0
    other: list[str] = field(default_factory=list)

    def add(self, answer) -> None:
        if (answer.status, answer.end, answer.body) == (200, "clean", WHOLE):
            self.whole += 1
        else:
            self.other.append(f"{answer.status} {answer.end} {answer.body!r}")


async def read_on_and_on(balancer: Balancer, tally: Tally, until: asyncio.Event) -> None:
    """One reader with a connection that is kept as long as Sidelight keeps it."""
    while not until.is_set():
        async with RawClient(balancer.wanted[0].port) as client:
            kept = True
            while kept and not until.is_set():
                try:
                    answer = await client.get("/chat")
                except CutShortError as cut:
                    tally.other += [f"half a head: {cut.got!r}"] if cut.got else []
                    break  # an idle connection was closed: nothing was lost, ask again
                tally.add(answer)
                kept = answer.header("Connection") != "close"


async def test_a_rolling_restart_under_load_cuts_no_answer(upstream, process):
    quick = {"readiness_delay": "300ms", "limit": "5s"}
    old, new = await process(drain=quick), await process(drain=quick)
    upstream.on("/chat", stream(*WORDS))
    balancer, tally, enough = Balancer([old], [old]), Tally(), asyncio.Event()
    watching = asyncio.create_task(balancer.watch())
    readers = [asyncio.create_task(read_on_and_on(balancer, tally, enough)) for _ in range(20)]
    await eventually(lambda: tally.whole >= 20)
    balancer.processes.append(new)
    old.tell(signal.SIGTERM)
    code = await old.ended()
    after = tally.whole
    await eventually(lambda: tally.whole >= after + 20)
    enough.set()
    await asyncio.gather(*readers)
    watching.cancel()
    ended = old.events("drain_ended")[0]

    assert [] == tally.other
    assert 0 == code
    assert tally.whole >= 60
    assert 0 == ended["cut"]
    assert {"completed"} == {event["code"] for event in old.events() + new.events()}


@pytest.mark.parametrize(
    ("settings", "script", "form"),
    [
        pytest.param({}, stream(ONE, "data: ha", then="silent"), "sse", id="an event named error"),
        pytest.param(
            {"route": {"stream": {"errors": "openai"}}},
            stream(ONE, then="silent"),
            "openai",
            id="the error of that API",
        ),
        pytest.param({}, stream("{}\n", kind=NDJSON, then="silent"), "ndjson", id="a line"),
    ],
)
async def test_what_outlasts_the_limit_is_told_so_in_its_stream(
    upstream, process, settings, script, form
):
    process = await process(drain=NOW, **settings)
    upstream.on("/", script)
    async with RawClient(process.port) as client:
        await client.send(request("GET", "/"))
        head = await client.head()
        await client.chunk()
        process.tell(signal.SIGTERM)
        head.body = b""
        while piece := await client.chunk():
            head.body += piece
    code = await process.ended()
    error = the_error(head, form)
    (event,) = process.events()

    assert ("drain_cut", head.header("X-Request-ID")) == (error["error"], error["request_id"])
    assert error["retryable"]
    assert ("drain_cut", "OS", "WARNING") == (event["code"], event["term"], event["level"])
    assert (0, 1) == (code, process.events("drain_ended")[0]["cut"])
    assert upstream.connections[-1].gone.is_set()


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(compressed(ONE, then="silent"), id="compressed"),
        pytest.param(stream("half a", kind="text/plain", then="silent"), id="no stream"),
    ],
)
async def test_where_nothing_can_be_told_the_transfer_is_broken(upstream, process, script):
    process = await process(drain=NOW)
    upstream.on("/", script)
    async with RawClient(process.port) as client:
        await client.send(request("GET", "/"))
        await client.head()
        await client.chunk()
        process.tell(signal.SIGTERM)
        rest, _ = await client.rest()

    assert 0 == await process.ended()
    assert not rest.endswith(b"0\r\n\r\n")
    assert ["drain_cut"] == [event["code"] for event in process.events()]


async def test_what_has_no_head_yet_is_refused_with_one(upstream, process):
    process = await process(drain=NOW)
    upstream.on("/", never)
    async with RawClient(process.port) as client:
        await client.send(request("GET", "/"))
        await eventually(lambda: upstream.seen)
        process.tell(signal.SIGTERM)
        answer = await client.answer()
    (event,) = await ended_events(process)

    assert (503, "draining", "close") == (
        answer.status,
        answer.json()["error"],
        answer.header("Connection"),
    )
    assert ("OQ", ("drained",)) == (event["term"], tuple(event["attempt_results"]))


async def ended_events(process):
    assert 0 == await process.ended()
    return process.events()


async def test_a_slow_reader_still_gets_the_last_word(upstream, process):
    """It is queued behind megabytes that the reader has yet to take when the process ends."""
    process = await process(drain=NOW)
    upstream.on("/", stream(*["data: " + "x" * 1000 + "\n\n"] * 20_000, then="silent"))
    async with RawClient(process.port, read_ahead=4096) as client:
        await client.send(request("GET", "/"))
        head = await client.head()
        await asyncio.sleep(0.2)
        process.tell(signal.SIGTERM)
        await asyncio.sleep(1.5)
        head.body = b""
        while piece := await client.chunk():
            head.body += piece
    assert 0 == await process.ended()

    assert "drain_cut" == the_error(head)["error"]


async def test_a_connection_whose_answer_began_before_the_drain_ends_with_it(upstream, process):
    """Its head could not say so; nothing idles on it until the limit."""
    process = await process(drain={"readiness_delay": "5s", "limit": "5s"})
    upstream.on("/", stream(ONE, 0.3, ONE))
    async with RawClient(process.port) as client:
        await client.send(request("GET", "/"))
        await client.until(b"one\n\n")
        process.tell(signal.SIGTERM)
        rest, end = await client.rest(2)
        process.tell(signal.SIGTERM)

    assert (True, "clean") == (rest.endswith(b"0\r\n\r\n"), end)
    assert 0 == await process.ended()


async def ask(process, method: str):
    """The admin port's drain; it answers to names of its own only."""
    async with RawClient(process.admin_port) as client:
        head = request(method, "/drain", JSON, "Content-Length: 2", host="localhost")
        await client.send(head + b"{}")
        return await client.answer()


async def test_an_operator_may_drain_by_the_admin_port(upstream, process):
    process = await process(drain={"readiness_delay": "100ms", "limit": "5s"})
    upstream.on("/", stream(ONE, 0.4, ONE))
    async with RawClient(process.port) as client:
        await client.send(request("GET", "/"))
        await client.until(b"one\n\n")
        began = await ask(process, "POST")
        ready = await process.is_ready()
        progress = (await ask(process, "GET")).json()
        rest, end = await client.rest()

    assert (202, False) == (began.status, ready)
    assert (True, 1) == (progress["draining"], progress["running"])
    assert (True, "clean") == (rest.endswith(b"0\r\n\r\n"), end)
    assert 0 == await process.ended()
