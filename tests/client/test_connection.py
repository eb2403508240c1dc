"""A client's connection: what arrives, what is counted, and what holds it."""

import asyncio
import gc
import ssl

import pytest

from proxy import outcome as o
from proxy.client.body import HIGH_WATER
from proxy.client.connection import ClientConnection
from proxy.client.request import RequestError
from proxy.client.states import CLOSED, CLOSING, DRAINING, EXCHANGE, HEAD, TUNNEL, WAITING
from proxy.client.switched import SwitchedClient
from proxy.http.peer import Peer
from tests.client.fakes import GET, Owner, Transport, connect, turns
from tests.client.reference import Limits
from tests.tls.test_transport import Dialogue, Served

PART = b"GET /late HTT"
POST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n"


def take(client) -> None:
    """As its task does."""
    client.begin_exchange()
    client.reader.take()
    client.look_behind()


async def test_a_connection_is_given_to_its_owner_and_back_once() -> None:
    owner = Owner()
    client, _ = connect(owner)
    client.received(PART)
    client.lost()

    assert ["idle", "busy", "lost"] == owner.told
    assert (CLOSED, 1 << 20) == (client.state, owner.bytes_left)


async def test_a_part_of_a_head_starts_its_clock() -> None:
    client, _ = connect(limits=Limits(request_head=5.0))
    client.received(b"\r\n")
    assert WAITING == client.state
    client.patience._since -= 70
    assert 0 == client.patience.left()
    client.received(PART)

    assert HEAD == client.state
    assert 0 < client.patience.left() <= 5.0


async def test_parts_of_heads_are_counted_until_they_are_whole() -> None:
    owner = Owner(bytes_left=1000)
    client, _ = connect(owner)
    client.received(PART)
    assert 1000 - len(PART) == owner.bytes_left
    client.received(b"P/1.1\r\nHost: h\r\n\r\n")
    take(client)

    assert 1000 == owner.bytes_left


async def test_a_part_of_a_head_is_refused_when_all_connections_hold_too_much() -> None:
    owner = Owner(bytes_left=len(PART) - 1)
    client, _ = connect(owner)
    client.received(PART)

    assert o.OVERLOAD_SHED is client.reader.take().outcome
    client.intake.account()
    assert len(PART) - 1 == owner.bytes_left


async def test_what_is_sent_ahead_is_counted_wherever_it_came() -> None:
    owner = Owner(bytes_left=1000)
    client, _ = connect(owner)
    client.received(GET + PART)
    take(client)
    assert 1000 - len(PART) == owner.bytes_left
    client.received(PART)
    assert 1000 - 2 * len(PART) == owner.bytes_left
    client.lost()
    assert 1000 == owner.bytes_left


async def test_who_sends_ahead_is_not_read_when_all_connections_hold_too_much() -> None:
    owner = Owner(bytes_left=19)
    client, transport = connect(owner)
    client.received(GET)
    take(client)
    client.received(PART)
    assert not transport.is_paused
    client.received(b"P/1.1\r\n")
    assert transport.is_paused


async def test_who_sends_ahead_has_bounded_room() -> None:
    client, transport = connect()
    client.received(GET)
    take(client)
    client.received(GET + b"x" * HIGH_WATER)
    assert transport.is_paused


async def test_a_flood_before_the_request_is_taken_pauses_reading() -> None:
    """One callback of a loop may bring much more than one read."""
    client, transport = connect()
    client.received(POST % 3_000_000 + b"x" * HIGH_WATER)
    assert transport.is_paused
    take(client)
    assert not client.reader.is_full

    assert not transport.is_paused


async def test_a_fault_behind_a_request_is_found_at_once_and_not_kept() -> None:
    client, transport = connect()
    client.received(GET + b"\0" * HIGH_WATER)
    take(client)

    assert (0, False) == (client.reader.held, transport.is_paused)


async def test_nothing_is_judged_behind_a_request_that_may_switch() -> None:
    client, _ = connect()
    client.received(GET[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x00")
    take(client)

    assert 2 == client.reader.held


async def test_body_bytes_wake_who_waits_for_them() -> None:
    client, _ = connect()
    client.received(POST % 2)
    take(client)
    waiting = client.waiter.wait(9)
    client.received(b"h")
    await waiting

    assert (EXCHANGE, 1) == (client.state, client.reader.body.buffered)


async def test_what_is_dropped_is_read_in_turns() -> None:
    """A segment of tiny chunks costs milliseconds; loops read many in one callback."""
    client, transport = connect()
    client.received(POST % 99_999)
    take(client)
    client.reader.body.drop()
    client.enter(DRAINING)
    client.received(b"x" * 999)

    assert (999, 0, True) == (
        client.intake.dropped,
        client.reader.body.buffered,
        transport.is_paused,
    )


@pytest.mark.parametrize("state", [TUNNEL, CLOSING])
async def test_nothing_is_read_once_http_is_over(state: int) -> None:
    client, _ = connect()
    client.received(GET)
    take(client)
    client.enter(state)
    client.received(GET)

    assert 0 == client.reader.held


async def test_a_lost_client_fails_its_body_and_interrupts_its_exchange() -> None:
    client, _ = connect()
    client.received(POST % 2)
    take(client)
    task = client.task = asyncio.create_task(asyncio.sleep(3600))
    body = client.reader.body
    client.lost()
    await turns()

    assert (o.CLIENT_CLOSED_REQUEST, True) == (body.failure, task.cancelled())
    assert client.gone_at is not None


async def test_an_exchange_that_outlives_its_client_is_not_interrupted() -> None:
    client, _ = connect()
    client.received(GET)
    take(client)
    task = client.task = asyncio.create_task(asyncio.sleep(0))
    client.outlives_client = True
    client.lost()
    await task

    client.output.write(b"nobody reads this")
    assert not task.cancelled()


async def test_closing_waits_for_what_is_queued_but_not_for_ever() -> None:
    client, transport = connect(transport=Transport())
    transport.unread = 5
    client.close()
    unread = client._unread._progress

    assert (CLOSING, ["close"]) == (client.state, transport.done)
    assert unread is not None
    timer = unread._clock._timer
    assert timer is not None
    client._unread._look()
    assert ["close", "abort"] == transport.done
    client.lost()
    assert timer.cancelled()


async def test_who_takes_what_is_queued_is_not_broken_off() -> None:
    client, transport = connect()
    transport.unread = 5
    client.bound_unread(30.0)
    transport.unread = 4
    client._unread._look()
    transport.unread = 0
    client._unread._look()

    assert ([], None) == (transport.done, client._unread._progress)


async def test_an_exchange_under_way_has_clocks_of_its_own() -> None:
    client, transport = connect()
    client.received(GET)
    take(client)
    transport.unread = 5
    client.bound_unread(30.0)
    client._unread._look()
    assert [] == transport.done
    client.lost()


@pytest.mark.parametrize("queued", [0, 5])
async def test_nothing_holds_a_lost_connection(queued: int) -> None:
    """No cycle, and no timer that would hold it for as long as it runs."""
    gc.collect()
    gc.disable()
    try:
        client, transport = connect()
        client.received(GET)
        take(client)
        transport.unread = queued
        client.bound_unread(30.0)
        client.close()
        client.lost()
        del client
        await turns(2)

        assert [] == [one for one in gc.get_objects() if isinstance(one, ClientConnection)]
    finally:
        gc.enable()


async def test_a_tunnel_gets_the_transport_and_the_bytes_behind_the_request() -> None:
    class Tunnel(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport

    client, transport = connect()
    client.received(GET[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly")
    take(client)
    tunnel = Tunnel()

    assert b"early" == SwitchedClient(client).hand_over(tunnel)
    assert (TUNNEL, tunnel, transport) == (client.state, transport.protocol, tunnel.transport)
    SwitchedClient(client).on_lost(None)
    SwitchedClient(client).on_lost(None)
    assert CLOSED == client.state


async def test_nothing_is_handed_over_of_a_client_that_left() -> None:
    client, _ = connect()
    client.received(GET)
    take(client)
    client.lost()

    with pytest.raises(RequestError):
        SwitchedClient(client).hand_over(asyncio.Protocol())


async def test_breaking_off_is_the_end_whatever_the_state() -> None:
    client, transport = connect()
    client.abort()
    client.abort()
    client.lost()
    client.abort()

    assert (CLOSED, ["abort", "abort"]) == (client.state, transport.done)


@pytest.mark.parametrize(("can_end", "done"), [(True, ["eof"]), (False, [])])
async def test_the_writing_side_is_closed_where_it_can_be(can_end: bool, done: list) -> None:
    client, transport = connect(transport=Transport(can_end=can_end))

    assert can_end == client.finish()
    assert done == transport.done
    client.lost()
    assert not client.finish()


@pytest.mark.parametrize(
    ("came", "last", "goes_with_it"),
    [
        pytest.param(GET, True, True, id="the end of all"),
        pytest.param(GET, False, False, id="another may follow"),
        pytest.param(POST % 9, True, False, id="its body is still to come"),
        pytest.param(GET + PART, True, False, id="the client has sent more"),
    ],
)
async def test_over_tls_a_goodbye_goes_with_the_last_answer(
    authority, came, last, goes_with_it
) -> None:
    """But not to a client that is still sending: it is read on for a while."""
    dialogue = Dialogue(authority, Served)
    client, _ = connect(transport=dialogue.port)
    client.source.peer = Peer("", scheme=b"https")
    client.received(came)
    take(client)
    (client.write_last if last else client.output.write)(b"answer")

    dialogue.to_peer.write(dialogue.tcp.sent)
    assert b"answer" == dialogue.peer.read()
    if goes_with_it:
        assert b"" == dialogue.peer.read()
    else:
        with pytest.raises(ssl.SSLWantReadError):
            dialogue.peer.read()
