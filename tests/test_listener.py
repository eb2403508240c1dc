"""The traffic port: its sockets, and what all connections together may hold."""

import asyncio
import socket
from collections import Counter

import pytest

from proxy.client.states import CLOSED, CLOSING, EXCHANGE
from proxy.http.trust import Peers
from proxy.listener import UNSENT, Listener, TrafficServer
from proxy.settings.sections import Listen
from proxy.tls.rules import TrafficTls
from proxy.tls.service import TlsService
from proxy.tls.sockets import bound_sockets
from tests.client.fakes import GET, Transport, turns
from tests.house.raw_client import eventually


class Observer:
    def __init__(self):
        self.refused = 0

    def connection_refused(self):
        self.refused += 1


class Forward:
    """Never answers."""

    def __init__(self) -> None:
        self.observer = Observer()

    async def __call__(self, request):
        await asyncio.sleep(3600)

    async def refuse(self, request, error):
        return False


def server_of(**limits: object) -> TrafficServer:
    return TrafficServer(Forward(), Listen(**limits), Peers(), has_room, Counter())


def has_room(fd: int) -> bool:
    return True


def connect(server: TrafficServer):
    """A connection as the loop makes it."""
    protocol, transport = server(), Transport()
    protocol.connection_made(transport)
    return protocol.client, transport


async def end(server: TrafficServer) -> None:
    for client in server.connections:
        client.lost()
    await turns()
    assert [] == server.connections


async def test_where_none_is_idle_the_new_one_is_refused() -> None:
    server = server_of(max_connections=1)
    busy, _ = connect(server)
    await turns()
    busy.received(b"GET /half")
    new, transport = connect(server)

    assert (CLOSING, ["close"]) == (new.state, transport.done)
    assert 1 == vars(server._observer)["refused"]
    assert {("traffic", "connection_limit"): 1} == server._shed
    await end(server)


async def test_the_idle_are_closed_and_exchanges_go_on() -> None:
    server = server_of()
    (busy, _), (idle, _), (begun, _) = (connect(server) for _ in range(3))
    await turns()
    busy.received(GET)
    begun.received(b"GET /half")
    await turns()
    server.close_idle()

    assert [EXCHANGE, CLOSING, CLOSING] == [one.state for one in (busy, idle, begun)]
    await end(server)


async def test_closing_waits_until_all_are_lost() -> None:
    server = server_of()
    client, transport = connect(server)
    closing = asyncio.create_task(server.close())
    await turns()
    assert (["close"], False) == (transport.done, closing.done())
    client.lost()
    await closing

    assert CLOSED == client.state


async def test_closing_breaks_off_who_does_not_go(monkeypatch) -> None:
    monkeypatch.setattr("proxy.listener._LAST_WORDS", 0.01)
    server = server_of()
    _, transport = connect(server)
    await server.close()

    assert ["close", "abort"] == transport.done
    await end(server)


async def can_connect(family: int, address: tuple, sock: socket.socket) -> bool:
    sock.listen()
    with socket.socket(family) as client:
        client.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(client, address)
        except OSError:
            return False
        return True


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize(("host", "families", "takes_ipv4"), [
    pytest.param("0.0.0.0", [socket.AF_INET], True, id="all of IPv4"),
    pytest.param("127.0.0.1", [socket.AF_INET], True, id="one of IPv4"),
    pytest.param("::", [socket.AF_INET6], True, id="everything"),
    pytest.param("::1", [socket.AF_INET6], False, id="one of IPv6"),
])  # fmt: skip
async def test_which_addresses_are_bound(host, families, takes_ipv4) -> None:
    if ":" in host and not has_ipv6():
        return  # nothing to bind to on this machine
    (sock,) = await bound_sockets(host, 0)
    with sock:
        assert families == [sock.family]
        assert not sock.getblocking()
        port = sock.getsockname()[1]
        assert takes_ipv4 == await can_connect(socket.AF_INET, ("127.0.0.1", port), sock)


async def test_a_taken_address_leaves_nothing_bound_and_is_named() -> None:
    (first,) = await bound_sockets("127.0.0.1", 0)
    with first:
        first.listen()
        port = first.getsockname()[1]
        with pytest.raises(OSError, match=f"127.0.0.1:{port}: .* in use"):
            await bound_sockets("127.0.0.1", port)


async def test_a_listener_says_which_port_it_got_and_gives_it_back() -> None:
    listener = Listener(Forward(), Listen(host="127.0.0.1", port=0), Peers(), has_room, Counter())
    await listener.start()
    with socket.create_connection(("127.0.0.1", listener.port)):
        pass
    await listener.stop()

    assert listener.port > 0
    for sock in await bound_sockets("127.0.0.1", listener.port):
        sock.close()


async def test_the_kernel_takes_little_that_it_cannot_send() -> None:
    listener = Listener(Forward(), Listen(host="127.0.0.1", port=0), Peers(), has_room, Counter())
    await listener.start()
    with socket.create_connection(("127.0.0.1", listener.port)):
        await eventually(lambda: listener.server.connections)
        sock = listener.server.connections[0].transport.get_extra_info("socket")
        taken = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)
    await listener.stop()

    assert UNSENT == taken


async def test_another_limit_holds_for_handshakes_too(authority) -> None:
    """Half of the connections may be in theirs; of one more the oldest gives way."""
    pair = authority.server()
    tls = TrafficTls(certificate=str(pair.certificate), key=str(pair.key))
    service = TlsService(tls, None, list, lambda *_: None)
    rule = Listen(host="127.0.0.1", port=0)
    listener = Listener(Forward(), rule, Peers(), has_room, Counter(), service.listen)
    await listener.start()
    listener.take(rule.model_copy(update={"max_connections": 2}), Peers())
    oldest, newest = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(2)]

    assert b"" == await asyncio.wait_for(oldest[0].read(), 5)
    assert 1 == service.handshakes["traffic", "shed"]
    for _, writer in (oldest, newest):
        writer.close()
    await listener.stop()
