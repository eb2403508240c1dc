"""The proxy under test, in this process or in one of its own, with settings and log within reach.

Everything that depends on how the app is started stands here, and only here.
"""

import asyncio
import json
import os
import random
import signal
import socket
import sys
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from proxy.app import App
from proxy.observation.reload_report import ReloadReport
from proxy.settings.load import parse
from proxy.settings.source import Source
from tests.house.fault_upstream import FaultUpstream
from tests.house.raw_client import PATIENCE, Answer, RawClient, eventually, fetch

Event = dict[str, Any]
ROOT = Path(__file__).parents[2]


def settings_of(endpoint: str, **unusual: Any) -> dict[str, Any]:
    """Settings with one catch-all route; what is unusual is laid over.

    `timeouts`, `retry`, `breaker` and `route` are the route's; `upstream` the upstream's;
    everything else is a section. Nothing is shed unless a scene asks for it: how busy or full the
    machine of the tests is must not decide what is answered.
    """
    policy = {
        key: unusual.pop(key) for key in ("timeouts", "breaker", "max_body") if key in unusual
    }
    retry = {"first_pause": "2ms", "max_pause": "10ms"} | dict(unusual.pop("retry", {}))
    route = {"name": "all", "match": {"path": "/"}, "upstream": "chat", "retry": retry}
    plain = {
        "listen": {"host": "127.0.0.1", "port": 0} | dict(unusual.pop("listen", {})),
        "admin": {"host": "127.0.0.1", "port": 0} | dict(unusual.pop("admin", {})),
        "overload": {"loop_lag": None, "memory": None},
        "upstreams": {"chat": {"endpoints": [endpoint]} | dict(unusual.pop("upstream", {}))},
        "routes": [route | policy | dict(unusual.pop("route", {}))],
    }
    plain["routes"] += unusual.pop("more_routes", [])
    return plain | unusual


@dataclass(slots=True)
class House:
    """A running proxy of this process."""

    upstream: FaultUpstream
    app: App
    file: Path | None = None
    """Of its settings; None where they are in no file, and cannot be read again."""
    events: list[Event] = field(default_factory=list)
    _read_end: int = -1
    _write_end: int = -1
    _rest: bytes = b""

    @classmethod
    async def start(cls, upstream: FaultUpstream, /, **unusual: Any) -> Self:
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        file: Path | None = unusual.pop("file", None)
        text = json.dumps(settings_of(upstream.url, **unusual))
        app = await asyncio.to_thread(_app, text, file, write_end)  # as without a loop
        house = cls(upstream, app, file, [], read_end, write_end)
        asyncio.get_running_loop().add_reader(read_end, house._read)
        await house.app.start()
        return house

    async def stop(self) -> None:
        await self.app.stop()
        asyncio.get_running_loop().remove_reader(self._read_end)
        self._read()
        os.close(self._read_end)
        os.close(self._write_end)

    def rewrite(self, **unusual: Any) -> None:
        """Put other settings in its file."""
        assert self.file is not None
        self.file.write_text(json.dumps(settings_of(self.upstream.url, **unusual)))

    async def reload(self, **unusual: Any) -> ReloadReport:
        """Put them there, and have them read."""
        self.rewrite(**unusual)
        return await self.app.reloader.reload("test")

    @property
    def port(self) -> int:
        return self.app.port

    def client(self) -> RawClient:
        return RawClient(self.port)

    def lose_kept_connections(self) -> None:
        """The upstream closes those that idle just behind the last look at each of them."""
        closing = ClosedBehindALook(self.upstream)
        for connection in self.app.upstreams["chat"]._pool._connections:
            connection.protocol.poll = closing  # type: ignore[assignment]  # it stands for one

    def have_idled(self, seconds: float) -> None:
        """Connections that are kept are taken to have lain there for so long already."""
        for endpoint in self.app.upstreams["chat"].endpoints.all:
            for connection in endpoint.idle:
                connection.link.rested_at -= seconds

    async def fetch(
        self, path: str = "/", *headers: str, method: str = "GET", body: bytes = b""
    ) -> Answer:
        """One exchange on a client connection of its own."""
        return await fetch(self.port, path, *headers, method=method, body=body)

    async def event_of(self, answer: Answer) -> Event:
        """The exchange event of that answer: there must be exactly one."""
        return await self.event(request_id=answer.header("X-Request-ID"))

    async def event(self, name: str = "exchange", **fields: Any) -> Event:
        """The one event with these fields, once it is written. Raises TimeoutError."""
        await eventually(lambda: self.all(name, **fields))
        found = self.all(name, **fields)
        assert len(found) == 1, found
        return found[0]

    def all(self, name: str = "exchange", **fields: Any) -> list[Event]:
        wanted = {"event": name, **fields}.items()
        return [event for event in self.events if wanted <= event.items()]

    async def admin(self, path: str) -> Answer:
        return await fetch(self.app.admin_port, path, method="GET")

    async def breaker(self) -> str:
        """State of the only breaker, as /health says it."""
        breakers = (await self.admin("/health")).json()["circuit_breakers"]
        return next(iter(breakers.values()))["state"]

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._read_end, 1 << 16)
            except BlockingIOError:
                return
            if not data:
                return
            *lines, self._rest = (self._rest + data).split(b"\n")
            self.events += (_plain(json.loads(line)) for line in lines)


def _app(text: str, file: Path | None, log_fd: int) -> App:
    if file is None:
        return App(parse(text), log_fd=log_fd)
    file.write_text(text)
    source = Source(file, {})
    return App(source.load(pause=0), log_fd=log_fd, source=source)


class ClosedBehindALook:
    """Stands for `poll`: says that nothing has arrived, and then the end does."""

    def __init__(self, upstream: FaultUpstream) -> None:
        self._upstream = upstream

    def poll(self, _timeout: int) -> list[tuple[int, int]]:
        for connection in self._upstream.connections:
            sock = connection.transport.get_extra_info("socket")
            if sock is not None and sock.fileno() >= 0:
                with suppress(OSError), socket.socket(fileno=socket.dup(sock.fileno())) as same:
                    same.shutdown(socket.SHUT_RDWR)
        return []


def _plain(event: Event) -> Event:
    """Lists as tuples, so that events can be compared as sets of items."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in event.items()}


_PORTS = 3000
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_FIRST_PORT = 20_000 + _WORKER % 4 * _PORTS
_given: deque[int] = deque(maxlen=500)


def free_port() -> int:
    """One that nobody else is given meanwhile: below those that the kernel gives for port 0, of
    those of this worker of pytest, and none of the latest, which may not be listened on yet.
    """
    while True:
        port = random.randrange(_FIRST_PORT, _FIRST_PORT + _PORTS)
        if port in _given:
            continue
        with socket.socket() as sock, suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("127.0.0.1", port))
            _given.append(port)
            return port


@dataclass(slots=True)
class Process:
    """A running proxy of its own process, for signals, blocked pipes and memory."""

    port: int
    admin_port: int
    process: asyncio.subprocess.Process
    log: Path

    @classmethod
    async def start(cls, upstream: FaultUpstream, home: Path, /, **unusual: Any) -> Self:
        """`stdout` may be a file descriptor; else it is a file, read by `events`.

        `nofile` is how many descriptors it may have.
        """
        stdout, nofile = unusual.pop("stdout", None), unusual.pop("nofile", None)
        command = [sys.executable, "-m", "proxy", "run", "--config"]
        if nofile is not None:
            command = ["sh", "-c", f'ulimit -n {nofile} && exec "$@"', "sh", *command]
        port, admin_port = free_port(), free_port()
        listen = {"port": port} | dict(unusual.pop("listen", {}))
        admin = {"port": admin_port} | dict(unusual.pop("admin", {}))
        plain = settings_of(upstream.url, listen=listen, admin=admin, **unusual)
        config, log = home / f"{port}.yaml", home / f"{port}.log"
        config.write_text(json.dumps(plain))
        at = os.path.relpath(config, ROOT)  # noqa: ASYNC240 - nothing is looked up
        with log.open("wb") as file, (home / f"{port}.err").open("wb") as err:
            process = await asyncio.create_subprocess_exec(
                *(*command, at),
                stdout=file if stdout is None else stdout,
                stderr=err,
                cwd=ROOT,
            )
        running = cls(port, admin_port, process, log)
        try:
            await running._await_ready()
        except BaseException:  # nobody has it yet who could end it
            await running.end()
            raise
        return running

    async def _await_ready(self) -> None:
        async with asyncio.timeout(60):  # ten may start at once
            while not await self.is_ready():
                assert self.process.returncode is None, self.log.with_suffix(".err").read_text()
                await asyncio.sleep(0.02)

    async def is_ready(self) -> bool:
        """What /readyz says; False also where nobody answers."""
        try:
            # by TLS it answers 400 to plain HTTP: then it is there
            return (await fetch(self.admin_port, "/readyz")).status in (200, 400)
        except OSError:
            return False

    def events(self, name: str = "exchange") -> list[Event]:
        lines = self.log.read_bytes().rpartition(b"\n")[0].splitlines()  # one may be half written
        return [event for line in lines if (event := json.loads(line))["event"] == name]

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended(self, patience: float = PATIENCE) -> int:
        """Its exit code. Raises TimeoutError."""
        async with asyncio.timeout(patience):
            return await self.process.wait()

    async def end(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    def memory(self) -> int:
        """Resident bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        row = next(row for row in status.splitlines() if row.startswith("VmRSS"))
        return int(row.split()[1]) * 1024
