"""Takes the requests off a client's connection, one after the other.

aiohttp's request handler has the parser, the queue of what is pipelined and keep-alive.
This room adds what it lacks: a clock and a byte count for heads, and our own word for what the
parser refuses; and it serves in the connection's own task, where aiohttp makes one per request.
Refuses to know what an exchange is.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from aiohttp import EMPTY_PAYLOAD, StreamReader
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.web_protocol import RequestHandler, _ErrInfo

from proxy import outcome as o
from proxy.outcome import Outcome
from proxy.request import Request, RequestError, read_body

LINGER = 5.0
"""Seconds for which an unread body is read and dropped: a reset could overtake the answer."""


class Limits(Protocol):
    """What bounds a request's head; lengths of time in seconds, sizes in bytes."""

    @property
    def request_head(self) -> float: ...

    @property
    def header_bytes(self) -> int: ...

    @property
    def uri_bytes(self) -> int: ...


Serve = Callable[[Request], Awaitable[bool]]
"""Takes a request all the way; gives whether its connection may carry another one."""

Refuse = Callable[[Request, RequestError], Awaitable[bool]]
"""Answers what never became a request."""


class Serving(RequestHandler):
    """A connection, as requests are read from it."""

    __slots__ = ("_head_bytes", "_head_timer", "_limits", "_refuse", "_serve", "_task", "loop")

    def __init__(
        self, *args: Any, limits: Limits, serve: Serve, refuse: Refuse, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.loop = self._loop
        self._limits = limits
        self._serve = serve
        self._refuse = refuse
        self._task: asyncio.Task[None] | None = None
        """It serves, also where the client has left: aiohttp forgets its own then."""
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Serve until the connection is to end; what aiohttp runs for each connection."""
        self._task = asyncio.current_task()
        try:
            while not self._force_close:
                if not self._messages:
                    await self._next_head()
                if not await self._take(*self._messages.popleft()):
                    break
        finally:
            self._task = self._task_handler = None
            if self.transport is not None:
                self.transport.close()  # once all that is queued for the client is written

    async def _next_head(self) -> None:
        self._waiter = self.loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    async def _take(self, message: Any, body: StreamReader) -> bool:
        """Serve one request. Whether the connection goes on."""
        if self._parser is not None:
            self._parser.message_consumed()
        if self._buffer_paused and len(self._messages) <= self._msg_queue_resume_size:
            self._resume_reading_if_drained()
        request = Request(message, body, self)  # type: ignore[arg-type]  # every one is a Client
        self._current_request = request  # type: ignore[assignment]
        try:
            if isinstance(message, _ErrInfo):
                goes_on = await self._refuse(request, _refusal(message.exc, self._limits))
            else:
                goes_on = await self._serve(request)
            if self._upgraded:
                self._stay_with_http()
            if not body.is_eof() and not self._force_close:
                await self._drop_rest(request)
        finally:
            self._current_request = None
        self._keepalive = goes_on
        if not goes_on or self._close or self._force_close:
            return False
        self._await_next()
        return True

    def _stay_with_http(self) -> None:
        """A switch of protocols was declined: what came behind the request is HTTP as well."""
        if self._messages or self._parser is None:
            return
        self._parser.set_upgraded(False)
        self._upgraded = False
        tail, self._message_tail = self._message_tail, b""
        if tail:
            self.data_received(tail)
        if self._buffer_paused:
            self._resume_reading_if_drained()

    async def _drop_rest(self, request: Request) -> None:
        await asyncio.sleep(0)  # an upload that was cancelled lets go of the body only now
        try:
            async with asyncio.timeout(LINGER):
                while not request.body.is_eof():
                    await read_body(request, LINGER)
        except (RequestError, TimeoutError):
            self.close()

    def _await_next(self) -> None:
        """Start the clock of keep-alive, unless it runs: then it looks at the time itself."""
        due = self._next_keepalive_close_time = self.loop.time() + self._keepalive_timeout
        if self._keepalive_handle is None:
            self._keepalive_handle = self.loop.call_at(due, self._process_keepalive)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_head_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before, is_head = self._request_count, self._is_between
        super().data_received(data)
        if self._request_count != before:
            self._head_arrived(len(data))
        elif is_head and data and not (self._upgraded or self._buffer_paused):
            self._head_grows(data)

    @property
    def _is_between(self) -> bool:
        """Whether the last request has arrived whole: what comes next is a head."""
        if self._messages:
            last, body = self._messages[-1]
            return body.is_eof() and not isinstance(last, _ErrInfo)
        return self._current_request is None or self._current_request.body.is_eof()  # type: ignore[attr-defined]

    def _head_arrived(self, size: int) -> None:
        self._head_bytes += size
        self._stop_head_clock()
        message = self._messages[-1][0]
        if isinstance(message, _ErrInfo):
            if self._current_request is not None:
                # aiohttp never tells the body's reader that the rest of it is broken
                self._current_request._cancel(message.exc)
        elif self._head_bytes > self._limits.uri_bytes:
            self._check_size(message)
        self._head_bytes = 0

    def _check_size(self, message: Any) -> None:
        """Bodies and pipelined heads came along; only now is it worth counting exactly."""
        if len(message.path) > self._limits.uri_bytes:
            self._replace_head(o.URI_TOO_LONG)
        elif sum(len(n) + len(v) + 4 for n, v in message.raw_headers) > self._limits.header_bytes:
            self._replace_head(o.HEADERS_TOO_LARGE)

    def _replace_head(self, outcome: Outcome) -> None:
        _, body = self._messages.pop()
        self._messages.append((_error(outcome, "head over the limit"), body))

    def _head_grows(self, data: bytes) -> None:
        if not self._head_bytes:
            self._head_timer = self.loop.call_later(self._limits.request_head, self._head_late)
        in_line = self._head_bytes <= self._limits.uri_bytes and b"\n" not in data
        self._head_bytes += len(data)
        if in_line and self._head_bytes > self._limits.uri_bytes:
            self._refuse_head(o.URI_TOO_LONG, "request line over the limit")
        elif self._head_bytes > self._limits.header_bytes + self._limits.uri_bytes:
            self._refuse_head(o.HEADERS_TOO_LARGE, "header bytes over the limit")

    def _head_late(self) -> None:
        self._head_timer = None
        self._refuse_head(o.REQUEST_TIMEOUT, "head incomplete when its clock ran out")

    def _refuse_head(self, outcome: Outcome, detail: str) -> None:
        """Hand a refusal to aiohttp's queue, as its own parser would."""
        self._stop_head_clock()
        self._head_bytes = 0
        self._messages.append((_error(outcome, detail), EMPTY_PAYLOAD))
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _stop_head_clock(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _process_keepalive(self) -> None:
        self._keepalive_handle = None
        if self._head_timer is None:  # a head that has begun is bounded by its own clock
            super()._process_keepalive()


def _error(outcome: Outcome, detail: str) -> _ErrInfo:
    return _ErrInfo(status=400, exc=RequestError(outcome, detail), message="")


def _refusal(error: BaseException, limits: Limits) -> RequestError:
    """The parser's exception as one of our outcomes; its text holds what the client sent."""
    if isinstance(error, RequestError):
        return error
    outcome = o.BAD_REQUEST
    if isinstance(error, LineTooLong):
        in_line = error.args[1] == limits.uri_bytes
        outcome = o.URI_TOO_LONG if in_line else o.HEADERS_TOO_LARGE
    elif isinstance(error, HttpProcessingError) and "Too many headers" in error.message:
        outcome = o.HEADERS_TOO_LARGE
    return RequestError(outcome, f"parser: {type(error).__name__}")
