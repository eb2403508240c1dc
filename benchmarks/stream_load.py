"""Reads many streams at once. `measure` prints events and latencies, `hold` only reads.

stream_load.py measure PORT STREAMS SECONDS
stream_load.py hold PORT STREAMS

Both keep the streams open until standard input ends.
"""

import asyncio
import json
import re
import sys
import time

import uvloop

_AT = re.compile(rb'"at": (\d+)')
PATIENCE = 30.0


class Reader(asyncio.Protocol):
    """One stream; notes how long each event was on its way, from when it is told to."""

    def __init__(self, path: bytes, latencies: list[float]) -> None:
        self._path = path
        self._latencies = latencies
        self.has_begun = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None
        self.notes = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        transport.write(b"GET %b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % self._path)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        for at in _AT.findall(data):
            if not self.has_begun.done():
                self.has_begun.set_result(None)
            if self.notes:
                self._latencies.append((now - int(at)) / 1e6)


async def opened(port: int, streams: int, path: bytes) -> tuple[list[Reader], list[float]]:
    """So many streams, each with its first event. Raises TimeoutError."""
    loop, latencies, readers = asyncio.get_running_loop(), list[float](), list[Reader]()
    async with asyncio.timeout(PATIENCE):
        for _ in range(streams):
            made = await loop.create_connection(lambda: Reader(path, latencies), "127.0.0.1", port)
            readers.append(made[1])
        await asyncio.gather(*(reader.has_begun for reader in readers))
    return readers, latencies


async def measure(port: int, streams: int, seconds: float) -> None:
    readers, latencies = await opened(port, streams, b"/stream")
    print("ready", flush=True)
    for reader in readers:
        reader.notes = True
    await asyncio.sleep(seconds)
    latencies.sort()
    count = len(latencies)
    spread = {"p50": latencies[count // 2], "p99": latencies[count * 99 // 100]}
    print(json.dumps({"events": count, **spread}), flush=True)
    await asyncio.to_thread(sys.stdin.read)  # to close them is not what is measured


async def hold(port: int, streams: int) -> None:
    await opened(port, streams, b"/idle")
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    if sys.argv[1] == "measure":
        uvloop.run(measure(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
    else:
        uvloop.run(hold(int(sys.argv[2]), int(sys.argv[3])))
