"""The task of a connection: one request after the other, and an end that the client can read."""

import asyncio

import pytest

from proxy.client import serving
from proxy.client.body import HIGH_WATER
from proxy.client.states import CLOSED, CLOSING, DRAINING, EXCHANGE, HEAD, WAITING
from tests.client.fakes import GET, Exchanges, Owner, Transport, connect, turns
from tests.client.reference import Limits

POST = b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n"


def start(exchanges: Exchanges, **others):
    """A connection with its task."""
    client, transport = connect(exchanges=exchanges, **others)
    client.task = asyncio.ensure_future(serving.serve(client))
    return client, transport


async def ended(client) -> None:
    """The loop says that the connection is gone."""
    if client.state != CLOSED:
        client.lost()
    await turns()
    assert None is client.task


async def test_requests_are_served_one_after_the_other() -> None:
    exchanges = Exchanges()
    client, transport = start(exchanges)
    for _ in range(3):
        client.received(GET)
        await turns()
        assert WAITING == client.state

    assert (["/a"] * 3, b"answer" * 3) == (exchanges.targets, transport.written)
    await ended(client)


async def test_what_is_sent_ahead_waits_for_its_turn() -> None:
    exchanges = Exchanges()
    exchanges.release = asyncio.Event()
    client, _ = start(exchanges)
    client.received(GET + b"\r\n" + POST + b"body" + GET)
    await turns()
    assert ["/a"] == exchanges.targets
    exchanges.release.set()
    await turns(20)

    assert ["/a", "/p", "/a"] == exchanges.targets
    await ended(client)


async def test_who_has_sent_one_request_is_served_in_the_first_turn() -> None:
    """As over TLS, where it often comes with the end of the handshake."""
    exchanges = Exchanges()
    client, _ = start(exchanges)
    client.received(GET)
    await turns(1)

    assert ["/a"] == exchanges.targets
    await ended(client)


async def test_who_sends_ahead_gives_others_their_turn() -> None:
    """A segment holds thousands of requests, and each may be answered without a wait."""
    exchanges = Exchanges()
    client, _ = start(exchanges)
    client.received(GET * 100)
    await turns(10)
    assert 0 < len(exchanges.seen) <= 10
    await turns(110)

    assert 100 == len(exchanges.seen)
    await ended(client)


async def test_the_last_answer_closes() -> None:
    exchanges = Exchanges(goes_on=False)
    client, transport = start(exchanges)
    client.received(GET)
    await turns()

    assert (CLOSING, ["close"]) == (client.state, transport.done)
    await ended(client)


async def test_a_refusal_is_answered_and_closed_in_stages() -> None:
    exchanges = Exchanges()
    client, transport = start(exchanges)
    client.received(b"nonsense\r\n\r\n")
    await turns()
    assert (DRAINING, ["eof"], b"refusal") == (client.state, transport.done, transport.written)
    client.received(GET)
    await turns()
    assert DRAINING == client.state
    await ended(client)

    assert [("", "", 400)] == exchanges.seen


async def test_where_no_side_can_be_closed_alone_what_comes_is_read_all_the_same() -> None:
    client, transport = start(Exchanges(), transport=Transport(can_end=False))
    client.received(b"nonsense\r\n\r\n")
    await turns()

    assert (DRAINING, []) == (client.state, transport.done)
    await ended(client)


async def test_what_is_dropped_at_the_end_is_bounded() -> None:
    client, transport = start(Exchanges())
    client.received(b"nonsense\r\n\r\n")
    await turns()
    client.intake.dropped = serving.LINGER_BYTES
    client.received(b"x")
    await turns()

    assert (CLOSING, ["eof", "close"]) == (client.state, transport.done)
    await ended(client)


async def test_the_rest_of_an_unread_body_is_dropped_and_the_next_request_served() -> None:
    exchanges = Exchanges()
    client, transport = start(exchanges)
    client.received(POST + b"bo")
    await turns()
    assert DRAINING == client.state
    client.received(b"d")
    await turns()
    assert (DRAINING, False) == (client.state, transport.is_paused)
    client.received(b"y" + GET)
    await turns()

    assert (["/p", "/a"], WAITING) == (exchanges.targets, client.state)
    await ended(client)


async def test_a_body_that_nobody_reads_has_no_room_to_fill() -> None:
    client, transport = start(Exchanges())
    client.received(POST.replace(b"4", b"300000"))
    await turns()
    for _ in range(5):
        client.received(b"x" * 60_000)
        await turns()
        assert not transport.is_paused

    assert WAITING == client.state
    await ended(client)


async def test_what_came_with_a_request_is_looked_at_when_it_begins() -> None:
    """It would fill the room, and nothing but the end of the exchange would empty it."""
    exchanges = Exchanges()
    exchanges.release = asyncio.Event()
    client, transport = start(exchanges)
    client.received(GET + b"\0" * HIGH_WATER)
    assert transport.is_paused
    await turns()

    assert (EXCHANGE, 0, False) == (client.state, client.reader.held, transport.is_paused)
    await ended(client)


async def test_after_the_last_answer_the_body_is_not_waited_for_twice() -> None:
    client, transport = start(Exchanges(goes_on=False))
    client.received(POST + b"bo")
    await turns()
    assert (DRAINING, ["eof"]) == (client.state, transport.done)
    await ended(client)


async def test_a_broken_body_is_the_last_thing_read() -> None:
    client, transport = start(Exchanges())
    client.received(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + GET)
    await turns()

    assert (DRAINING, True, b"answer") == (
        client.state, client.reader.is_over, transport.written)  # fmt: skip
    await ended(client)


@pytest.mark.parametrize(("segments", "seen"), [
    pytest.param([], [], id="nothing: nobody is told"),
    pytest.param([b"\r\n"], [], id="a line end is nothing"),
    pytest.param([b"GET /late HTT"], [("GET", "/late", 408)], id="a part of a head"),
])  # fmt: skip
async def test_the_clock_of_a_head(segments, seen) -> None:
    exchanges = Exchanges()
    client, transport = start(exchanges, limits=Limits(request_head=0.02))
    for segment in segments:
        client.received(segment)
    await transport.is_ended.wait()

    assert (seen, "eof" if seen else "close") == (exchanges.seen, transport.done[0])
    await ended(client)


async def test_a_part_of_a_head_behind_a_request_has_its_clock() -> None:
    exchanges = Exchanges()
    client, _ = start(exchanges, limits=Limits(request_head=5.0))
    client.received(GET + b"GET /late HTT")
    await turns()

    assert HEAD == client.state
    assert 0 < client.patience.left() <= 5.0
    await ended(client)


async def test_a_part_of_a_head_behind_a_request_counts() -> None:
    exchanges = Exchanges()
    client, _ = start(exchanges, owner=Owner(bytes_left=5))
    client.received(GET + b"GET /late HTT")
    await turns(10)

    assert ("GET", "/late", 503) == exchanges.seen[-1]
    await ended(client)


async def test_a_client_that_leaves_ends_its_exchange() -> None:
    exchanges = Exchanges()
    exchanges.release = asyncio.Event()
    client, _ = start(exchanges)
    client.received(GET)
    await turns()
    assert EXCHANGE == client.state
    await ended(client)


async def test_a_fault_of_ours_breaks_the_connection() -> None:
    class Faulty(Exchanges):
        async def serve(self, request):
            raise ZeroDivisionError

    client, transport = connect(exchanges=Faulty())
    task = client.task = asyncio.ensure_future(serving.serve(client))
    client.received(GET)
    with pytest.raises(ZeroDivisionError):
        await task

    assert (CLOSING, ["abort"], None) == (client.state, transport.done, client.task)
    await ended(client)


@pytest.mark.parametrize("data", [b"", b"GET /", GET])
async def test_closing_ends_the_task_whatever_it_does(data: bytes) -> None:
    exchanges = Exchanges()
    exchanges.release = asyncio.Event()
    client, transport = start(exchanges)
    client.received(data)
    await turns()
    task = client.task
    client.close()
    await asyncio.wait([task])

    assert (CLOSING, ["close"]) == (client.state, transport.done)
    await ended(client)
