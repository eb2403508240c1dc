"""The client leaves: nobody's failure, and the upstream is let go at once."""

import asyncio
import socket

import pytest

from proxy.timing.progress import unacknowledged
from tests.house.fault_upstream import Turn, download, never, sse, status
from tests.house.raw_client import at_once, eventually, request


async def leave(client, how: str) -> None:
    if how == "reset":
        await client.reset()
    else:
        await client.leave()


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_left_before_the_head(upstream, house, how):
    house = await house()
    upstream.on("/", never)
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await eventually(lambda: upstream.seen)
        await leave(client, how)
    await at_once(lambda: upstream.connections[0].gone.is_set())
    event = await house.event()

    assert (499, "client_closed_request", "CH") == (event["status"], event["code"], event["term"])
    assert ("INFO", ("client_gone",)) == (event["level"], event["attempt_results"])
    assert "closed" == await house.breaker()


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_left_in_mid_stream(upstream, house, how):
    house = await house()
    upstream.on("/", sse("data: one\n\n", 30.0))
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await client.until(b"data: one\n\n")
        await leave(client, how)
    await at_once(lambda: upstream.connections[0].gone.is_set())
    event = await house.event()

    assert (200, "client_closed_stream", "CS") == (event["status"], event["code"], event["term"])
    assert "INFO" == event["level"]


async def test_left_in_mid_download(upstream, house):
    house = await house()
    upstream.on("/", download(50 << 20))
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await client.until(b"\r\n\r\n")
        await client.leave()
    await at_once(lambda: upstream.connections[0].gone.is_set())

    assert "client_closed_stream" == (await house.event())["code"]


@pytest.mark.parametrize(
    "framing", ["Content-Length: 100", "Content-Length: 1000000", "Transfer-Encoding: chunked"]
)
async def test_left_while_uploading(upstream, house, framing):
    house = await house()
    async with house.client() as client:
        await client.send(f"POST / HTTP/1.1\r\nHost: h\r\n{framing}\r\n\r\n", "5\r\nfirst\r\n")
        await eventually(lambda: upstream.seen)
        await leave(client, "close")
    await at_once(lambda: upstream.connections[0].gone.is_set())
    event = await house.event()

    assert (499, "client_closed_request") == (event["status"], event["code"])
    assert not upstream.seen[0].whole


async def test_left_between_attempts(upstream, house):
    house = await house(retry={"first_pause": "5s", "max_pause": "5s"})
    upstream.on("/", status(503))
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await eventually(lambda: upstream.seen)
        await asyncio.sleep(0.05)
    event = await house.event()

    assert ("client_closed_request", 1) == (event["code"], len(upstream.seen))


async def test_left_while_waiting_for_a_slot(upstream, house):
    house = await house(upstream={"pool": {"size": 1}}, timeouts={"pool_wait": "5s"})
    upstream.on("/", never, status(200))
    async with house.client() as first, house.client() as second:
        await first.send(request("GET", "/"))
        await eventually(lambda: upstream.seen)
        await second.send(request("GET", "/"))
        await asyncio.sleep(0.05)
        await second.leave()
        await house.event(code="client_closed_request")
        await first.leave()
    answer = await house.fetch()

    assert (200, 2) == (answer.status, len(upstream.seen))


async def test_nobody_who_leaves_is_an_error(upstream, house):
    house = await house()
    upstream.on("/", never)
    for _ in range(12):
        async with house.client() as client:
            await client.send(request("GET", "/"))
            await eventually(lambda: upstream.seen)
            upstream.seen.clear()
    await eventually(lambda: len(house.all()) == 12)

    assert {"INFO"} == {event["level"] for event in house.all()}
    assert "closed" == await house.breaker()
    assert [] == house.all("library")


async def test_a_client_that_does_not_read_is_cut(upstream, house):
    house = await house(timeouts={"client_write": "200ms"})
    upstream.on("/", download(100 << 20))
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await client.until(b"\r\n\r\n")
        await eventually(lambda: house.all())
        event = await house.event()

        assert ("client_too_slow", "cS", "INFO") == (event["code"], event["term"], event["level"])
        assert upstream.connections[0].gone.is_set()
        assert "closed" == await house.breaker()


async def test_idle_clients_leave_no_event(upstream, house):
    house = await house()
    async with house.client():
        await asyncio.sleep(0.02)
    async with house.client() as client:
        await client.get()
    await house.event()

    assert 1 == len(house.all())


async def deaf(turn: Turn) -> None:
    """Read the head, and nothing of the body."""
    turn.connection.transport.pause_reading()
    await asyncio.sleep(60)


async def test_a_reset_while_nobody_reads_from_the_client_is_noticed(upstream, house):
    """It is looked for once a second; the clocks of the upload are much longer."""
    house = await house(max_body="1GiB")
    upstream.on("/", deaf)
    async with house.client() as client:
        sending = asyncio.create_task(client.send(request("POST", "/", body=b"x" * (32 << 20))))
        await eventually(lambda: any(one.reading.is_paused for one in connections_of(house)))
        sending.cancel()
        await client.reset()
        await eventually(lambda: not connections_of(house))
    event = await house.event()

    assert "client_closed_request" == event["code"]


AHEAD = request("GET", "/never") + 40 * request("GET", "/", "X: " + "a" * 4000)
"""More than is read ahead, and less than the kernel takes."""


async def send_ahead(client, house) -> None:
    await client.send(AHEAD)
    await eventually(lambda: any(one.reading.is_paused for one in connections_of(house)))


async def send_up(client, house) -> None:
    """Until nobody reads on, and no further: an end is to come behind it."""
    await client.send(request("POST", "/deaf", "Content-Length: 1000000000"))
    while not any(one.reading.is_paused for one in connections_of(house)):
        await client.send(b"x" * 32768)
        await asyncio.sleep(0.005)


def half_close(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_WR)


def close(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("end", [half_close, close])
@pytest.mark.parametrize("sends", [send_ahead, send_up])
async def test_an_end_while_nobody_reads_from_the_client_is_noticed(upstream, house, sends, end):
    """It lies in the kernel behind bytes that are not read, and no loop says so."""
    house = await house(max_body="1GiB")
    upstream.on("/deaf", deaf)
    upstream.on("/never", never)
    async with house.client() as client:
        await sends(client, house)
        sock = client._writer.get_extra_info("socket")
        transport = client._writer.transport
        await eventually(lambda: not unacknowledged(transport))
        with socket.socket(fileno=socket.dup(sock.fileno())) as same:
            end(same)
        await eventually(lambda: not connections_of(house))
    event = await house.event()

    assert "client_closed_request" == event["code"]


def connections_of(house) -> list:
    return house.app.listener.server.connections
