"""What a thousand clients that do their worst cost together, in a process of its own."""

import asyncio
import itertools
import resource
import socket
from contextlib import suppress

import pytest

from tests.house.fault_upstream import Turn
from tests.house.raw_client import eventually, request
from tests.house.test_websocket import ASK, KEY, SWITCH, frame

LIMIT = 256 * 1024 * 1024
"""Bytes; the limit of the container in `deploy/kubernetes`."""

OF_EACH = 200
"""Connections."""

EVENT = "data: " + "x" * 60_000 + "\n\n"
TO_ALL = {
    "connect": "30s", "pool_wait": "30s", "request_body_gap": "60s", "head": "60s",
    "first_event": "60s", "gap": "60s", "client_write": "60s", "total": "60s", "tunnel_idle": "60s",
}  # fmt: skip


async def stream(turn: Turn) -> None:
    await turn.begin_chunked("Content-Type: text/event-stream")
    while True:
        await turn.chunk(EVENT)


async def deaf(turn: Turn) -> None:
    """Reads nothing more, and never answers."""
    turn.connection.transport.pause_reading()
    await turn.gone(60)


async def tunnel(turn: Turn) -> None:
    """Sends and sends, and reads nothing."""
    turn.connection.transport.pause_reading()
    await turn.send(SWITCH)
    while True:
        await turn.send(frame(2, bytes(60_000)))


HEAD = b"GET / HTTP/1.1\r\nHost: h\r\n" + b"A: %b\r\n" % (b"b" * 1000) * 47
"""Just below `listen.head_bytes`."""
UPLOAD = b"POST /deaf HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
WORST = {
    "a head without an end": (HEAD, b""),
    "an upload that nobody reads": (UPLOAD, b"1000\r\n%b\r\n" % bytes(4096)),
    "requests sent ahead": (request("GET", "/deaf"), request("GET", "/") * 30),
    "a tunnel that nobody reads": (request("GET", "/tunnel", *ASK), frame(2, bytes(60_000), KEY)),
    "a stream that is not read": (request("GET", "/stream"), b""),
}  # fmt: skip
"""What is sent first, and then again and again."""


class Worst:
    """A client that sends as much as is taken, and reads nothing."""

    def __init__(self, port: int, first: bytes, then: bytes) -> None:
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setblocking(False)
        self.rest, self.then = first, then
        self.sent = 0

    def push(self) -> None:
        """Send what can be sent now."""
        with suppress(BlockingIOError, ConnectionError):
            while self.rest:
                gone = self.sock.send(self.rest)
                self.sent += gone
                self.rest = self.rest[gone:] or (self.then if self.sent < 1 << 21 else b"")


async def highest(process, crowd: list[Worst]) -> int:
    """What it takes at most, until that has not risen for a second."""
    most, still = 0, 0
    while still < 10:
        for client in crowd:
            client.push()
        await asyncio.sleep(0.1)
        now = process.memory()
        still = 0 if now > most else still + 1
        most = max(most, now)
    return most


@pytest.fixture
def descriptors():
    """Enough of them for both sides of each connection."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_a_thousand_connections_at_their_worst_fit_into_the_container(
    upstream, descriptors, process
):
    process = await process(route={"websocket": True}, timeouts=TO_ALL, max_body="1GiB",
                            listen={"request_head": "60s"})  # fmt: skip
    for path, script in {"/stream": stream, "/deaf": deaf, "/tunnel": tunnel}.items():
        upstream.on(path, script)
    crowd = []
    try:
        for first, then in itertools.chain(*([one] * OF_EACH for one in WORST.values())):
            crowd.append(Worst(process.port, first, then))
            crowd[-1].push()
            await asyncio.sleep(0)
        await eventually(lambda: 4 * OF_EACH == len(upstream.seen))
        most = await highest(process, crowd)
        assert await process.is_ready()
        assert [] == process.events()
    finally:
        for client in crowd:
            client.sock.close()

    assert most < LIMIT
