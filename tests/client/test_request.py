"""Reading the body of a request: bytes, the end, or the reason why there is none."""

import asyncio

import pytest

from proxy import outcome as o
from proxy.client.request import Request, RequestError, read_body
from proxy.client.states import EXCHANGE
from proxy.timing.upload_clocks import UploadClocks
from tests.client.fakes import connect, turns

HEAD = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n"


def begin(length: int):
    """A request whose head has come, its connection and the transport."""
    client, transport = connect()
    client.received(HEAD % length)
    client.begin_exchange()
    asked = client.reader.take()
    return Request(asked, client.reader.body, client), client, transport


async def test_what_is_there_is_given_at_once_and_then_the_end() -> None:
    request, client, _ = begin(4)
    client.received(b"ab")
    client.received(b"cd")

    assert [b"abcd", b""] == [
        await read_body(request, UploadClocks(9)),
        await read_body(request, UploadClocks(9)),
    ]


async def test_bytes_that_come_end_the_wait() -> None:
    request, client, _ = begin(4)
    reading = asyncio.create_task(read_body(request, UploadClocks(9)))
    await turns()
    assert not reading.done()
    client.received(b"ab")

    assert b"ab" == await reading


async def test_reading_goes_on_once_there_is_room() -> None:
    request, client, transport = begin(1_000_000)
    client.received(b"x" * 70_000)
    assert transport.is_paused
    await read_body(request, UploadClocks(9))

    assert not transport.is_paused


async def test_a_silent_client_is_late() -> None:
    request, _, _ = begin(4)
    with pytest.raises(RequestError) as error:
        await read_body(request, UploadClocks(0.01))

    assert (o.REQUEST_TIMEOUT, o.REQUEST_TIMEOUT) == (error.value.outcome, request.body.failure)


async def test_a_client_that_leaves_ends_the_wait() -> None:
    request, client, _ = begin(4)
    reading = asyncio.create_task(read_body(request, UploadClocks(9)))
    await turns()
    client.lost()

    with pytest.raises(RequestError) as error:
        await reading
    assert o.CLIENT_CLOSED_REQUEST is error.value.outcome


async def test_what_came_before_a_fault_is_given_first() -> None:
    client, _ = connect()
    client.received(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
    client.begin_exchange()
    request = Request(client.reader.take(), client.reader.body, client)
    client.received(b"2\r\nhi\r\nzz\r\n")

    assert (EXCHANGE, b"hi") == (client.state, await read_body(request, UploadClocks(9)))
    with pytest.raises(RequestError, match="broken body"):
        await read_body(request, UploadClocks(9))
