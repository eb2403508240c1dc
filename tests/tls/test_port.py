"""A port that speaks TLS, without anything that is served on it."""

import asyncio
import socket
import ssl
from collections import Counter

import pytest

from proxy.tls.handshake_log import HandshakeLog
from proxy.tls.parts import PortParts
from proxy.tls.port import TlsPort
from proxy.tls.rules import PortTls
from proxy.tls.sockets import bound_sockets
from proxy.tls.watched import port_tls


class Owner:
    """Keeps what it was handed."""

    def __init__(self):
        self.handed = asyncio.Queue()
        self.is_full = False
        self.shaking = []
        self.asked = asyncio.Queue()

    def has_room(self, _fd, shaking):
        self.shaking.append(shaking)
        self.asked.put_nowait(None)
        return not self.is_full

    def protocol(self, certificate):
        protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader())
        self.handed.put_nowait((protocol, certificate))
        return protocol


class Scene:
    """A port; `said` has the failures."""

    def __init__(self, rule):
        self.owner, self.counts, self.said = Owner(), Counter(), asyncio.Queue()
        log = HandshakeLog("traffic", lambda *event: self.said.put_nowait(event), self.counts)
        self.parts = PortParts(rule, port_tls("listen", rule), log)

    async def start(self, most=100, seconds=60.0):
        self.port = TlsPort(self.owner, self.parts, most, seconds)
        sockets = await bound_sockets("127.0.0.1", 0)
        self.at = sockets[0].getsockname()
        await self.port.start(sockets, 64)

    async def failure(self):
        _, _, fields = await asyncio.wait_for(self.said.get(), 10)
        return fields["cause"], fields["client_ip"]


@pytest.fixture
async def scene(authority):
    pair = authority.server()
    scene = Scene(PortTls(certificate=str(pair.certificate), key=str(pair.key)))
    yield scene
    scene.port.stop()


async def connect(scene):
    return await asyncio.open_connection(*scene.at)


async def test_a_silent_client_is_closed_by_the_clock(scene):
    await scene.start(seconds=0.05)
    reader, writer = await connect(scene)

    assert b"" == await reader.read()
    assert ("timeout", "127.0.0.1") == await scene.failure()
    writer.close()


async def test_a_client_that_stops_midway_is_closed_by_the_clock(scene):
    await scene.start(seconds=0.05)
    reader, writer = await connect(scene)
    writer.write(b"\x16\x03\x01\x02\x00\x01")

    assert ("timeout", "127.0.0.1") == await scene.failure()
    writer.close()
    assert reader


async def test_for_one_handshake_too_many_the_oldest_gives_way(scene):
    await scene.start(most=4)
    clients = [await connect(scene) for _ in range(3)]

    assert ("shed", "127.0.0.1") == await scene.failure()
    assert b"" == await clients[0][0].read()
    assert scene.said.empty()
    for _, writer in clients:
        writer.close()


async def test_of_many_at_once_each_that_gives_way_is_counted(scene):
    """Also those that were accepted in the very turn in which they give way."""
    await scene.start(most=2)
    clients = [await connect(scene) for _ in range(10)]
    for _ in range(9):
        assert ("shed", "127.0.0.1") == await scene.failure()

    assert {("traffic", "shed"): 9} == scene.counts
    for reader, writer in clients[:9]:
        assert b"" == await reader.read()
        writer.close()
    clients[9][1].close()


async def test_who_is_refused_in_plain_text_counts_until_he_has_left(scene):
    await scene.start()
    reader, writer = await connect(scene)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")

    assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
    assert ("plain_http", "127.0.0.1") == await scene.failure()
    assert [0] == scene.owner.shaking
    other = await connect(scene)
    await scene.owner.asked.get()
    await scene.owner.asked.get()
    assert [0, 1] == scene.owner.shaking
    writer.close()
    other[1].close()


async def test_another_bound_holds_for_the_next_handshake(scene):
    await scene.start(most=100)
    oldest = await connect(scene)
    await scene.owner.asked.get()
    scene.port.bound(2)
    newest = await connect(scene)

    assert ("shed", "127.0.0.1") == await scene.failure()
    assert b"" == await oldest[0].read()
    for _, writer in (oldest, newest):
        writer.close()


async def test_where_the_owner_has_no_room_nothing_begins(scene):
    await scene.start()
    scene.owner.is_full = True
    reader, writer = await connect(scene)

    assert b"" == await reader.read()
    assert scene.said.empty()
    writer.close()


async def test_a_handshake_under_way_counts(scene):
    await scene.start()
    clients = [await connect(scene) for _ in range(3)]
    for _ in clients:
        await scene.owner.asked.get()

    assert [0, 1, 2] == scene.owner.shaking
    for _, writer in clients:
        writer.close()


async def test_the_end_breaks_off_what_is_under_way(scene):
    await scene.start()
    reader, writer = await connect(scene)
    await scene.owner.asked.get()
    scene.port.stop()

    assert {("traffic", "shed"): 1} == scene.counts
    assert b"" == await reader.read()
    with pytest.raises(ConnectionRefusedError):
        await connect(scene)
    writer.close()


async def test_an_alert_says_why(scene):
    await scene.start()

    def old():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("AES128-SHA")  # by RSA, and the certificate is of none
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with socket.create_connection(scene.at) as sock:
            context.wrap_socket(sock)

    with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
        await asyncio.to_thread(old)
    assert ("protocol", "127.0.0.1") == await scene.failure()
