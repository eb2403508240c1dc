"""How a connection is let go of while its client may still be sending."""

import asyncio

import pytest

from proxy.client.request import read_body
from proxy.timing.upload_clocks import UploadClocks
from tests.client.test_turns import UPLOAD, Scene


class Refusing(Scene):
    """Its exchange ends at once, while its upload still waits for the client."""

    task: asyncio.Task[None]

    async def serve(self, request, error=None):
        upload = asyncio.create_task(read_body(request, UploadClocks(5)))
        await asyncio.sleep(0)
        upload.cancel()
        return False


@pytest.fixture
async def scene():
    scene = Refusing()
    scene.protocol.connection_made(scene.transport)
    scene.task = scene.client.task
    yield scene
    scene.task.cancel()
    await asyncio.gather(scene.task, return_exceptions=True)


async def turns(number=10):
    for _ in range(number):
        await asyncio.sleep(0)


async def test_an_upload_that_is_cancelled_does_not_take_the_wait_away(scene):
    """Else nobody would look at the client again, however long it stays."""
    scene.fill(UPLOAD)
    await turns()
    is_waiting = not scene.task.done()
    scene.protocol.connection_lost(None)
    await turns()

    assert is_waiting
    assert scene.task.done()


async def test_a_client_that_is_reset_meanwhile_is_no_fault(scene):
    """asyncio's transport raises before it says that the connection is lost."""

    def write_eof():
        raise OSError("not connected")

    scene.transport.write_eof = write_eof
    scene.fill(UPLOAD)
    await turns()

    assert scene.task.done()
    assert scene.task.exception() is None
    assert ["close"] == scene.transport.calls
