"""An upstream of raw sockets that does exactly what a test's script says."""

import asyncio
import socket
import struct

import pytest

from proxy.upstream.dns import ask_system
from proxy.upstream.result import Failed
from proxy.upstream.rules import UpstreamRule
from proxy.upstream.upstream import Upstream

PATIENCE = 5.0
"""Far more than anything here takes."""


class Peer:
    """One connection, as the upstream sees it."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.has_ended = asyncio.Event()
        """Its script is over."""

    async def request(self):
        return await self.reader.readuntil(b"\r\n\r\n")

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    def push(self, data):
        """Send past the loop: the other side has had no chance to read it."""
        with self.writer.get_extra_info("socket").dup() as sock:
            sock.send(data)

    def finish(self):
        """FIN: no more from us."""
        self.writer.write_eof()

    def reset(self):
        """RST, whatever was sent before."""
        linger = struct.pack("ii", 1, 0)
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()

    async def gone(self):
        """Until the other side has closed."""
        try:
            while await self.reader.read(65536):
                pass
        except ConnectionError:
            pass

    async def answer(self, data):
        """Read a request and send `data`, for as long as requests come."""
        while True:
            try:
                await self.request()
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            await self.send(data)


class Scene:
    """A listening upstream, and our side of it."""

    def __init__(self):
        self.peers = []
        self.changes = []
        self._tasks = []
        self._servers = []
        self._upstreams = []

    async def listen(self, script, **options):
        """The endpoint at which `script(peer)` plays for each connection."""

        async def play(reader, writer):
            peer = Peer(reader, writer)
            self.peers.append(peer)
            self._tasks.append(asyncio.current_task())
            try:
                await script(peer)
            except asyncio.CancelledError:
                pass
            finally:
                peer.has_ended.set()
                writer.close()

        server = await asyncio.start_server(play, "127.0.0.1", 0, **options)
        self._servers.append(server)
        scheme = "https" if "ssl" in options else "http"
        return f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    def upstream(self, *endpoints, lookup=ask_system, **knobs):
        def note(change):
            self.changes.append((change.endpoint, change.kind))

        rule = UpstreamRule(endpoints=endpoints, **knobs)
        made = Upstream("test", rule, on_endpoint=note, lookup=lookup)
        self._upstreams.append(made)
        return made

    async def __call__(self, script, **knobs):
        """An upstream with one endpoint at which `script` plays."""
        return self.upstream(await self.listen(script), **knobs)

    async def ended(self):
        """Until the first connection's script is over."""
        await asyncio.wait_for(self.peers[0].has_ended.wait(), PATIENCE)

    async def end(self):
        for upstream in self._upstreams:
            await upstream.close()
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks)


@pytest.fixture
async def scene():
    scene = Scene()
    yield scene
    await scene.end()


async def acquire(upstream, **options):
    options = {"connect": PATIENCE, "pool_wait": PATIENCE} | options
    return upstream.take() or await upstream.acquire(**options)


async def ask(connection, method="GET", timeout=PATIENCE):
    """Send a request and read all: the head (or why not), the body, how the body ended."""
    connection.request(method, method.encode() + b" / HTTP/1.1\r\nHost: a\r\n\r\n")
    head = await connection.head(timeout)
    body, end = b"", None
    while not isinstance(head, Failed) and (end is None):
        part = await connection.read(timeout)
        if isinstance(part, bytes):
            body += part
        else:
            end = part
    return head, body, end


@pytest.fixture(name="acquire")
def _acquire():
    return acquire


@pytest.fixture(name="ask")
def _ask():
    return ask


@pytest.fixture
def blackhole():
    """An endpoint that answers no SYN: its queue is full and nobody accepts."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = [socket.socket() for _ in range(3)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    for sock in (*fillers, listener):
        sock.close()


@pytest.fixture
def refusing():
    """An endpoint at which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
