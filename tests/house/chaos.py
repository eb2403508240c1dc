"""Clients and upstreams that reset, stall, half-close and flood at random, and what is left of it.

    python -X dev -m tests.house.chaos [--loop uvloop|asyncio] [--seconds 60] [--seed N]

Prints what happened as JSON; exits with 1 where a promise was broken. The seed plays the same
dice again, though not the same timing.
"""

import argparse
import asyncio
import gc
import json
import os
import random
import sys
import warnings
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import uvloop

from proxy.client.connection import ClientConnection
from proxy.context import Context
from proxy.upstream.connection import Connection
from proxy.websocket.side import TunnelSide
from tests.house.fault_upstream import FaultUpstream, Turn
from tests.house.house import House
from tests.house.raw_client import CutShortError, RawClient, request
from tests.house.test_websocket import ASK, KEY, SWITCH, frame

AT_A_TIME = 48
"""Clients."""

FEW = 2_000
"""Pieces of a flood."""

KEPT = (ClientConnection, Context, Connection, TunnelSide)
"""None of them may be left when all is over."""

SETTINGS = {
    "timeouts": {
        "connect": "1s", "pool_wait": "500ms", "head": "300ms", "first_event": "300ms",
        "gap": "300ms", "max_stream": "2s", "total": "2s", "client_write": "300ms",
        "request_body_gap": "300ms", "tunnel_idle": "500ms",
    },
    "listen": {"request_head": "300ms", "keep_alive": "500ms"},
    "upstream": {"pool": {"size": 16, "keep_alive": "300ms", "max_waiting": 16}},
    "breaker": {"consecutive": 40, "cool_down": "100ms", "max_cool_down": "200ms"},
    "max_body": "1MiB",
    "route": {"websocket": True, "stream": {"heartbeat": "100ms"}},
    "log": {"queue": 100_000},
}  # fmt: skip

NEWS = {
    "exchange", "started", "config_loaded", "breaker_opened", "breaker_half_open",
    "breaker_closed", "endpoint_down", "endpoint_up", "alert_raised", "alert_resolved",
    "loop_stalled",
}  # fmt: skip
"""Events that chaos, or a machine that stands still, may cause; any other is a broken promise."""


# Upstreams. Each knows the number of the request by its path, and a good answer says it.


def number_of(turn: Turn) -> bytes:
    return turn.request.path.rpartition("/")[2].encode()


async def good(turn: Turn, dice: random.Random) -> None:
    await turn.body()
    await turn.answer(200, body=number_of(turn))


async def late(turn: Turn, dice: random.Random) -> None:
    await turn.body()
    await asyncio.sleep(dice.random() * 0.4)
    await turn.answer(dice.choice((200, 404, 500, 503)), body=number_of(turn))


async def early(turn: Turn, dice: random.Random) -> None:
    """An answer before the request is read."""
    await turn.answer(413, body=number_of(turn))
    if dice.random() < 0.5:
        turn.close()


async def no_head(turn: Turn, dice: random.Random) -> None:
    if dice.random() < 0.5:
        await turn.body()
    await turn.send(
        dice.choice((b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nA: b\r\n", b"\0\r\n\r\n"))
    )
    await _leave(turn, dice)


async def half_body(turn: Turn, dice: random.Random) -> None:
    await turn.body()
    await turn.send(
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x" * dice.randrange(99_999)
    )
    await _leave(turn, dice)


async def events(turn: Turn, dice: random.Random) -> None:
    await turn.body()
    await turn.begin_chunked("Content-Type: text/event-stream")
    for _ in range(dice.randrange(20)):
        await turn.chunk(
            dice.choice(("data: 1\n\n", "data: 1", "\n\n", ":\n\n", "data: " + "x" * 9000))
        )
        await asyncio.sleep(dice.random() * 0.02)
    if dice.random() < 0.5:
        await turn.end_chunked()
    else:
        await _leave(turn, dice)


async def flood(turn: Turn, dice: random.Random) -> None:
    await turn.body()
    await turn.begin_chunked(f"Content-Type: {dice.choice(('text/event-stream', 'text/plain'))}")
    for _ in range(dice.randrange(40)):
        await turn.send(
            dice.choice((b"1\r\n\n\r\n", b"3\r\n:\n\n\r\n", b"8\r\ndata:1\n\n\r\n")) * FEW
        )
    await _leave(turn, dice)


async def framing(turn: Turn, dice: random.Random) -> None:
    """Interim heads, extensions, trailers or junk, for longer than anybody bears."""
    await turn.body()
    start, piece = dice.choice((
        (b"", b"HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a=b;" * 100),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n" * 100),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"zz\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 100),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", b"junk"),
    ))  # fmt: skip
    await turn.send(start + piece, *[piece] * dice.randrange(200), between=0)
    await _leave(turn, dice)


async def tunnel(turn: Turn, dice: random.Random) -> None:
    if turn.request.header("Upgrade") is None:
        await good(turn, dice)
        return
    await turn.send(SWITCH)
    for _ in range(dice.randrange(10)):
        if dice.random() < 0.5:
            await turn.send(frame(2, b"", b"") * FEW)
        else:
            with suppress(TimeoutError):
                await asyncio.wait_for(turn.connection.some(1 << 16), 0.05)
    if dice.random() < 0.5:
        await turn.send(frame(8, b"\x03\xe8"))
    await _leave(turn, dice)
    turn.close()


async def _leave(turn: Turn, dice: random.Random) -> None:
    match dice.randrange(4):
        case 0:
            turn.close()
        case 1:
            turn.reset()
        case 2:
            turn.connection.transport.write_eof()
            await asyncio.sleep(dice.random() * 0.5)
            turn.close()
        case _:
            await asyncio.sleep(dice.random() * 0.5)
            turn.close()


SCRIPTS = (
    good,
    good,
    good,
    late,
    early,
    no_head,
    half_body,
    events,
    flood,
    framing,
    tunnel,
    tunnel,
)


class ChaosUpstream(FaultUpstream):
    """Plays a script at random for each request."""

    dice: random.Random

    def _script(self, path: str) -> Callable[[Turn], Awaitable[None]]:
        script = self.dice.choice(SCRIPTS)

        async def play(turn: Turn) -> None:
            with suppress(RuntimeError, OSError):  # its transport, which is closed already
                await script(turn, self.dice)

        return play


# Clients.


class Crowd:
    """Clients at random; `wrong` is what an answer should not have been."""

    def __init__(self, port: int, dice: random.Random) -> None:
        self.port, self.dice = port, dice
        self.number = 0
        self.answers: Counter[str] = Counter()
        self.wrong: list[str] = []

    async def run(self, until: float) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            window = self.dice.choice((0, 0, 0, 4096))
            with suppress(CutShortError, TimeoutError, OSError):
                async with RawClient(self.port, window=window, read_ahead=1024) as client:
                    act = self.dice.choice(ACTS)
                    await asyncio.wait_for(act(self, client), 3)
                    await self.leave(client)

    async def leave(self, client: RawClient) -> None:
        match self.dice.randrange(4):
            case 0:
                await client.reset()
            case 1:
                client._writer.write_eof()
                await client.rest(0.2)
            case 2:
                await asyncio.sleep(self.dice.random() * 0.4)
            case _:
                pass

    def next(self) -> str:
        self.number += 1
        return f"/{self.number}"

    async def ask(self, client: RawClient) -> None:
        """Well-behaved exchanges, one after the other."""
        for _ in range(self.dice.randrange(1, 5)):
            path = self.next()
            body = self.dice.randbytes(self.dice.choice((0, 0, 10, 200_000)))
            await client.send(request(self.dice.choice(("GET", "POST", "PUT")), path, body=body))
            await self.take(client, path)

    async def take(self, client: RawClient, path: str) -> None:
        answer = await client.answer(patience=2.5)
        self.answers[f"{answer.status} {answer.end}"] += 1
        mine = path[1:].encode()
        usual = answer.framing == "length" and answer.end == "clean" and answer.status == 200
        if usual and answer.body != mine and len(answer.body) > 1:
            self.wrong.append(f"{path} got {answer.body[:40]!r}")

    async def send_ahead(self, client: RawClient) -> None:
        paths = [self.next() for _ in range(self.dice.randrange(2, 40))]
        await client.send(b"".join(request("GET", path) for path in paths))
        for path in paths[: self.dice.randrange(len(paths) + 1)]:
            await self.take(client, path)

    async def upload(self, client: RawClient) -> None:
        await client.send(
            f"POST {self.next()} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(self.dice.randrange(20)):
            await client.send(
                self.dice.choice((b"1\r\nx\r\n" * FEW, b"5;a=b\r\nhello\r\n", b"zz\r\n"))
            )
            await asyncio.sleep(self.dice.random() * 0.05)
        if self.dice.random() < 0.5:
            await client.send(b"0\r\nA: b\r\n\r\n")

    async def short_upload(self, client: RawClient) -> None:
        await client.send(request("POST", self.next(), "Content-Length: 100000"), b"x" * 50_000)

    async def part_of_a_head(self, client: RawClient) -> None:
        head = request("GET", self.next(), "A: " + "b" * 20_000)
        await client.send(head[: self.dice.randrange(len(head))])

    async def junk(self, client: RawClient) -> None:
        await client.send(self.dice.randbytes(self.dice.randrange(1, 100_000)))

    async def empty_lines(self, client: RawClient) -> None:
        await client.send(b"\r\n" * 10 * FEW + request("GET", self.next()))

    async def stand_still(self, client: RawClient) -> None:
        await client.send(request("GET", self.next()))
        await asyncio.sleep(self.dice.random())

    async def begin_to_read(self, client: RawClient) -> None:
        await client.send(request("GET", self.next()))
        await client.head()

    async def tunnel(self, client: RawClient) -> None:
        await client.send(request("GET", self.next(), *ASK))
        if (await client.head()).status != 101:
            return
        for _ in range(self.dice.randrange(10)):
            await client.send(
                self.dice.choice((frame(2, b"", KEY) * FEW, frame(2, bytes(60_000), KEY)))
            )
            if self.dice.random() < 0.5:
                with suppress(TimeoutError):
                    await asyncio.wait_for(client._more(), 0.05)
        if self.dice.random() < 0.3:
            await client.send(frame(8, b"\x03\xe8", KEY))


ACTS = (
    Crowd.ask, Crowd.ask, Crowd.ask, Crowd.send_ahead, Crowd.upload, Crowd.short_upload,
    Crowd.part_of_a_head, Crowd.junk, Crowd.empty_lines, Crowd.stand_still, Crowd.begin_to_read,
    Crowd.tunnel, Crowd.tunnel,
)  # fmt: skip


# What must hold.


class Counting:
    """The observer, with the number of exchanges that began."""

    def __init__(self, inner) -> None:
        self.inner = inner
        self.begun = 0

    def opened(self, x) -> None:
        self.begun += 1
        self.inner.opened(x)

    def close(self, x) -> None:
        self.inner.close(x)

    def connection_refused(self) -> None:
        self.inner.connection_refused()


def left_over() -> dict[str, int]:
    gc.collect()
    count = Counter(type(thing).__name__ for thing in gc.get_objects() if isinstance(thing, KEPT))
    return {kind.__name__: count[kind.__name__] for kind in KEPT if count[kind.__name__]}


def descriptors() -> dict[str, str]:
    """Each, and what it is."""
    found = {}
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - names, and quickly
        with suppress(OSError):  # that of the listing itself
            found[name] = os.readlink(f"/proc/self/fd/{name}")  # noqa: PTH115
    return found


async def settled(house: House) -> bool:
    """Wait until nobody is connected any more."""
    for _ in range(200):
        if not house.app.listener.server.connections and not house.app.forward.drain.running:
            return True
        await asyncio.sleep(0.05)
    return False


async def chaos(seconds: float, seed: int) -> dict[str, object]:
    """What happened; `broken` says which promises were."""
    loop = asyncio.get_running_loop()
    loop.slow_callback_duration = 60.0  # a busy machine is no warning
    broken: list[str] = []
    upstream = ChaosUpstream()
    upstream.dice = random.Random(seed)
    await upstream.open()
    await upstream.stop()  # a loop keeps a descriptor of its own once it has listened
    tasks, fds = len(asyncio.all_tasks()), descriptors()
    await upstream.open()
    house = await House.start(upstream, **SETTINGS)
    shown: list[str] = []
    tell = loop.get_exception_handler()

    def failed(of, context) -> None:
        shown.append(" ".join(f"{key}={value!r}" for key, value in context.items()))
        tell(of, context)

    loop.set_exception_handler(failed)
    counting = house.app.forward.observer = Counting(house.app.observer)
    blocks = 0
    crowd = Crowd(house.port, random.Random(seed + 1))
    half = loop.time() + seconds / 2
    await asyncio.gather(*(crowd.run(half) for _ in range(AT_A_TIME)))
    blocks = sys.getallocatedblocks()
    await asyncio.gather(*(crowd.run(half + seconds / 2) for _ in range(AT_A_TIME)))
    if not await settled(house):
        broken.append(f"still there: {house.app.listener.server.connections}")
    await upstream.stop()
    pools = house.app.upstreams["chat"].view()
    await house.stop()
    upstream.connections.clear()
    seen = len(upstream.seen)
    for _ in range(20):
        await asyncio.sleep(0.01)  # what is closed is gone in the next turns
    lines = [event for event in house.events if event["event"] == "exchange"]
    named = Counter(event["request_id"] for event in lines)
    broken += [f"unhandled: {words}" for words in shown[:5]]
    broken += [f"wrong answer: {wrong}" for wrong in crowd.wrong]
    broken += [f"not a request: {words}" for words in upstream.malformed[:5]]
    broken += [f"the script failed: {fault!r}" for fault in upstream.errors[:5]]
    broken += [f"internal_error: {event}" for event in lines if event["code"] == "internal_error"][
        :5
    ]
    broken += [f"event: {event}" for event in house.events if event["event"] not in NEWS][:5]
    broken += [f"{name} has {n} lines" for name, n in named.items() if n > 1][:5]
    if counting.begun != len(lines):
        broken.append(f"{counting.begun} exchanges, {len(lines)} lines")
    codes = Counter(event["code"] for event in lines)
    del lines
    house.events.clear()
    app = house.app
    house.app = None
    del counting, crowd.answers, app, house
    if left := left_over():
        broken.append(f"left over: {left}")
    if len(asyncio.all_tasks()) > tasks:
        broken.append(f"tasks: {asyncio.all_tasks()}")
    if len(now := descriptors()) > len(fds):
        broken.append(f"descriptors: {[now[name] for name in now.keys() - fds.keys()]}")
    return {
        "seed": seed, "seconds": seconds, "seen": seen,
        "blocks": (blocks, sys.getallocatedblocks()),
        "codes": dict(codes.most_common()), "pool": str(pools), "broken": broken,
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--loop", choices=("uvloop", "asyncio"), default="uvloop")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    given = parser.parse_args()
    warned: list[str] = []
    warnings.simplefilter("always")
    warnings.showwarning = lambda message, kind, *where, **_: warned.append(
        f"{kind.__name__}: {message} {where[:2]}"
    )
    sys.unraisablehook = lambda unraisable: warned.append(f"unraisable: {unraisable.exc_value!r}")
    make = uvloop.new_event_loop if given.loop == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=make, debug=sys.flags.dev_mode) as runner:
        found = runner.run(chaos(given.seconds, given.seed))
    gc.collect()
    found["broken"] += [f"warning: {words}" for words in warned[:10]]
    print(json.dumps(found, indent=1))
    return bool(found["broken"])


if __name__ == "__main__":
    sys.exit(main())
