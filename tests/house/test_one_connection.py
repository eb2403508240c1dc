"""Exchange after exchange on one connection of a client, and what is left behind between them."""

import asyncio

import pytest

from proxy.clock import now
from proxy.timing.loop_lag import stalled
from tests.house.fault_upstream import never, status
from tests.house.raw_client import RawClient, eventually, request
from tests.house.test_streams import narrow_sending


async def refuse_early(turn):
    """Answer before the body is read, and go on reading it."""
    await turn.answer(413, body=b"too large for me")
    await turn.body()


async def test_an_early_answer_reaches_a_client_that_is_still_sending(upstream, house):
    """The rest of the body is read and dropped: a reset could overtake the answer."""
    house = await house()
    upstream.on("/", refuse_early)
    size, piece = 400_000, b"x" * 2000
    async with house.client() as client:
        await client.send(f"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n")
        for _ in range(size // len(piece)):
            await client.send(piece)
            await asyncio.sleep(0)
        answer = await client.answer()
        assert 200 == (await client.get("/next")).status
    await house.event(path="/next")

    assert (413, b"too large for me", "clean") == (answer.status, answer.body, answer.end)
    assert [413, 200] == [event["status"] for event in house.all()]
    assert [] == house.all("library")


async def test_an_empty_chunked_body_that_comes_with_its_head_is_sent_whole(upstream, house):
    house = await house(timeouts={"head": "1s"})

    async def take(turn):
        await turn.body()
        await turn.answer()

    upstream.on("/", take)
    async with house.client() as client:
        await client.send(
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        )
        answer = await client.answer()

    assert 200 == answer.status
    assert upstream.seen[0].whole


async def test_a_client_that_asks_and_asks_and_does_not_read_is_cut(upstream, house):
    """Nothing piles up: the next exchange waits until it has read."""
    house = await house(timeouts={"client_write": "200ms"})
    upstream.on("/", status(200, body=b"x" * 40_000))
    async with house.client() as client:
        await client.send(request("GET", "/") * 2000)
        await eventually(lambda: house.all(code="client_too_slow"))

    assert len(upstream.seen) < 500
    assert "cS" == house.all(code="client_too_slow")[0]["term"]


async def test_a_client_that_reads_late_gets_every_answer(upstream, house):
    house = await house()
    upstream.on("/", status(200, body=b"x" * 40_000))
    async with house.client() as client:
        await client.send(request("GET", "/") * 300)
        await asyncio.sleep(0.2)
        answers = [await client.answer() for _ in range(300)]

    assert {(200, 40_000)} == {(answer.status, len(answer.body)) for answer in answers}
    assert {"completed"} == {event["code"] for event in house.all()}


async def test_a_slow_head_does_not_keep_the_connection_for_ever(upstream, house):
    house = await house(listen={"keep_alive": "200ms"})
    async with house.client() as client:
        await client.send("GET / HTTP/1.1\r\n")
        await asyncio.sleep(0.4)
        await client.send("Host: h\r\n\r\n")
        assert 200 == (await client.answer()).status

        assert (b"", "clean") == await client.rest()


@pytest.mark.parametrize("keep_alive", ["100ms", "10s"])
async def test_what_a_client_does_not_read_does_not_keep_an_idle_connection(
    upstream, house, monkeypatch, keep_alive
):
    narrow_sending(monkeypatch)
    house = await house(timeouts={"client_write": "300ms"}, listen={"keep_alive": keep_alive})
    upstream.on("/", status(200, body=b"x" * 30_000))
    async with RawClient(house.port, read_ahead=1024, window=2048) as client:
        await client.send(request("GET", "/"))
        await house.event()
        await eventually(lambda: not house.app.listener.server.connections)


async def test_the_time_of_an_upload_is_the_clients(upstream, house):
    house = await house()

    async def take(turn):
        await turn.body()
        await turn.answer()

    upstream.on("/", take)
    async with house.client() as client:
        await client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        await eventually(lambda: upstream.seen)
        began = now()
        await asyncio.sleep(0.3)
        waited = 0.3 - stalled(began, now())  # a stall of the machine is nobody's wait
        await client.send("2\r\nhi\r\n0\r\n\r\n")
        await client.answer()
    event = await house.event()
    took = event["duration_ms"] - event["upstream_ms"] - event["overhead_ms"]

    assert took >= 1000 * waited * 0.9


async def test_no_retry_is_begun_once_its_pause_does_not_fit_any_more(upstream, house):
    """To set the answer aside took the time that the decision had still seen."""

    async def slow_503(turn):
        await turn.begin_chunked(status=503)
        await asyncio.sleep(0.4)
        await turn.end_chunked()

    retry = {"first_pause": "9700ms", "max_pause": "9700ms", "jitter": 0}
    house = await house(timeouts={"total": "10s"}, retry=retry)
    upstream.on("/", slow_503)
    answer = await house.fetch()
    event = await house.event()

    assert (503, 1, "deadline_near") == (answer.status, len(upstream.seen), event["retry_stopped"])
    assert event["upstream_ms"] + event["overhead_ms"] > 390  # stalls of ours are our own


async def test_a_head_that_comes_with_the_connection_has_a_clock(upstream, house):
    house = await house(listen={"request_head": "200ms"})
    ends = []
    for _ in range(5):
        async with house.client() as client:
            await client.send("GET / HT")
            ends.append((await client.answer()).status)

    assert [408] * 5 == ends


async def test_a_head_that_begins_while_an_exchange_runs_has_a_clock(upstream, house):
    async def slow(turn):
        await asyncio.sleep(0.2)
        await turn.answer()

    house = await house(listen={"request_head": "300ms"})
    upstream.on("/", slow)
    async with house.client() as client:
        await client.send(request("GET", "/"), "GET / HT")
        answers = [await client.answer(), await client.answer()]

    assert [200, 408] == [answer.status for answer in answers]


async def test_a_body_that_comes_slowly_behind_another_request_is_no_head(upstream, house):
    async def slow(turn):
        await asyncio.sleep(0.2)
        await turn.body()
        await turn.answer()

    house = await house(listen={"request_head": "100ms"})
    upstream.on("/", slow)
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n")
        await client.send("ab")
        await asyncio.sleep(0.4)
        await client.send("cd")
        answers = [await client.answer(), await client.answer()]

    assert [200, 200] == [answer.status for answer in answers]
    assert b"abcd" == upstream.seen[1].body


async def test_a_cut_answer_does_not_look_whole_in_http_1_0(upstream, house):
    async def cut(turn):
        await turn.begin_chunked("Content-Type: text/plain")
        await turn.chunk("half")
        await asyncio.sleep(0.05)
        turn.close()

    house = await house()
    upstream.on("/", cut)
    async with house.client() as client:
        await client.send("GET / HTTP/1.0\r\n\r\n")
        _, end = await client.rest()

    assert "reset" == end


async def test_the_wait_that_a_client_breaks_off_is_not_ours(upstream, house):
    house = await house()
    upstream.on("/", never)
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await eventually(lambda: upstream.seen)
        began = now()
        await asyncio.sleep(0.3)
        waited = 0.3 - stalled(began, now())
    event = await house.event()

    assert event["upstream_ms"] >= 1000 * waited * 0.9
    assert event["duration_ms"] - event["overhead_ms"] >= 1000 * waited * 0.9


async def test_behind_a_kept_connection_that_broke_the_next_one_is_new(upstream, house):
    """Those that idle have idled for longer."""

    async def slow(turn):
        await asyncio.sleep(0.1)
        await turn.answer()

    async def close(turn):
        turn.close()

    house = await house(retry={"attempts": 2})
    upstream.on("/", slow)
    await asyncio.gather(*(house.fetch() for _ in range(3)))  # three connections idle now
    upstream.on("/gone", close)
    answer = await house.fetch("/gone")
    event = await house.event_of(answer)

    assert ("reset", "reset") == event["attempt_results"]
    assert "upstream_reset" == event["code"]
