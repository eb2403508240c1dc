"""The sending half of a connection."""

import asyncio

from proxy.upstream.request_writer import RequestWriter

BRIEF = 0.02


class SlowTransport:
    """Takes what it is given and sends nothing."""

    def __init__(self):
        self.waiting = b""
        self.is_closed = False

    def write(self, data):
        self.waiting += data

    def is_closing(self):
        return self.is_closed

    def get_extra_info(self, name):
        return None

    def get_write_buffer_size(self):
        return len(self.waiting)


def writer():
    made = RequestWriter(asyncio.get_running_loop())
    made.transport = SlowTransport()  # type: ignore[assignment]
    return made


async def test_what_is_handed_over_is_counted():
    one = writer()
    one.send(b"abc")
    one.send(b"de")

    assert (5, True) == (one.bytes_sent, one.has_unsent)


async def test_a_closed_connection_takes_nothing():
    one = writer()
    one.transport.is_closed = True
    one.send(b"abc")

    assert (0, False) == (one.bytes_sent, one.has_unsent)


async def test_nobody_waits_for_an_upstream_that_keeps_up():
    assert await writer().drained(60)


async def test_the_sender_goes_on_when_the_upstream_has_read():
    one = writer()
    one.pause()
    asyncio.get_running_loop().call_soon(one.resume)

    assert await one.drained(60)
    assert one.was_read


async def test_the_sender_goes_on_when_the_connection_is_closed():
    one = writer()
    one.pause()
    asyncio.get_running_loop().call_soon(one.close)

    assert await one.drained(60)
    assert not one.was_read


async def test_an_upstream_that_takes_nothing_is_told_from_a_slow_one():
    one = writer()
    one.send(b"abc")
    one.pause()

    assert not await one.drained(BRIEF)


async def test_the_next_request_is_counted_anew():
    one = writer()
    one.is_uploading = True
    one.send(b"abc")
    one.resume()
    one.reset()

    assert (0, False, False) == (one.bytes_sent, one.is_uploading, one.was_read)
