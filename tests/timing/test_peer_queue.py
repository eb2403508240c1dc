"""What a peer on the same host has not read yet."""

import asyncio
import socket
import sys

import pytest

from proxy.timing.peer_queue import unread_by_peer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says so")


class Transport(asyncio.BaseTransport):
    """Has that socket."""

    def __init__(self, sock: socket.socket | None) -> None:
        super().__init__({"socket": sock})


@pytest.fixture(params=["127.0.0.1", "::1"])
def ends(request):
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.create_server((request.param, 0), family=family) as server:
        ours = socket.create_connection(server.getsockname()[:2])
        theirs, _ = server.accept()
    with ours, theirs:
        yield ours, theirs


def test_what_it_reads_is_seen_at_once(ends):
    ours, theirs = ends
    ours.sendall(b"x" * 1000)
    before = unread_by_peer(Transport(ours))
    theirs.recv(10)

    assert (1000, 990) == (before, unread_by_peer(Transport(ours)))


def test_of_a_client_that_came_by_ipv4_to_a_listener_for_both_as_well():
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        theirs = socket.create_connection(("127.0.0.1", server.getsockname()[1]))
        ours, _ = server.accept()
    with ours, theirs:
        ours.sendall(b"x" * 1000)

        assert 1000 == unread_by_peer(Transport(ours))


def test_of_a_peer_that_is_gone_nothing_is_known(ends):
    ours, theirs = ends
    theirs.close()

    assert unread_by_peer(Transport(ours)) in (None, 0)
    ours.close()
    assert unread_by_peer(Transport(ours)) is None


def test_of_a_peer_elsewhere_nothing_is_asked():
    class Elsewhere(socket.socket):
        def getpeername(self):
            return ("192.0.2.1", 80)

        def getsockname(self):
            return ("192.0.2.2", 80)

    with Elsewhere() as sock:
        assert unread_by_peer(Transport(sock)) is None


def test_without_a_tcp_socket_nothing_is_known():
    one, other = socket.socketpair()
    with one, other:
        assert unread_by_peer(Transport(one)) is None
    assert unread_by_peer(Transport(None)) is None
