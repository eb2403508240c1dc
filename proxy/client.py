"""The client's side of an exchange: its connection, and whether it is still there.

Who it is, writes that stop when the client does not read, and every way in which it can leave or
be left. Refuses to decide anything about the exchange itself.
"""

import asyncio
import socket
import struct
from typing import Any, cast

from proxy import outcome as o
from proxy.clock import now
from proxy.heads import Source
from proxy.peers import Peers
from proxy.request import RequestError
from proxy.serving import Serving

_BUFFER = 32 * 1024
"""Bytes that may wait for a client that does not read, before reading upstream stops."""

_AT_ONCE = struct.pack("ii", 1, 0)


class Client(Serving):
    """A client's connection."""

    __slots__ = (
        "_is_watched",
        "_peers",
        "gone_at",
        "id_trusted",
        "is_exchanging",
        "is_full",
        "may_leave",
        "peer",
        "shed",
        "source",
    )

    def __init__(self, *args: Any, peers: Peers, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._peers = peers
        self._is_watched = False
        """Whether a clock runs for what it has not taken."""
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
        if self.is_exchanging and self._task is not None:
            self._task.cancel()

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
            waiter = self._drain_waiter = self.loop.create_future()
            timer = self.loop.call_later(min(silence, max(0.0, until - now())), _wake, waiter)
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

    def hand_over(self, to: asyncio.BaseProtocol) -> bytes:
        """HTTP is over: from now on `to` has the connection. Gives the bytes behind the request.

        Raises RequestError where the client has left.
        """
        transport = self.transport
        if transport is None:
            raise RequestError(o.CLIENT_CLOSED_STREAM, "left before the tunnel began")
        self.may_leave = True  # `to` is told of it, and says so by `on_lost`
        early, self._message_tail = self._message_tail, b""
        transport.set_protocol(to)
        to.connection_made(transport)
        if self._buffer_paused:
            self._resume_reading_for_buffer()
        return early

    def on_lost(self, exc: Exception | None) -> bytes:
        """Whom it was handed over to says that it is lost. All that had arrived was read."""
        self.connection_lost(exc)
        return b""

    def bound_unread(self, silence: float) -> None:
        """After an exchange: break the connection if the client does not take what is queued.

        Closing waits until all of it is written, for ever if need be.
        """
        if self.transport is not None and not self._is_watched:
            self._watch_unread(self.transport, silence)

    def _watch_unread(self, transport: asyncio.Transport, silence: float) -> None:
        queued = transport.get_write_buffer_size()
        self._is_watched = queued > 0
        if queued:
            self.loop.call_later(silence, self._check_unread, transport, queued, silence)

    def _check_unread(self, transport: asyncio.Transport, before: int, silence: float) -> None:
        is_stuck = transport.get_write_buffer_size() >= before
        if is_stuck and (transport.is_closing() or not self.is_exchanging):
            transport.abort()  # while an exchange is under way it has clocks of its own
        else:
            self._watch_unread(transport, silence)

    def abort(self, *, reset: bool = False) -> None:
        """Break the connection: half an answer must not look like a whole one.

        With `reset` the client sees that it was broken, and not just an end.
        """
        transport = self.transport
        self.force_close()
        if transport is None:
            return
        sock = transport.get_extra_info("socket")
        if reset and sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        transport.abort()


def _wake(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
