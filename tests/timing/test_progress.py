"""Whether somebody still takes what was written to it: the kernel knows."""

import asyncio
import socket

import pytest

from proxy.timing.progress import Progress, unacknowledged
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
