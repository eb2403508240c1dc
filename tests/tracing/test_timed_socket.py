"""All that is done with a socket is over by a moment, whatever the other side does."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from proxy.clock import now
from proxy.tracing.timed_socket import TimedSocket

FAR = 60.0
MORE_THAN_FITS = b"x" * (16 << 20)


@pytest.fixture
def pair() -> Iterator[tuple[TimedSocket, socket.socket]]:
    ours, theirs = socket.socketpair()
    timed = TimedSocket(ours)
    timed.ends_by = now() + FAR
    yield timed, theirs
    timed.close()
    theirs.close()


def test_more_than_fits_into_buffers_is_sent_whole(pair) -> None:
    timed, theirs = pair
    read = bytearray()

    def take() -> None:
        while len(read) < len(MORE_THAN_FITS):
            read.extend(theirs.recv(1 << 16))

    reader = threading.Thread(target=take)
    reader.start()
    timed.send_all([MORE_THAN_FITS])
    reader.join()

    assert MORE_THAN_FITS == read


def test_what_comes_later_is_waited_for_up_to_the_end(pair) -> None:
    timed, theirs = pair

    def give() -> None:
        theirs.sendall(b"one\n")
        theirs.sendall(b"two")
        theirs.close()

    with timed.makefile("rb") as file:
        writer = threading.Thread(target=give)
        writer.start()
        read = [file.readline(), file.read()]
        writer.join()

    assert [b"one\n", b"two"] == read


def test_nobody_who_reads_nothing_is_waited_for_longer(pair) -> None:
    timed, _ = pair
    timed.ends_by = now() + 0.02

    with pytest.raises(TimeoutError):
        timed.send_all([MORE_THAN_FITS])


def test_nobody_who_says_nothing_is_waited_for_longer(pair) -> None:
    timed, _ = pair
    timed.ends_by = now() + 0.02

    with pytest.raises(TimeoutError):
        timed.recv(1)


def test_who_always_has_something_to_say_is_not_heard_for_longer(pair) -> None:
    timed, theirs = pair
    theirs.sendall(b"x")
    timed.ends_by = now()

    with pytest.raises(TimeoutError):
        timed.recv(1)


def test_what_is_given_back_is_read_once_more(pair) -> None:
    timed, theirs = pair
    theirs.sendall(b"once")
    timed.give_back(timed.recv(64))
    theirs.sendall(b" more\n")
    with timed.makefile("rb") as file:
        read = file.readline()
    theirs.sendall(b"again\n")
    with timed.makefile("rb") as file:
        last = file.readline()

    assert (b"once more\n", b"again\n") == (read, last)


def test_an_answer_without_an_end_is_not_kept(pair) -> None:
    """As where the length of a chunk is nonsense, and the reader takes all that comes."""
    timed, theirs = pair

    def give() -> None:
        with suppress(OSError):
            theirs.sendall(MORE_THAN_FITS)

    writer = threading.Thread(target=give)
    writer.start()
    with timed.makefile("rb") as file, pytest.raises(ValueError, match="without an end"):
        file.read()
    timed.close()
    writer.join()
