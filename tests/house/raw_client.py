"""A client that sends exactly these bytes in exactly these segments, and says how an answer ended.

It is not lenient and mends nothing: what a browser would hide, a scene must see.
"""

import asyncio
import hashlib
import json
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Self

End = Literal["clean", "cut", "reset", "silent"]
Header = tuple[str, str]

LINGER_NOTHING = struct.pack("ii", 1, 0)
"""SO_LINGER of zero: closing sends RST instead of FIN."""

PATIENCE = 30.0
"""Longest wait for anything that must happen; what does happen takes less on any machine."""
TURNS = 3000
"""Of the event loop; a tenth of a second or less on a machine that has nothing else to do."""


@dataclass(slots=True)
class Answer:
    """One answer as it came over the wire.

    `end` is clean where the framing ended (a body until close: by FIN), cut where the connection
    closed before that, reset where it was reset, silent where nothing more came in time.
    """

    head: bytes
    status: int
    reason: str
    headers: list[Header]
    framing: Literal["length", "chunked", "close", "none"] = "none"
    body: bytes = b""
    end: End = "clean"
    interim: list[int] = field(default_factory=list)
    """Statuses of the 1xx answers before it."""

    def all(self, name: str) -> list[str]:
        """Every value of that header, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        """The only value of that header; more than one is an error of the scene."""
        values = self.all(name)
        if len(values) > 1:
            raise AssertionError(f"{name} came {len(values)} times: {values}")
        return values[0] if values else None

    def json(self) -> Any:
        return json.loads(self.body)


class CutShortError(Exception):
    """The connection ended before what was asked for had arrived."""

    def __init__(self, end: End, got: bytes) -> None:
        super().__init__(f"{end} after {got!r}")
        self.end: End = end
        self.got = got


def parse_head(head: bytes) -> Answer:
    """Status line and headers of `head`, duplicates and order kept, latin-1."""
    line, *rest = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    version, status, *reason = line.decode("latin-1").split(" ", 2)
    if version not in ("HTTP/1.1", "HTTP/1.0"):
        raise AssertionError(f"not a status line: {line!r}")
    headers = []
    for row in rest:
        name, colon, value = row.decode("latin-1").partition(":")
        if not colon or not name or name != name.strip():
            raise AssertionError(f"not a header: {row!r}")
        headers.append((name, value.strip(" \t")))
    return Answer(head, int(status), reason[0] if reason else "", headers)


async def eventually(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait until `condition` is true. Raises TimeoutError."""
    async with asyncio.timeout(patience):
        while not condition():  # noqa: ASYNC110 - what it waits for is not ours to signal
            await asyncio.sleep(0.002)


async def at_once(condition: Callable[[], object], turns: int = TURNS) -> None:
    """Wait for turns of the loop, not for a time: they stand still when the machine does.

    Raises AssertionError where `condition` is not true after so many of them.
    """
    for _ in range(turns):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError(f"not within {turns} turns of the loop")


async def answers_until_quiet(client: "RawClient", most: int) -> list[Answer]:
    """All that is answered, until the connection ends or stays silent for `TURNS`."""
    answers: list[Answer] = []
    while len(answers) < most:
        waiting = asyncio.ensure_future(client.answer())
        try:
            # the first may take its time, the others follow it
            await (at_once(waiting.done) if answers else asyncio.wait([waiting]))
            answers.append(await waiting)
        except (CutShortError, AssertionError):
            break
        finally:
            waiting.cancel()
    return answers


class RawClient:
    """One connection to `port`; use it as an async context manager.

    `window`: bytes that the kernel takes for it, where it is to be few. By TLS where `tls` is
    given; then the other side is called localhost.
    """

    def __init__(
        self,
        port: int,
        host: str = "127.0.0.1",
        read_ahead: int = 1 << 16,
        window: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._tls = tls
        self._where = (host, port)
        self._window = window
        self._read_ahead = read_ahead
        self._buffer = bytearray()
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self.received = 0
        self.trailers: list[Header] = []
        """Of chunked answers, all of this connection."""

    async def __aenter__(self) -> Self:
        sock = socket.socket()
        if self._window:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._window)
        try:
            sock.connect(self._where)
        except OSError:
            sock.close()
            raise
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader, self._writer = await asyncio.open_connection(
            sock=sock,
            limit=self._read_ahead,
            ssl=self._tls,
            server_hostname="localhost" if self._tls else None,
        )
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.leave()

    async def leave(self) -> None:
        """Close at once, whatever is still under way."""
        self._writer.transport.abort()
        await asyncio.sleep(0)

    async def reset(self) -> None:
        """Leave by RST."""
        sock = self._writer.get_extra_info("socket")
        with socket.socket(fileno=socket.dup(sock.fileno())) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOTHING)
        await self.leave()

    async def send(self, *segments: bytes | str) -> None:
        """Send each segment by itself, so that the other side reads them one by one."""
        for number, segment in enumerate(segments):
            if number:
                await asyncio.sleep(0.01)
            self._writer.write(segment.encode("latin-1") if isinstance(segment, str) else segment)
            await self._writer.drain()

    async def get(
        self, path: str = "/", *headers: str, method: str = "GET", patience: float = PATIENCE
    ) -> Answer:
        """One request without a body, and its whole answer."""
        await self.send(request(method, path, *headers))
        return await self.answer(method, patience)

    async def answer(self, method: str = "GET", patience: float = PATIENCE) -> Answer:
        """The next answer with its whole body. Raises CutShortError without a whole head."""
        async with asyncio.timeout(patience):
            answer = await self.head(method, patience)
        try:
            async with asyncio.timeout(patience):
                await self._body(answer)
        except CutShortError as cut:
            answer.end = cut.end
        except TimeoutError:
            answer.end = "silent"
        return answer

    async def head(self, method: str = "GET", patience: float = PATIENCE) -> Answer:
        """The next head that is not 1xx, body unread; its framing is decided."""
        interim = []
        while True:
            answer = parse_head(await self.until(b"\r\n\r\n", patience))
            if answer.status >= 200:
                break
            interim.append(answer.status)
        answer.interim = interim
        answer.framing = _framing(answer, method)
        return answer

    async def until(self, mark: bytes, patience: float = PATIENCE) -> bytes:
        """All bytes up to and including `mark`. Raises CutShortError, TimeoutError."""
        async with asyncio.timeout(patience):
            while (at := self._buffer.find(mark)) < 0:
                await self._more()
        return self._take(at + len(mark))

    async def rest(self, patience: float = PATIENCE) -> tuple[bytes, End]:
        """Everything until the connection ends, and how it ended."""
        try:
            async with asyncio.timeout(patience):
                while True:
                    await self._more()
        except CutShortError as cut:
            return self._take(len(self._buffer)), "clean" if cut.end == "cut" else cut.end
        except TimeoutError:
            return self._take(len(self._buffer)), "silent"

    async def chunk(self, patience: float = PATIENCE) -> bytes:
        """The next chunk's data; empty at the last one."""
        size = int(await self.until(b"\r\n", patience), 16)
        if not size:
            await self._trailers(patience)
            return b""
        data = await self._exactly(size + 2)
        return data[:-2]

    async def _trailers(self, patience: float) -> None:
        while (line := await self.until(b"\r\n", patience)) != b"\r\n":
            name, _, value = line.decode("latin-1").partition(":")
            self.trailers.append((name, value.strip()))

    async def digest(self, size: int) -> str:
        """The sha256 of the next `size` bytes, none of them kept."""
        digest = hashlib.sha256()
        while size:
            if not self._buffer:
                await self._more()
            data = self._take(min(size, len(self._buffer)))
            size -= len(data)
            digest.update(data)
        return digest.hexdigest()

    async def _body(self, answer: Answer) -> None:
        got = bytearray()
        try:
            match answer.framing:
                case "length":
                    got += await self._exactly(int(answer.all("content-length")[0]))
                case "chunked":
                    while data := await self.chunk():
                        got += data
                case "close":
                    rest, answer.end = await self.rest()
                    got += rest
        except CutShortError as cut:
            got += cut.got
            raise
        finally:
            answer.body = bytes(got)

    async def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            await self._more()
        return self._take(size)

    async def _more(self) -> None:
        try:
            data = await self._reader.read(1 << 16)
        except (ConnectionResetError, BrokenPipeError):
            raise CutShortError("reset", self._take(len(self._buffer))) from None
        if not data:
            raise CutShortError("cut", bytes(self._buffer))
        self.received += len(data)
        self._buffer += data

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken


def _framing(answer: Answer, method: str) -> Literal["length", "chunked", "close", "none"]:
    if method == "HEAD" or answer.status in (204, 304):
        return "none"
    codings, lengths = answer.all("transfer-encoding"), answer.all("content-length")
    if codings and lengths:
        raise AssertionError(f"both framings: {answer.headers}")
    if codings:
        assert ["chunked"] == codings
        return "chunked"
    assert len(lengths) <= 1, lengths
    return "length" if lengths else "close"


def request(method: str, path: str, *headers: str, body: bytes = b"", host: str = "house") -> bytes:
    """The bytes of a request; Content-Length is added where there is a body."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


async def fetch(
    port: int, path: str = "/", *headers: str, method: str = "GET", body: bytes = b""
) -> Answer:
    """One exchange on a connection of its own."""
    async with RawClient(port) as client:
        await client.send(request(method, path, *headers, body=body))
        return await client.answer(method)
