"""An upstream that misbehaves to order and remembers every byte it was sent.

A script plays for each request: `upstream.on("/path", script)`; several scripts play in turn,
the last one for all requests after it. It parses strictly and on its own, so that it
cannot share a mistake with the proxy.
"""

import asyncio
import fcntl
import hashlib
import json
import socket
import termios
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self, cast

from tests.house.raw_client import LINGER_NOTHING, PATIENCE, Header

KEPT = 1 << 18
"""Bytes of a body or connection kept for looking at; of the rest only length and digest."""


@dataclass(slots=True)
class Seen:
    """One request as it arrived."""

    connection: int
    head: bytes
    method: str
    target: str
    version: str
    headers: list[Header]
    body: bytes = b""
    size: int = 0
    """Of the body, without framing."""
    digest: str = ""
    whole: bool = False
    """Whether the framing of the body ended."""

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        values = self.all(name)
        if len(values) > 1:
            raise AssertionError(f"{name} came {len(values)} times: {values}")
        return values[0] if values else None

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


class MalformedError(Exception):
    """What arrived is not a request that everybody would read alike."""


class GoneError(Exception):
    """The proxy closed the connection."""


class Connection(asyncio.Protocol):
    """One accepted connection: buffered bytes, and what became of it."""

    def __init__(self, upstream: "FaultUpstream") -> None:
        self.number = 0
        self.upstream = upstream
        self.received = bytearray()
        self.total = 0
        self.sent = 0
        self.gone = asyncio.Event()
        self.gone_at = 0.0
        self.was_reset = False
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._buffer = bytearray()
        self._held = False
        self._eof = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.upstream.accepted(self)

    def data_received(self, data: bytes) -> None:
        self.total += len(data)
        self.received += data[: max(0, KEPT - len(self.received))]
        self._buffer += data
        if len(self._buffer) > 1 << 16 and not self._held:
            self._held = True
            self.transport.pause_reading()
        self._news.set()

    def eof_received(self) -> bool:
        self._eof = True
        self._news.set()
        self._left()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.was_reset = isinstance(exc, ConnectionResetError)
        self._eof = True
        self._news.set()
        self._writable.set()
        self._left()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _left(self) -> None:
        if not self.gone.is_set():
            self.gone_at = asyncio.get_running_loop().time()
            self.gone.set()

    async def until(self, mark: bytes, at_most: int = 1 << 20) -> bytes:
        while (at := self._buffer.find(mark)) < 0:
            if len(self._buffer) > at_most:
                raise MalformedError(f"no {mark!r} in {at_most} bytes")
            await self._more()
        return self.take(at + len(mark))

    async def some(self, at_most: int) -> bytes:
        while not self._buffer:
            await self._more()
        return self.take(at_most)

    def take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        if self._held and len(self._buffer) < 1 << 15:
            self._held = False
            self.transport.resume_reading()
        return taken

    async def _more(self) -> None:
        if self._eof:
            raise GoneError
        self._news.clear()
        await self._news.wait()

    async def send(self, data: bytes) -> None:
        if self.gone.is_set() or self.transport.is_closing():
            raise GoneError
        self.transport.write(data)
        self.sent += len(data)
        await self._writable.wait()

    def close(self) -> None:
        """FIN after what was written."""
        self.transport.close()

    async def arrived(self, patience: float = 2.0) -> None:
        """Wait until all that was written is in the kernel of the other side, or nobody reads."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self._unread():  # noqa: ASYNC110 - what it waits for is not ours to signal
                    await asyncio.sleep(0.005)

    def _unread(self) -> int:
        """Bytes that wait here, in the loop or in the kernel (tcp(7), SIOCOUTQ)."""
        sock = self.transport.get_extra_info("socket")
        if sock is None or sock.fileno() < 0:
            return 0
        in_kernel = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4))
        return self.transport.get_write_buffer_size() + int.from_bytes(in_kernel, "little")

    def reset(self) -> None:
        """RST; what was written may or may not arrive before it."""
        sock = self.transport.get_extra_info("socket")
        if sock is not None and sock.fileno() >= 0:
            with socket.socket(fileno=socket.dup(sock.fileno())) as same:
                same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOTHING)
        self.transport.abort()


class Turn:
    """One request and what a script may do about it."""

    def __init__(self, connection: Connection, request: Seen) -> None:
        self.connection = connection
        self.request = request
        self._digest = hashlib.sha256()

    async def send(self, *segments: bytes | str, between: float = 0.01) -> None:
        """Send each segment by itself; `between` keeps the proxy from reading two at once."""
        for number, segment in enumerate(segments):
            if number:
                await asyncio.sleep(between)
            data = segment.encode("latin-1") if isinstance(segment, str) else segment
            await self.connection.send(data)

    async def answer(
        self, status: int = 200, *headers: str, body: bytes = b"ok", reason: str = "X"
    ) -> None:
        """A well-behaved answer with Content-Length."""
        lines = [f"HTTP/1.1 {status} {reason}", *headers, f"Content-Length: {len(body)}"]
        await self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    async def begin_chunked(self, *headers: str, status: int = 200) -> None:
        lines = [f"HTTP/1.1 {status} OK", *headers, "Transfer-Encoding: chunked"]
        await self.send("\r\n".join([*lines, "", ""]))

    async def chunk(self, data: bytes | str) -> None:
        data = data.encode() if isinstance(data, str) else data
        await self.send(b"%x\r\n%s\r\n" % (len(data), data))

    async def end_chunked(self) -> None:
        await self.send(b"0\r\n\r\n")

    async def body(self) -> bytes:
        """Read the request's body to its end; what was kept of it."""
        async for _data in self.pieces():
            pass
        return self.request.body

    async def pieces(self):
        """The request's body as it arrives, recorded."""
        codings, lengths = self.request.all("transfer-encoding"), self.request.all("content-length")
        source = self._chunks() if codings else self._counted(int(lengths[0]) if lengths else 0)
        async for data in source:
            self._note(data)
            yield data
        self.request.whole = True
        self.request.digest = self._digest.hexdigest()

    def _note(self, data: bytes) -> None:
        self._digest.update(data)
        self.request.size += len(data)
        self.request.body += data[: max(0, KEPT - len(self.request.body))]

    async def _counted(self, left: int):
        while left:
            data = await self.connection.some(left)
            left -= len(data)
            yield data

    async def _chunks(self):
        while True:
            line = await self.connection.until(b"\r\n", 100)
            digits = line[:-2]
            if not digits or digits.strip(b"0123456789abcdefABCDEF"):
                raise MalformedError(f"chunk size {line!r}")
            left = int(digits, 16)
            if not left:
                break
            async for data in self._counted(left):
                yield data
            if await self.connection.until(b"\r\n", 4) != b"\r\n":
                raise MalformedError("chunk data not ended by CRLF")
        while await self.connection.until(b"\r\n") != b"\r\n":
            pass  # trailers

    async def gone(self, patience: float = PATIENCE) -> float:
        """Wait until the proxy has left; when that was, on the loop's clock."""
        async with asyncio.timeout(patience):
            await self.connection.gone.wait()
        return self.connection.gone_at

    def close(self) -> None:
        self.connection.close()

    def reset(self) -> None:
        self.connection.reset()


Script = Callable[[Turn], Awaitable[None]]


@dataclass(slots=True)
class FaultUpstream:
    """Listens on a port of its own; `seen` and `connections` are what it remembers."""

    port: int = 0
    host: str = "127.0.0.1"
    seen: list[Seen] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    malformed: list[str] = field(default_factory=list)
    """Everything that no upstream should be sent."""
    errors: list[BaseException] = field(default_factory=list)
    """What went wrong in the scripts themselves."""
    _scripts: dict[str, list[Script]] = field(default_factory=dict)
    _played: dict[str, int] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None
    _silent: bool = False

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    async def open(self) -> None:
        """Listen; on the same port as before after `refuse`."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self), self.host, self.port, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Close the port and every connection: from now on connecting is refused."""
        await self.stop()

    def blackhole(self) -> None:
        """Accept, read, never answer."""
        self._silent = True

    def on(self, path: str, *scripts: Script) -> None:
        """Play these for requests to `path`, in turn; the last one goes on for ever."""
        self._scripts[path] = list(scripts)
        self._played[path] = 0

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in self.connections:
            connection.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    def accepted(self, connection: Connection) -> None:
        connection.number = len(self.connections)
        self.connections.append(connection)
        if not self._silent:
            task = asyncio.get_running_loop().create_task(self._serve(connection))
            self._tasks.add(task)
            task.add_done_callback(self._served)

    def _served(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self.errors.append(fault)

    async def _serve(self, connection: Connection) -> None:
        try:
            while not connection.transport.is_closing():
                head = await connection.until(b"\r\n\r\n")
                turn = Turn(connection, _parse(head, connection.number))
                self.seen.append(turn.request)
                await self._script(turn.request.path)(turn)
                if not turn.request.whole and not connection.transport.is_closing():
                    await turn.body()
        except GoneError:
            pass
        except MalformedError as exc:
            self.malformed.append(str(exc))
        finally:
            connection.close()

    def _script(self, path: str) -> Script:
        scripts = self._scripts.get(path)
        if not scripts:
            return echo
        played = self._played[path]
        self._played[path] += 1
        return scripts[min(played, len(scripts) - 1)]


def _parse(head: bytes, connection: int) -> Seen:
    line, *rows = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    words = line.decode("latin-1").split(" ")
    if len(words) != 3 or words[2] not in ("HTTP/1.1", "HTTP/1.0"):
        raise MalformedError(f"request line {line!r}")
    method, target, version = words
    seen = Seen(connection, head, method, target, version, [_header(row) for row in rows])
    _check_framing(seen)
    return seen


def _header(row: bytes) -> Header:
    name, colon, value = row.decode("latin-1").partition(":")
    if not colon or not name or name.strip() != name or any(c in value for c in "\r\n\0"):
        raise MalformedError(f"header {row!r}")
    return name, value.strip(" \t")


def _check_framing(seen: Seen) -> None:
    codings, lengths = seen.all("transfer-encoding"), seen.all("content-length")
    if codings and lengths:
        raise MalformedError("Content-Length and Transfer-Encoding")
    if codings not in ([], ["chunked"]):
        raise MalformedError(f"Transfer-Encoding {codings}")
    if len(lengths) > 1 or (lengths and not (lengths[0].isascii() and lengths[0].isdigit())):
        raise MalformedError(f"Content-Length {lengths}")
    if len(seen.all("host")) != 1:
        raise MalformedError(f"Host {seen.all('host')}")


async def echo(turn: Turn) -> None:
    """The well-behaved one: says as JSON what it was sent."""
    await turn.body()
    said = {
        "method": turn.request.method,
        "target": turn.request.target,
        "headers": turn.request.headers,
        "body": turn.request.body.decode("latin-1"),
        "connection": turn.request.connection,
    }
    await turn.answer(200, "Content-Type: application/json", body=json.dumps(said).encode())


def raw(*segments: bytes | str, then: str = "keep", between: float = 0.01) -> Script:
    """Read the request, send exactly these segments, then `keep`, `close` or `reset`."""

    async def script(turn: Turn) -> None:
        await turn.body()
        await turn.send(*segments, between=between)
        if then == "close":
            turn.close()
        elif then == "reset":
            await asyncio.sleep(between)  # RST overtakes bytes that were not yet read
            turn.reset()

    return script


def status(code: int, *headers: str, body: bytes = b"upstream's own words") -> Script:
    """A well-framed answer with that status."""

    async def script(turn: Turn) -> None:
        await turn.body()
        await turn.answer(code, *headers, body=body)

    return script


async def reset_before_head(turn: Turn) -> None:
    await turn.body()
    turn.reset()


async def close_before_head(turn: Turn) -> None:
    await turn.body()
    turn.close()


async def never(turn: Turn) -> None:
    """Take the request and stay silent until the proxy leaves."""
    await turn.body()
    await turn.gone(60)


def slow_head(seconds: float) -> Script:
    async def script(turn: Turn) -> None:
        await turn.body()
        await asyncio.sleep(seconds)
        await turn.answer(200)

    return script


def download(size: int, *, pieces: int = 1 << 16, pause: float = 0.0) -> Script:
    """`size` bytes with Content-Length; `pattern(size)` tells what they are."""

    async def script(turn: Turn) -> None:
        await turn.body()
        await turn.send(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n")
        left, piece = size, PATTERN * (pieces // len(PATTERN) or 1)
        while left:
            data = piece[:left]
            left -= len(data)
            await turn.send(data)
            if pause:
                await asyncio.sleep(pause)

    return script


PATTERN = bytes(range(256)) * 16


def pattern_digest(size: int, pieces: int = 1 << 16) -> str:
    """The sha256 of what `download(size)` sends."""
    digest, piece = hashlib.sha256(), PATTERN * (pieces // len(PATTERN) or 1)
    whole, rest = divmod(size, len(piece))
    for _ in range(whole):
        digest.update(piece)
    digest.update(piece[:rest])
    return digest.hexdigest()


def sse(*steps: str | float, headers: tuple[str, ...] = (), end: bool = True) -> Script:
    """An event stream: text is sent as one chunk, a number is a pause in seconds."""

    async def script(turn: Turn) -> None:
        await turn.body()
        await turn.begin_chunked("Content-Type: text/event-stream", *headers)
        for step in steps:
            if isinstance(step, str):
                await turn.chunk(step)
            else:
                await asyncio.sleep(step)
        if end:
            await turn.end_chunked()
        else:
            turn.close()

    return script
