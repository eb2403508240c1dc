"""Whether somebody still takes what was written to it: the kernel knows."""

import asyncio
import os
import socket
import ssl
from contextlib import suppress

import pytest

from proxy.timing.progress import Progress, acknowledged, unacknowledged
from tests.house.raw_client import eventually

BRIEF = 0.02
PIECE = 64 * 1024


@pytest.fixture
async def pair():
    """A transport that has written more than fits, and the socket that should read it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        reader = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
    transport.write(b"x" * (32 << 20))
    await asyncio.sleep(0)
    yield transport, reader
    transport.abort()
    reader.close()


async def test_what_the_peer_does_not_acknowledge_is_known(pair):
    transport, _ = pair

    assert unacknowledged(transport) > 0


async def test_a_socket_that_is_closed_owes_nothing(pair):
    transport, _ = pair
    transport.abort()
    await asyncio.sleep(0.01)

    assert 0 == unacknowledged(transport)


async def test_a_transport_without_a_socket_owes_nothing():
    assert 0 == unacknowledged(asyncio.Transport())


async def test_a_reader_makes_progress_before_the_loop_hears_of_it(pair):
    """Nothing is written meanwhile: the loop has not been told that there is room."""
    transport, reader = pair
    progress = Progress(transport, asyncio.get_running_loop(), lambda: None)
    await _settled(transport)
    progress.watch(9)
    before = transport.get_write_buffer_size()
    taken = 0
    while not progress.is_made():
        taken += len(reader.recv(PIECE))
    progress.close()

    assert taken > 0
    assert before == transport.get_write_buffer_size()


async def test_who_takes_nothing_soon_makes_none(pair):
    """Its kernel takes some at first, and a little when it is asked whether it has room."""
    transport, _ = pair
    over = asyncio.Event()
    progress = Progress(transport, asyncio.get_running_loop(), over.set)

    async def is_made() -> bool:
        over.clear()
        progress.watch(BRIEF)
        await over.wait()
        return progress.is_made()

    async with asyncio.timeout(30):
        while await is_made():
            pass
    progress.close()


async def _settled(transport: asyncio.Transport) -> None:
    """Until the kernel takes no more."""
    sizes: list[int] = []

    def is_steady() -> bool:
        sizes.append(transport.get_write_buffer_size() + unacknowledged(transport))
        return len(sizes) > 10 and len(set(sizes[-10:])) == 1

    await eventually(is_steady)


async def test_a_peer_that_reads_too_little_to_say_so_makes_progress_all_the_same(pair):
    """Its kernel tells us of room in steps of 64 KiB; being on the same host we may look."""
    transport, reader = pair
    progress = Progress(transport, asyncio.get_running_loop(), lambda: None)

    async def is_steady() -> bool:
        """Its kernel takes some at first, and a little when it is asked whether it has room."""
        progress.watch(30)
        await eventually(lambda: progress._unread is not None)
        return not progress.is_made()

    async with asyncio.timeout(30):
        while not await is_steady():
            pass
    reader.recv(100)

    assert progress.is_made()
    progress.close()


@pytest.fixture
async def tls_pair(server_tls):
    """As `pair`, by TLS; the socket is read below TLS."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)

    def connect():
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        sock.connect(listener.getsockname())
        return trusting.wrap_socket(sock)

    connecting = asyncio.create_task(asyncio.to_thread(connect))
    loop = asyncio.get_running_loop()
    ours = await asyncio.to_thread(lambda: listener.accept()[0])
    transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, ours, ssl=server_tls)
    reader = await connecting
    reader.setblocking(False)
    transport.write(b"x" * (1 << 20))
    yield transport, reader
    transport.abort()
    reader.close()
    listener.close()


async def test_a_reader_of_tls_makes_progress_while_what_nobody_sees_moves_up(tls_pair):
    transport, reader = tls_pair
    progress = Progress(transport, asyncio.get_running_loop(), lambda: None)
    assert acknowledged(transport) > 0
    await _settled(transport)
    progress.watch(9)
    assert not progress.is_made()
    while not progress.is_made():
        with suppress(BlockingIOError):
            os.read(reader.fileno(), 4 * 1024)
        await asyncio.sleep(0)
    progress.close()


async def test_a_closed_socket_acknowledges_nothing(pair):
    transport, _ = pair
    transport.abort()
    await asyncio.sleep(0.01)

    assert 0 == acknowledged(transport)
    assert 0 == acknowledged(asyncio.Transport())
