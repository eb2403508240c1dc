"""What stands around a client's connection, without sockets."""

import asyncio

from proxy.client.connection import ClientConnection
from proxy.http.trust import Peers
from tests.client.reference import Limits

GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"


class Transport(asyncio.Transport):
    """Remembers what was asked of it; `unread` bytes wait for the client."""

    def __init__(self, *, can_end: bool = True) -> None:
        super().__init__({"peername": ("192.0.2.7", 1234)})
        self.written = b""
        self.unread = 0
        self.done: list[str] = []
        self.is_ended = asyncio.Event()
        """Set once any side was closed."""
        self.is_paused = False
        self.can_end = can_end

    def set_write_buffer_limits(self, high=None, low=None):
        self.high = high

    def get_write_buffer_size(self):
        return self.unread

    def write(self, data):
        self.written += data

    def can_write_eof(self):
        return self.can_end

    def write_eof(self):
        self.done.append("eof")
        self.is_ended.set()

    def pause_reading(self):
        self.is_paused = True

    def resume_reading(self):
        self.is_paused = False

    def set_protocol(self, protocol):
        self.protocol = protocol

    def close(self):
        self.done.append("close")
        self.is_ended.set()

    def abort(self):
        self.done.append("abort")


class Owner:
    """Has room for `room` connections and `bytes_left` bytes."""

    def __init__(self, room: int = 9, bytes_left: int = 1 << 20) -> None:
        self.room, self.bytes_left = room, bytes_left
        self.told: list[str] = []

    def opened(self, client, fd):
        self.room -= 1
        return self.room >= 0

    def idle(self, client):
        self.told.append("idle")

    def busy(self, client):
        self.told.append("busy")

    def lost(self, client):
        self.told.append("lost")

    def may_hold(self, more):
        self.bytes_left -= more
        return self.bytes_left >= 0


class Exchanges:
    """Serves requests: each waits for `release` where there is one, and is answered."""

    def __init__(self, *, goes_on: bool = True) -> None:
        self.goes_on = goes_on
        self.seen: list[tuple[str, str, int | None]] = []
        """Method, target, and the status of those that were refused."""
        self.release: asyncio.Event | None = None

    async def serve(self, request):
        self.seen.append((request.asked.method, request.asked.target, None))
        if self.release is not None:
            await self.release.wait()
        request.client.output.write(b"answer")
        return self.goes_on and request.asked.keep_alive

    async def refuse(self, request, error):
        self.seen.append((request.asked.method, request.asked.target, error.outcome.status))
        request.client.output.write(b"refusal")
        return False

    @property
    def targets(self) -> list[str]:
        return [target for _, target, _ in self.seen]


def connect(
    owner: Owner | None = None,
    limits: Limits | None = None,
    exchanges: Exchanges | None = None,
    transport: Transport | None = None,
) -> tuple[ClientConnection, Transport]:
    """A connection that was just made; nobody serves it yet."""
    exchanges = exchanges or Exchanges()
    client = ClientConnection(
        owner or Owner(), limits or Limits(), Peers(), exchanges.serve, exchanges.refuse
    )
    transport = transport or Transport()
    client.made(transport)
    return client, transport


async def turns(count: int = 6) -> None:
    """Let everything run that is ready to."""
    for _ in range(count):
        await asyncio.sleep(0)
