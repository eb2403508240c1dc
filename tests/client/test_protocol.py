"""What the loop calls goes to the connection, and nothing is kept in between."""

from proxy.client.connection import ClientConnection
from proxy.client.protocol import ClientProtocol
from proxy.client.states import CLOSED
from proxy.http.trust import Peers
from tests.client.fakes import GET, Exchanges, Owner, Transport, turns
from tests.client.reference import Limits


def protocol_of(owner: Owner, exchanges: Exchanges) -> ClientProtocol:
    client = ClientConnection(owner, Limits(), Peers(), exchanges.serve, exchanges.refuse)
    return ClientProtocol(client)


def receive(protocol: ClientProtocol, data: bytes) -> None:
    """As the loop does."""
    protocol.get_buffer(-1)[: len(data)] = data
    protocol.buffer_updated(len(data))


async def test_a_connection_is_served_from_its_beginning_to_its_end() -> None:
    exchanges, transport = Exchanges(), Transport()
    protocol = protocol_of(Owner(), exchanges)
    protocol.connection_made(transport)
    receive(protocol, GET)
    await turns()
    protocol.connection_lost(None)
    await turns()

    assert (["/a"], b"answer") == (exchanges.targets, transport.written)
    assert (CLOSED, None) == (protocol.client.state, protocol.client.task)


async def test_a_connection_without_room_is_not_served() -> None:
    transport = Transport()
    protocol = protocol_of(Owner(room=0), Exchanges())
    protocol.connection_made(transport)

    assert (["close"], None) == (transport.done, protocol.client.task)


async def test_connections_share_the_room_that_is_read_into_but_no_byte() -> None:
    exchanges = Exchanges()
    one, other = protocol_of(Owner(), exchanges), protocol_of(Owner(), exchanges)
    for protocol in (one, other):
        protocol.connection_made(Transport())
    receive(one, GET[:8])
    receive(other, b"P" * 8)
    receive(one, GET[8:])
    await turns()

    assert ["/a"] == exchanges.targets
    for protocol in (one, other):
        protocol.connection_lost(None)
    await turns()


async def test_backpressure_is_passed_on_and_an_end_of_input_is_the_end() -> None:
    protocol = protocol_of(Owner(), Exchanges())
    protocol.connection_made(Transport())
    protocol.pause_writing()
    assert protocol.client.output.is_full
    protocol.resume_writing()
    assert not protocol.client.output.is_full
    protocol.eof_received()
    protocol.connection_lost(None)
    await turns()
