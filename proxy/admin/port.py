"""The admin port's server: aiohttp's, with timeouts, a limit of connections and errors in our
format.

A visitor who keeps silent costs a place, and the silent give way first: who asks whether we live
is answered while all places are taken.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.typedefs import Handler

from proxy.admin.replies import BAD_REQUEST, FAULT, refusal_reply
from proxy.admin.security_headers import add_security_headers
from proxy.clock import now
from proxy.tls.client_certificate import ClientCertificate

IDLE: Final = 75.0
"""Seconds for which a connection may keep silent between two requests."""
HEAD: Final = 10.0
"""Seconds in which a head that has begun must be whole."""
ANSWER: Final = 60.0
"""Seconds from the head of a request to the last byte of its answer."""
EVERY: Final = 1.0
"""Seconds between two looks at the clocks."""


class AdminConnection(web.RequestHandler):
    """A visitor's connection."""

    __slots__ = ("head_began", "is_waiting", "since")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.since = now()
        """Since when it has been waiting, or answering the present request."""
        self.head_began: float | None = None
        self.is_waiting = True
        """Whether the next thing to come is a head, or the rest of one."""

    def data_received(self, data: bytes) -> None:
        if self.is_waiting and self.head_began is None:
            self.head_began = now()
        super().data_received(data)

    def begin(self) -> None:
        """A head is whole: it is answered now."""
        self.is_waiting, self.head_began, self.since = False, None, now()

    def end(self) -> None:
        """The answer is made; what comes next is another request."""
        self.is_waiting, self.since = True, now()

    def is_late(self, at: float) -> bool:
        """Whether a clock has run out; call it regularly."""
        if not self.is_waiting:
            return at - self.since > ANSWER
        if self.head_began is not None:
            return at - self.head_began > HEAD
        return at - self.since > IDLE

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes what was sent
    ) -> web.StreamResponse:
        """What is no HTTP, or a fault of ours, in the form of every other refusal."""
        if request.writer.output_size > 0:
            raise ConnectionError("half an answer has gone out")
        if status >= 500:
            self.log_exception("Error handling request", exc_info=exc)
        reply = refusal_reply(FAULT if status >= 500 else BAD_REQUEST)
        reply.force_close()
        return add_security_headers(reply)


def timed(handler: Handler) -> Handler:
    """`handler` and the sending of its answer, while which the connection is not waiting."""

    async def answer(request: web.Request) -> web.StreamResponse:
        connection = cast("AdminConnection", request.protocol)
        connection.begin()
        try:
            response = await handler(request)
            with suppress(ConnectionError):  # who has left is told nothing
                await response.prepare(request)
                await response.write_eof()
            return response
        finally:
            connection.end()

    return answer


class AdminServer(web.Server):
    """At most `most` connections; those that had to give way are counted in `shed` by the cause."""

    def __init__(
        self, handler: Handler, *, most: int, shed: Counter[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(timed(handler), **kwargs)  # type: ignore[arg-type]  # of web.Request as well
        self._most, self._shed = most, shed
        self._options = {key: kwargs[key] for key in kwargs if key != "request_factory"}
        self._clock = asyncio.get_running_loop()
        self._open: dict[AdminConnection, asyncio.Transport] = {}
        self._timer: asyncio.TimerHandle | None = None

    def has_room(self, fd: int, shaking: int) -> bool:  # noqa: ARG002 - as the port asks it
        """Whether one more may begin its handshake: others give way when it is done."""
        return True

    def protocol(self, certificate: ClientCertificate | None) -> AdminConnection:  # noqa: ARG002
        """What serves a connection whose handshake is done."""
        return self()

    def __call__(self) -> AdminConnection:
        return AdminConnection(self, loop=self._clock, **self._options)

    def connection_made(self, handler: Any, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._open[handler] = transport
        if len(self._open) > self._most:
            others = [one for one in self._open if one is not handler]
            self._cut(min(others, key=_worth), "connection_limit")
        if self._timer is None:
            self._timer = self._clock.call_later(EVERY, self._look)

    def connection_lost(self, handler: Any, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        self._open.pop(handler, None)

    async def shutdown(self, timeout: float | None = None) -> None:
        """As aiohttp does."""
        if self._timer is not None:
            self._timer.cancel()
        await super().shutdown(timeout)

    def _look(self) -> None:
        """Cut those whose clock has run out."""
        at = now()
        for late in [one for one in self._open if one.is_late(at)]:
            self._cut(late, "timeout")
        self._timer = self._clock.call_later(EVERY, self._look) if self._open else None

    def _cut(self, one: AdminConnection, why: str) -> None:
        self._shed["admin", why] += 1
        self._open.pop(one).abort()


def _worth(one: AdminConnection) -> tuple[bool, bool, float]:
    """The least goes first: silent ones, then unfinished heads, the oldest of them."""
    return not one.is_waiting, one.head_began is not None, one.since
