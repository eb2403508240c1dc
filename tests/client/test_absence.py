"""A client that has left while nobody reads from it is noticed all the same."""

import asyncio
import socket

import pytest

from proxy.client.absence import AbsenceWatch


@pytest.fixture
def pair():
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
    yield ours, theirs
    ours.close()
    theirs.close()


async def test_an_end_behind_bytes_that_nobody_has_read_is_noticed(pair):
    ours, theirs = pair
    left = asyncio.Event()
    theirs.send(b"unread")
    theirs.close()
    watch = AbsenceWatch(asyncio.get_running_loop(), ours.fileno(), left.set)
    watch._look()

    assert left.is_set()
    watch.stop()


async def test_a_client_that_is_here_is_left_alone_and_looked_at_again(pair):
    ours, theirs = pair
    left = asyncio.Event()
    theirs.send(b"unread")
    watch = AbsenceWatch(asyncio.get_running_loop(), ours.fileno(), left.set)
    before = watch._timer
    watch._look()

    assert not left.is_set()
    assert before is not watch._timer
    before.cancel()
    watch.stop()
