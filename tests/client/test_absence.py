"""A client that has left while nobody reads from it is noticed all the same."""

import asyncio
import socket

import pytest

from proxy.client.absence import EVERY, AbsenceWatch


@pytest.fixture
def pair():
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
    yield ours, theirs
    ours.close()
    theirs.close()


def watch_of(sock):
    """A watch that looks when told to, and whether it has found the client gone."""
    left = asyncio.Event()
    return AbsenceWatch(asyncio.get_running_loop(), sock.fileno(), left.set), left


def look(watch, *, after=EVERY):
    """Its timer fires when reading has been paused for so long."""
    watch._since -= after
    watch._timer.cancel()
    watch._look()


async def test_an_end_behind_bytes_that_nobody_has_read_is_noticed(pair):
    ours, theirs = pair
    theirs.send(b"unread")
    theirs.close()
    watch, left = watch_of(ours)
    watch.start()
    look(watch)

    assert left.is_set()
    watch.close()


async def test_a_client_that_is_here_is_left_alone_and_looked_at_again(pair):
    ours, theirs = pair
    theirs.send(b"unread")
    watch, left = watch_of(ours)
    watch.start()
    look(watch)

    assert not left.is_set()
    assert watch._timer is not None
    watch.close()


async def test_a_pause_of_a_moment_is_no_reason_to_look(pair):
    """Not even where the timer of an earlier pause fires in it: what was sent may still be read."""
    ours, theirs = pair
    theirs.send(b"unread")
    theirs.close()
    watch, left = watch_of(ours)
    watch.start()
    watch.stop()
    timer = watch._timer
    watch.start()
    assert timer is watch._timer
    look(watch, after=0.0)

    assert not left.is_set()
    watch.close()
    assert watch._timer is None


async def test_a_client_that_is_read_is_not_looked_at(pair):
    ours, theirs = pair
    theirs.close()
    watch, left = watch_of(ours)
    watch.start()
    watch.stop()
    look(watch)

    assert not left.is_set()
    assert watch._timer is None
