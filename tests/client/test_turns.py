"""What one client may make us do in one turn of the loop: one read, one exchange."""

import asyncio

import pytest

from proxy.client.body import Body
from proxy.client.connection import ClientConnection
from proxy.client.protocol import ClientProtocol
from proxy.http.trust import Peers
from proxy.settings.sections import Listen

UPLOAD = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
TINY = b"2\r\nhi\r\n"


class FakeTransport:
    """Notes what is asked of it; calls nothing back."""

    def __init__(self):
        self.calls = []

    def get_extra_info(self, name):
        return None

    def set_write_buffer_limits(self, high):
        pass

    def get_write_buffer_size(self):
        return 0

    def pause_reading(self):
        self.calls.append("pause")

    def resume_reading(self):
        self.calls.append("resume")

    def abort(self):
        self.calls.append("abort")


class Owner:
    """Has room for everything."""

    has_room = True

    def opened(self, client, fd):
        return True

    def idle(self, client):
        pass

    def busy(self, client):
        pass

    def lost(self, client):
        pass

    def may_hold(self, more):
        return self.has_room


class Scene:
    """A connection over a fake transport; its exchanges wait until they are told to go on."""

    def __init__(self):
        self.taken = 0
        self.go_on = asyncio.Event()
        self.owner = Owner()
        peers = Peers((), ())
        self.client = ClientConnection(self.owner, Listen(), peers, self.serve, self.serve)
        self.protocol = ClientProtocol(self.client)
        self.transport = FakeTransport()

    async def serve(self, request, error=None):
        self.taken += 1
        await self.go_on.wait()
        return True

    def fill(self, data):
        """The loop reads `data`, or as much of it as it is given room for."""
        room = self.protocol.get_buffer(-1)
        size = min(len(room), len(data))
        room[:size] = data[:size]
        self.protocol.buffer_updated(size)
        return size


@pytest.fixture
async def scene():
    scene = Scene()
    scene.protocol.connection_made(scene.transport)
    task = scene.client.task
    yield scene
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_read_that_fills_its_room_is_the_last_of_this_turn(scene):
    scene.fill(b"\r\n" * 40_000)
    before = list(scene.transport.calls)
    await asyncio.sleep(0)

    assert ["pause"] == before
    assert ["pause", "resume"] == scene.transport.calls


async def test_a_read_that_leaves_room_goes_on(scene):
    scene.fill(b"\r\n")

    assert [] == scene.transport.calls


async def test_a_pause_for_lack_of_room_outlasts_the_turn(scene):
    scene.fill(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    await asyncio.sleep(0)
    scene.owner.has_room = False
    scene.fill(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * 4000)
    await asyncio.sleep(0)

    assert ["pause"] == scene.transport.calls


async def test_a_connection_that_is_lost_meanwhile_is_let_be(scene):
    scene.fill(b"\r\n" * 40_000)
    scene.protocol.connection_lost(None)
    await asyncio.sleep(0)

    assert ["pause"] == scene.transport.calls


async def test_a_body_in_crumbs_gets_less_room_until_it_is_none(scene):
    scene.fill(UPLOAD)
    await asyncio.sleep(0)
    wide = scene.fill(TINY * 20_000)
    narrow = scene.fill(TINY * 20_000)
    scene.fill(TINY)

    assert wide >= 4 * narrow
    assert wide == len(scene.protocol.get_buffer(-1))


async def test_requests_sent_ahead_are_taken_one_in_a_turn(scene):
    scene.go_on.set()
    scene.fill(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * 100)
    for _ in range(10):
        await asyncio.sleep(0)

    assert 1 < scene.taken <= 10


def test_tiny_chunks_are_kept_as_few_pieces():
    """Each piece costs tens of bytes of its own."""
    body = Body(None)
    for _ in range(50):
        body.feed(TINY * 100)

    assert len(body._pieces) <= 64
    assert b"hi" * 5000 == body.take()
