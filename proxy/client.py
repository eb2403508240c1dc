"""The client's side of an exchange: its connection, its body, and whether it is still there.

aiohttp's low-level request handler does the parsing, keep-alive and pipelining.
This room adds what it lacks: a clock and a byte count for heads, our own word for what the parser
refuses, a body that cannot hang, and writes that stop when the client does not read.
Refuses to decide anything about the exchange itself.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, cast

from aiohttp import EMPTY_PAYLOAD, StreamReader
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.web_protocol import RequestHandler, _ErrInfo

from proxy import outcome as o
from proxy.clock import now
from proxy.heads import Source
from proxy.outcome import Outcome
from proxy.peers import Peers

_BUFFER = 32 * 1024
"""Bytes that may wait for a client that does not read, before reading upstream stops."""


class Limits(Protocol):
    """What bounds a request's head; lengths of time in seconds, sizes in bytes."""

    @property
    def request_head(self) -> float: ...

    @property
    def header_bytes(self) -> int: ...

    @property
    def uri_bytes(self) -> int: ...


class RequestError(Exception):
    """A request that never became an exchange of its own: the parser or a clock refused it."""

    def __init__(self, outcome: Outcome, detail: str) -> None:
        super().__init__(detail)
        self.outcome = outcome
        self.detail = detail


class Sent:
    """What a handler returns to aiohttp when the answer has been written already."""

    __slots__ = ("keep_alive",)

    def __init__(self, keep_alive: bool) -> None:
        self.keep_alive = keep_alive

    async def prepare(self, _request: object) -> None:
        """Nothing is left to prepare."""

    async def write_eof(self) -> None:
        """Nothing is left to write."""


KEEP = Sent(True)
CLOSE = Sent(False)


class Request:
    """One parsed request head with its body; what aiohttp's request factory makes here."""

    __slots__ = ("_task", "body", "client", "message", "remote", "writer")

    def __init__(
        self, message: Any, body: StreamReader, client: "Client", writer: Any, task: Any
    ) -> None:
        self.message = message
        self.body = body
        self.client = client
        self.writer = writer
        self.remote = client.peer
        self._task = task

    def _finish(self) -> None:
        """aiohttp's hook for temporary files; there are none."""

    def _cancel(self, error: BaseException) -> None:
        """aiohttp's hook: the connection is lost, nobody may wait for the body any longer."""
        self.body.set_exception(error)


class Client(RequestHandler):
    """A client's connection."""

    __slots__ = (
        "_head_bytes",
        "_head_timer",
        "_limits",
        "_peers",
        "_refuse",
        "gone_at",
        "id_trusted",
        "is_exchanging",
        "is_full",
        "may_leave",
        "peer",
        "shed",
        "source",
    )

    def __init__(
        self, *args: Any, limits: Limits, peers: Peers, refuse: "Refuse", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._limits = limits
        self._peers = peers
        self._refuse = refuse
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self.is_exchanging = False
        """Whether an exchange is under way."""
        self.is_full = False
        """Whether more than `_BUFFER` bytes wait for the client."""
        self.may_leave = False
        """Whether the exchange goes on when the client leaves."""
        self.gone_at: float | None = None
        """When it left, on the `now` clock; None while it is here."""
        self.peer = ""
        self.source = Source("")
        self.id_trusted = False
        self.shed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no asyncio.Transport to isinstance
        cast("asyncio.Transport", transport).set_write_buffer_limits(high=_BUFFER)
        peer = transport.get_extra_info("peername")
        self.peer = peer[0] if peer else ""
        self.source = Source(self.peer, self._peers.is_proxy(self.peer))
        self.id_trusted = self._peers.names_ids(self.peer)
        super().connection_made(transport)

    def address(self, forwarded_for: bytes | None) -> str:
        """Who asks: the peer, or whom trusted proxies name."""
        if forwarded_for is None or not self.source.trusted:
            return self.peer
        return self._peers.origin(self.peer, forwarded_for)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.gone_at = now()
        self._stop_head_clock()
        if not self.may_leave:
            self.interrupt()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.is_full = True

    def resume_writing(self) -> None:
        super().resume_writing()
        self.is_full = False

    def interrupt(self) -> None:
        """Raise CancelledError in the exchange under way, if there is one."""
        if self.is_exchanging and self._task_handler is not None:
            self._task_handler.cancel()  # it awaits the exchange's task, and passes this on to it

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._messages:
            self._head_arrived(len(data))
        elif self._waiter is not None and not self._upgraded and data:
            self._head_grows(data)

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
            self._head_timer = self._loop.call_later(self._limits.request_head, self._head_late)
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
        if self._waiter is not None and not self._waiter.done():
            self._messages.append((_error(outcome, detail), EMPTY_PAYLOAD))
            self._waiter.set_result(None)

    def _stop_head_clock(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _process_keepalive(self) -> None:
        if self._head_timer is None:  # a head that has begun is bounded by its own clock
            super()._process_keepalive()

    def _make_error_handler(self, err_info: Any) -> Any:
        refused = _refusal(err_info.exc, self._limits)

        async def refuse(request: Request) -> Sent:
            return await self._refuse(request, refused)

        return refuse

    def write(self, data: bytes) -> None:
        """Queue bytes for the client; nothing happens once it is gone."""
        if self.transport is not None:
            self.transport.write(data)

    async def drained(self, silence: float, limit: float) -> bool:
        """Wait until the client has read.

        False if it took nothing for `silence` seconds, or not enough in `limit` seconds.
        """
        until = now() + limit
        while self._paused and self.transport is not None:
            before = self.transport.get_write_buffer_size()
            waiter = self._drain_waiter = self._loop.create_future()
            timer = self._loop.call_later(min(silence, max(0.0, until - now())), _wake, waiter)
            try:
                await waiter
            except ConnectionError:
                return True  # it left; an exchange that is still here goes on without it
            finally:
                timer.cancel()
                self._drain_waiter = None
            if self._paused and self._is_stuck(before, until):
                return False
        return True

    def _is_stuck(self, before: int, until: float) -> bool:
        """Whether nothing was taken since `before` bytes were waiting, or time is up."""
        if self.transport is None:
            return False
        return self.transport.get_write_buffer_size() >= before or now() >= until

    def hand_over(self, to: asyncio.Protocol) -> bytes:
        """HTTP is over: from now on `to` has the connection. Gives the bytes behind the request.

        Raises RequestError where the client has left.
        """
        transport = self.transport
        if transport is None:
            raise RequestError(o.CLIENT_CLOSED_STREAM, "left before the tunnel began")
        self.may_leave = True  # `to` is told of it, and says so by `lose`
        early, self._message_tail = self._message_tail, b""
        transport.set_protocol(to)
        to.connection_made(transport)
        if self._buffer_paused:
            self._resume_reading_for_buffer()
        return early

    def lose(self, exc: Exception | None) -> bytes:
        """Whom it was handed over to says that it is lost. All that had arrived was read."""
        self.connection_lost(exc)
        return b""

    def bound_unread(self, silence: float) -> None:
        """After an exchange: break the connection if the client does not take what is queued.

        Closing waits until all of it is written, for ever if need be.
        """
        queued = self.transport.get_write_buffer_size() if self.transport is not None else 0
        if queued:
            self._loop.call_later(silence, self._check_unread, queued, silence)

    def _check_unread(self, before: int, silence: float) -> None:
        if self.is_exchanging or self.transport is None:
            return
        if self.transport.get_write_buffer_size() >= before:
            self.transport.abort()
        else:
            self.bound_unread(silence)

    def abort(self) -> None:
        """Break the connection: half an answer must not look like a whole one."""
        transport = self.transport
        self.force_close()
        if transport is not None:
            transport.abort()


Refuse = Callable[[Request, RequestError], Awaitable[Sent]]


async def read_body(request: Request, silence: float) -> bytes:
    """The next bytes of the request's body; empty at its end.

    Raises RequestError when nothing came for `silence` seconds or the body's framing is broken.
    """
    body = request.body
    loop = request.client._loop
    late = RequestError(o.REQUEST_TIMEOUT, "body silent")
    timer = loop.call_later(silence, body.set_exception, late)
    try:
        return bytes(await body.readany())
    except HttpProcessingError as error:
        raise RequestError(o.BAD_REQUEST, f"broken body: {type(error).__name__}") from None
    except ConnectionError:
        # the task is about to be cancelled; until then there is nothing to read
        raise RequestError(o.CLIENT_CLOSED_REQUEST, "client left while sending") from None
    finally:
        timer.cancel()


def _wake(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)


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
