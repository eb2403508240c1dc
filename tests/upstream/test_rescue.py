"""What lies in the kernel when a connection has broken."""

import socket

import pytest

from proxy.upstream.rescue import ends_with_alert, unread


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


TICKET = b"\x17\x03\x03\x00\x04abcd"


@pytest.mark.parametrize(
    ("records", "is_alert"),
    [
        pytest.param(b"", False, id="nothing"),
        pytest.param(b"\x15\x03\x03\x00\x02\x02\x28", True, id="an alert"),
        pytest.param(TICKET + b"\x17\x03\x03\x00\x13" + b"x" * 19, True, id="an encrypted one"),
        pytest.param(TICKET, False, id="something else"),
        pytest.param(b"\x15\x03\x03\x00\x02\x02\x28" + TICKET, False, id="not the last"),
        pytest.param(TICKET + b"\x15\x03", False, id="too short to tell"),
    ],
)
def test_an_alert_is_known_from_outside(records, is_alert):
    assert ends_with_alert(records) is is_alert
