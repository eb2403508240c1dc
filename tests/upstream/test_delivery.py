"""What the kernel says of the bytes of a request."""

import socket
import struct

import pytest

from proxy.upstream.delivery import Delivery

SENT = b"x" * 100


@pytest.fixture
def ends():
    """Both ends of a connection that has carried a request and an answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname(), timeout=5)
        theirs, _ = listener.accept()
    with ours, theirs:
        ours.sendall(SENT)
        theirs.recv(1000)
        theirs.sendall(SENT)
        ours.recv(1000)
        yield ours, theirs


def close(theirs):
    theirs.close()


def reset(theirs):
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()


def test_nothing_was_sent_yet(ends):
    delivery = Delivery(ends[0])
    delivery.begin(0)

    assert "unsent" == delivery.arrival()


@pytest.mark.parametrize(("end", "arrival"), [(close, "unacknowledged"), (reset, "unsent")])
def test_what_is_sent_to_a_closed_socket_does_not_arrive(ends, end, arrival):
    ours, theirs = ends
    delivery = Delivery(ours)
    end(theirs)
    delivery.begin(0)
    try:
        ours.send(SENT)
    except ConnectionResetError:
        assert "unsent" == arrival

    assert arrival == delivery.arrival()


def test_whether_the_other_end_has_all_is_known(ends):
    ours, theirs = ends
    delivery = Delivery(ours)
    delivery.begin(0)
    ours.sendall(SENT)
    theirs.recv(1000)
    theirs.sendall(SENT)
    ours.recv(1000)

    assert not delivery.is_behind(100)
    assert delivery.is_behind(101)


def test_an_end_acknowledges_what_arrived_before_it(ends):
    ours, theirs = ends
    delivery = Delivery(ours)
    delivery.begin(0)
    ours.sendall(SENT)
    theirs.recv(1000)
    theirs.close()

    assert b"" == ours.recv(1)
    assert "acknowledged" == delivery.arrival()


@pytest.mark.parametrize("is_tls", [False, True])
def test_what_was_sent_before_it_began_does_not_count(ends, is_tls):
    ours, theirs = ends
    delivery = Delivery(ours)
    if is_tls:
        delivery.keep()
    ours.sendall(SENT)
    theirs.recv(1000)
    theirs.sendall(SENT)
    ours.recv(1000)
    delivery.begin(0 if is_tls else len(SENT))  # what TLS adds only the kernel has counted

    assert "unsent" == delivery.arrival()
    delivery.close()


def test_of_a_closed_socket_or_another_kind_nothing_is_known(ends):
    ours, _ = ends
    delivery = Delivery(ours)
    delivery.begin(0)
    ours.close()
    unix, other = socket.socketpair()
    with unix, other:
        beside = Delivery(unix)
        beside.begin(0)

        assert beside.arrival() is None
    assert delivery.arrival() is None


def test_a_kept_socket_outlives_the_one_that_the_loop_closes(ends):
    ours, theirs = ends
    delivery = Delivery(ours)
    delivery.keep()
    ours.close()
    theirs.sendall(b"late")

    assert b"late" == delivery.socket.recv(1000)
    delivery.close()
    assert -1 == delivery.socket.fileno()
