"""What lies in the kernel when a connection has broken."""

import socket

from proxy.upstream.rescue import unread


def rest(sent, *, then_closed):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.sendall(sent)
        if then_closed:
            theirs.close()
        return b"".join(unread(ours))


def test_all_that_was_sent_is_read_to_the_end():
    assert b"x" * 50_000 == rest(b"x" * 50_000, then_closed=True)


def test_what_has_not_come_is_not_awaited():
    assert b"abc" == rest(b"abc", then_closed=False)


def test_it_does_not_go_on_for_ever():
    class Endless:
        def recv(self, size):
            return b"x" * size

    assert 1024 * 1024 == sum(map(len, unread(Endless())))
