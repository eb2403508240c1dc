"""The connections of a port: counted, and bounded all together."""

import asyncio
from ipaddress import ip_network

import pytest

from proxy.client.registry import ClientRegistry
from proxy.client.states import CLOSED, CLOSING, EXCHANGE, WAITING
from proxy.http.trust import Peers
from proxy.settings.sections import Listen
from proxy.tls.client_certificate import ClientCertificate
from tests.client.fakes import GET, Transport, turns


class Port:
    """A registry whose requests are never answered, for descriptors below `most_fd`."""

    def __init__(self, most_fd: int = 100, **limits: object) -> None:
        self.refused = 0
        self.clients = ClientRegistry(
            self.serve, self.refuse, Listen(**limits), Peers(),
            lambda fd: fd < most_fd, self.connection_refused,
        )  # fmt: skip

    async def serve(self, request):
        await asyncio.sleep(3600)

    async def refuse(self, request, error):
        return False

    def connection_refused(self) -> None:
        self.refused += 1

    def connect(self):
        """A connection as the loop makes it."""
        protocol, transport = self.clients.plain(), Transport()
        protocol.connection_made(transport)
        return protocol.client, transport

    async def end(self) -> None:
        for client in self.clients.connections:
            client.lost()
        await turns()
        assert [] == self.clients.connections


async def test_connections_are_counted_until_they_are_lost() -> None:
    port = Port()
    clients = [port.connect()[0] for _ in range(3)]
    assert clients == port.clients.connections
    clients[1].lost()
    assert [clients[0], clients[2]] == port.clients.connections
    await port.end()


async def test_at_the_limit_the_oldest_idle_connection_makes_room() -> None:
    port = Port(max_connections=2)
    (busy, _), (idle, _) = port.connect(), port.connect()
    await turns()
    busy.received(GET)
    await turns()
    new, _ = port.connect()

    assert [EXCHANGE, CLOSING, WAITING] == [one.state for one in (busy, idle, new)]
    assert 0 == port.refused
    await port.end()


async def test_who_was_served_is_the_youngest_of_the_idle() -> None:
    port = Port(max_connections=2)
    (first, _), (second, _) = port.connect(), port.connect()
    first.begin_exchange()
    first.wait_again()
    port.connect()

    assert [WAITING, CLOSING] == [first.state, second.state]
    await port.end()


async def test_where_none_is_idle_the_new_one_is_refused() -> None:
    port = Port(max_connections=1)
    busy, _ = port.connect()
    await turns()
    busy.received(b"GET /half")
    new, transport = port.connect()

    assert (CLOSING, ["close"]) == (new.state, transport.done)
    assert 1 == port.refused
    await port.end()


async def test_where_descriptors_run_out_the_new_one_is_refused() -> None:
    port = Port(most_fd=0)
    new, transport = port.connect()

    assert (CLOSING, ["close"]) == (new.state, transport.done)
    await port.end()


@pytest.mark.parametrize(("fd", "shaking", "has_room", "refused"), [
    pytest.param(99, 0, True, 0, id="room for one"),
    pytest.param(99, 1, False, 1, id="the place is taken by a handshake, and nobody is idle"),
    pytest.param(100, 0, False, 0, id="no descriptor left"),
])  # fmt: skip
async def test_a_handshake_begins_where_there_is_room(fd, shaking, has_room, refused) -> None:
    port = Port(max_connections=2)
    busy, _ = port.connect()
    await turns()
    busy.received(GET)
    await turns()

    assert has_room == port.clients.has_room(fd, shaking)
    assert refused == port.refused
    await port.end()


async def test_for_a_handshake_the_oldest_idle_connection_makes_room() -> None:
    port = Port(max_connections=1)
    idle, _ = port.connect()

    assert port.clients.has_room(99, 0)
    assert CLOSING == idle.state
    await port.end()


async def test_who_speaks_tls_is_known_by_the_certificate() -> None:
    port = Port()
    nobody = port.clients.protocol(None).client.source.peer
    known = port.clients.protocol(ClientCertificate("a.example", b"line")).client.source.peer

    assert (b"https", "", b"") == (nobody.scheme, nobody.client_cert, nobody.cert_line)
    assert (b"https", "a.example", b"line") == (known.scheme, known.client_cert, known.cert_line)


async def test_the_bytes_of_all_connections_are_bounded_together() -> None:
    port = Port(unread_bytes=64 * 1024)
    assert port.clients.may_hold(64 * 1024)
    assert not port.clients.may_hold(1)
    port.clients.may_hold(-2)
    assert port.clients.may_hold(1)


async def test_other_settings_hold_for_new_connections_and_the_peers_of_all() -> None:
    port = Port()
    client, _ = port.connect()
    port.clients.take(Listen(max_connections=1), Peers(proxies=(ip_network("192.0.2.0/24"),)))

    assert client.source.peer.trusted
    port.connect()
    assert CLOSING == client.state
    await port.end()


async def test_whoever_waits_for_the_last_is_told() -> None:
    port = Port()
    client, _ = port.connect()
    waiting = asyncio.create_task(port.clients.emptied())
    await turns()
    assert not waiting.done()
    client.lost()
    await waiting

    assert CLOSED == client.state
