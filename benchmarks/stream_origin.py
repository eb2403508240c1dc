"""An upstream for streams: `/stream` sends events with their time, `/idle` one event and silence.

Anything else gets the JSON that the other benchmark knows, so that peers can be checked alike.
"""

import asyncio
import sys
import time

import uvloop
from peers import ANSWER

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
JSON = (
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    f"Content-Length: {len(ANSWER)}\r\n\r\n{ANSWER}"
).encode()
EVERY = 0.05
"""Seconds between two events of a stream."""


def event() -> bytes:
    data = b'data: {"at": %d, "word": "an average token of an answer"}\n\n' % time.monotonic_ns()
    return b"%x\r\n%b\r\n" % (len(data), data)


class Origin(asyncio.Protocol):
    """One connection; one stream on it, or any number of JSON answers."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"GET /stream"):
            self.transport.write(HEAD)
            self._next()
        elif data.startswith(b"GET /idle"):
            self.transport.write(HEAD + event())
        else:
            self.transport.write(JSON)

    def _next(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(event())
            asyncio.get_running_loop().call_later(EVERY, self._next)


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Origin, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
