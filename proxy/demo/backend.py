"""A chat backend that streams its answer word by word, and misbehaves when told to.

It remembers nothing, asks no model and invents no words: it answers what it was sent.
`mode` in the query or the JSON body says how: see `MODES`.
"""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib import resources

from aiohttp import web

MODES = {
    "normal": "a word every 60 ms",
    "slow": "a word every 800 ms",
    "stall": "silence after the fifth word, until the client leaves",
    "cut": "the connection closed after the fifth word",
    "fail": "500 at once",
}
"""What a request may ask for, and what it gets."""

WORD_PAUSE = 0.06
SLOW_PAUSE = 0.8
TURNING_POINT = 5
"""After so many words `stall` and `cut` begin to misbehave."""

ANSWER = (
    "You wrote: {message} — and here is an answer that comes one word at a time, "
    "as a language model would send it, so that you can watch every event pass through the proxy."
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request asks for."""

    message: str
    mode: str


@dataclass(slots=True)
class Runner:
    """A running demo backend."""

    host: str
    port: int
    _app: web.AppRunner

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    async def stop(self) -> None:
        """Close the port and end running answers at once."""
        await self._app.cleanup()


class _UnknownMode(web.HTTPBadRequest):
    def __init__(self, mode: str) -> None:
        known = ", ".join(MODES)
        super().__init__(
            text=json.dumps({"error": "unknown_mode", "message": f"{mode[:40]!r} is not {known}"}),
            content_type="application/json",
        )


async def _wish(request: web.Request) -> Wish:
    said: object = {}
    if request.can_read_body and request.content_type == "application/json":
        try:
            said = await request.json()
        except ValueError:
            raise web.HTTPBadRequest(
                text='{"error": "not_json", "message": "The body is not JSON."}',
                content_type="application/json",
            ) from None
    fields = said if isinstance(said, dict) else {}
    mode = request.query.get("mode") or str(fields.get("mode", "normal"))
    if mode not in MODES:
        raise _UnknownMode(mode)
    return Wish(str(fields.get("message", "nothing")), mode)


def _failed() -> web.Response:
    body = {"error": "model_failed", "message": "The demo model failed, as you asked."}
    return web.json_response(body, status=500)


async def _page(_request: web.Request) -> web.Response:
    return await _file("page.html", "text/html")


async def _widget(_request: web.Request) -> web.Response:
    return await _file("sidelight.js", "text/javascript")


async def _file(name: str, content_type: str) -> web.Response:
    file = resources.files(__package__).joinpath(name)
    text = await asyncio.to_thread(file.read_text, encoding="utf-8")
    return web.Response(text=text, content_type=content_type)


async def _health(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def _echo(request: web.Request) -> web.StreamResponse:
    wish = await _wish(request)
    body = json.dumps({"method": request.method, "path": request.path_qs, "message": wish.message})
    match wish.mode:
        case "fail":
            return _failed()
        case "slow":
            await asyncio.sleep(SLOW_PAUSE)
        case "stall":
            await asyncio.Event().wait()
        case "cut":
            return await _cut_echo(request, body.encode())
    return web.Response(text=body, content_type="application/json")


async def _cut_echo(request: web.Request, body: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    _cut(request)
    return response


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()  # FIN after what was written: half an answer, not none


async def _chat(request: web.Request) -> web.StreamResponse:
    wish = await _wish(request)
    if wish.mode == "fail":
        return _failed()
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
    )
    await response.prepare(request)
    async for number, word in _words(wish):
        if number > TURNING_POINT and wish.mode == "cut":
            _cut(request)
            return response
        await response.write(_event(number, {"word": word}))
    await response.write(b"event: done\ndata: {}\n\n")
    return response


async def _words(wish: Wish) -> AsyncIterator[tuple[int, str]]:
    pause = SLOW_PAUSE if wish.mode == "slow" else WORD_PAUSE
    for number, word in enumerate(ANSWER.format(message=wish.message[:200]).split(), 1):
        if number > TURNING_POINT and wish.mode == "stall":
            await asyncio.Event().wait()
        yield number, word
        await asyncio.sleep(pause)


def _event(number: int, data: dict[str, str]) -> bytes:
    return f"id: {number}\ndata: {json.dumps(data)}\n\n".encode()


def _app() -> web.Application:
    app = web.Application()
    app.router.add_get("/", _page)
    app.router.add_get("/sidelight.js", _widget)
    app.router.add_get("/api/health", _health)
    app.router.add_route("GET", "/api/echo", _echo)
    app.router.add_route("POST", "/api/echo", _echo)
    app.router.add_post("/api/chat", _chat)
    return app


async def serve_demo(host: str = "127.0.0.1", port: int = 8000) -> Runner:
    """Start it and return once it listens; port 0 takes a free one. Raises OSError."""
    runner = web.AppRunner(_app(), access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    return Runner(host, runner.addresses[0][1], runner)


async def _until_told(host: str, port: int, *, with_parent: bool) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    if with_parent:
        loop.add_reader(sys.stdin.fileno(), told.set)  # readable when the other end is closed
    runner = await serve_demo(host, port)
    try:
        print(f"demo chat backend on {runner.url}", flush=True)  # noqa: T201 - for the person
        await told.wait()
    finally:
        await runner.stop()


def run_backend(host: str = "127.0.0.1", port: int = 8000, *, with_parent: bool = False) -> int:
    """Run it by itself until SIGINT or SIGTERM; the exit code.

    `with_parent`: also until standard input ends, so that it never outlives who started it.
    """
    asyncio.run(_until_told(host, port, with_parent=with_parent))
    return 0
