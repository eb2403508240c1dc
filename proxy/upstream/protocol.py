"""The loop's side of a connection to an endpoint: bytes that come, backpressure, and its end.

Has a writer for the request, a reader for the response and a waiter for whoever awaits it, and is
in one of the named `states` at a time.
Decides which outcome the end of a connection means for the exchange that has it.
"""

import asyncio
import select
import socket
import ssl
from collections.abc import Callable
from typing import Final, cast

from proxy import outcome as o
from proxy.http.framing import ResponseHead
from proxy.timing.waiter import Waiter
from proxy.upstream.conclusion import conclude_awaited, conclude_body, conclude_tls, ending_of
from proxy.upstream.delivery import Delivery
from proxy.upstream.pacing import CRUMBS, PacedProtocol
from proxy.upstream.request_writer import RequestWriter
from proxy.upstream.rescue import undecrypted, unread
from proxy.upstream.response_reader import ResponseReader
from proxy.upstream.rules import UpstreamRule
from proxy.upstream.states import (
    AWAITING,
    BODY,
    CLOSE,
    CLOSED,
    CLOSING,
    DONE,
    END,
    FAIL,
    HEAD,
    IDLE,
    LOST,
    RELEASE,
    SWITCH,
    TAKEN,
    TRANSITIONS,
    TUNNEL,
)

_FOLLOWING: Final = TRANSITIONS.following
_WIDTH: Final = TRANSITIONS.width

HIGH_WATER = 32 * 1024
"""Bytes held before reading pauses."""

Tap = Callable[[bytes], bool]
"""Given body bytes; whether who waits may sleep on."""


class EndpointProtocol(PacedProtocol):
    """What the loop calls."""

    __slots__ = (
        "delivery", "fault", "has_ended", "interim_to", "is_unread", "on_closed", "poll", "reader",
        "reset_by", "reused", "state", "tap", "waiter", "writer",
    )  # fmt: skip

    def __init__(self, endpoint: str, limits: UpstreamRule, sock: socket.socket) -> None:
        super().__init__()
        self.state: int = TAKEN
        self.reader = ResponseReader(endpoint, limits)
        self.writer = RequestWriter(self.loop)
        self.waiter = Waiter(self.loop)
        self.delivery = Delivery(sock)
        self.has_ended = False
        """Whether the upstream closed in order, as far as the loop says so."""
        self.is_unread = False
        """Whether the connection ended, and it is proven that the upstream read no byte of the
        request."""
        self.poll = select.poll()
        self.poll.register(sock.fileno(), select.POLLIN)
        self.on_closed: Callable[[], None] | None = None
        """Called once, when the socket is gone."""
        self.tap: Tap | None = None
        """Takes body bytes as they come while somebody waits, who is not woken for them."""
        self.interim_to: Callable[[ResponseHead], None] | None = None
        """Takes interim heads as they come."""
        self.reset_by: str | None = None
        """The words of the error that broke the connection; None where none did."""
        self.fault: Exception | None = None
        """What a callback of ours raised, which cost the connection; None without a fault."""
        self.reused = False
        """Whether it has carried an exchange before this one."""

    def __repr__(self) -> str:
        name = TRANSITIONS.states[self.state]
        return f"<connection to {self.reader.endpoint}: {name}>"

    def release(self) -> None:
        """The exchange is over, and nothing of it is left."""
        self.move(RELEASE)
        if self.reading_paused:
            self.resume_reading()
        self.reader.reset()
        self.writer.reset()
        self.interim_to = None
        self.reused = True

    def move(self, event: int) -> None:
        """The one place where the state changes; the table says to what."""
        then = _FOLLOWING[self.state * _WIDTH + event]
        self.state = then if then >= 0 else TRANSITIONS.after(self.state, event)  # which raises

    def abort(self) -> None:
        """Close at once, whatever is going on; whoever waits is told."""
        if self.state == CLOSED:
            return
        self.reader.abandon()
        self._close()
        self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no asyncio.Transport to isinstance
        self.transport = self.writer.transport = cast("asyncio.Transport", transport)
        if self._tls is not None:
            self.delivery.keep()

    def data_received(self, data: bytes) -> None:
        tap = self.tap
        if tap is None or self.state != BODY:
            self._receive(data)
            return
        reader = self.reader
        is_over = reader.feed(data)
        if len(reader.chunks) > CRUMBS:
            self.read_less()
        if is_over:
            self.move(END if reader.is_done else FAIL)
            self.waiter.wake()
        elif reader.chunks and not tap(reader.take_chunks()):
            self.pause_reading()  # now: the loop reads on and on while there is something
            self.waiter.wake()

    def eof_received(self) -> None:
        self.has_ended = True
        self._end("closed by the upstream", was_reset=False)

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None and not isinstance(exc, OSError):
            self.fault = exc  # loops break the connection whose callback raises
        elif exc is not None and AWAITING <= self.state <= TUNNEL:
            # EPIPE is how a reset ends what was closed in order before it; ECONNRESET ends the rest
            self.has_ended = self.has_ended or isinstance(exc, BrokenPipeError)
            self._rescue(exc)
        self._end(str(exc or "closed"), was_reset=exc is not None)
        self.delivery.close()
        self.move(LOST)
        self.waiter.close()
        self.writer.close()
        on_closed, self.on_closed = self.on_closed, None
        if on_closed is not None:
            on_closed()

    def pause_writing(self) -> None:
        self.writer.pause()

    def resume_writing(self) -> None:
        self.writer.resume()

    @property
    def is_ours(self) -> bool:
        """A tunnel may have taken it over."""
        return self.state < CLOSING and self.state != TUNNEL

    def _receive(self, data: bytes) -> None:
        """Bytes that wait until they are asked for."""
        before = self.state
        if before != BODY and before != AWAITING:
            self._receive_unparsed(data)
            return
        reader = self.reader
        reader.feed(data)
        if len(reader.chunks) > CRUMBS:
            self.read_less()
            reader.pack_chunks()
        if before == AWAITING:
            self._look_for_head(reader)
        if reader.is_done or reader.failure is not None:
            self.move(END if reader.is_done else FAIL)
        if reader.buffered > HIGH_WATER and self.state != DONE:
            self.pause_reading()
        if reader.chunks or self.state != before:
            self.waiter.wake()

    def _look_for_head(self, reader: ResponseReader) -> None:
        if reader.interim:
            reader.pass_interim(self.interim_to)
        if reader.head is not None:
            self.move(SWITCH if reader.is_raw else HEAD)

    def _receive_unparsed(self, data: bytes) -> None:
        """Bytes outside of a response, or behind a 101 until the connection is handed over."""
        state, reader = self.state, self.reader
        if state == TUNNEL:
            reader.feed(data)
            if reader.buffered > HIGH_WATER:
                self.pause_reading()
        elif state == TAKEN:
            outcome = o.STALE_CONNECTION if self.reused else o.UPSTREAM_PROTOCOL_ERROR
            reader.fail(outcome, "bytes before the request")
            self.abort()
        elif state == IDLE:
            self.abort()
        else:
            reader.is_tainted = True

    def _rescue(self, exc: Exception) -> None:
        """Look at what came before the connection broke."""
        if self._tls is None:
            for data in unread(self.delivery.socket):
                self.data_received(data)
        elif self.state == AWAITING and not self.reader.has_begun:
            conclude_tls(self.reader, self.delivery, exc, reused=self.reused)

    @property
    def _tls(self) -> ssl.SSLObject | None:
        return cast("ssl.SSLObject | None", self.transport.get_extra_info("ssl_object"))

    def _end(self, detail: str, *, was_reset: bool) -> None:
        """Nothing more can come."""
        if self.state >= CLOSING:
            return
        if was_reset:
            self.reset_by = detail
        if (tls := self._tls) is not None and AWAITING <= self.state <= TUNNEL:
            for data in undecrypted(tls):
                self.data_received(data)
        self._conclude(detail, was_reset=was_reset)
        self._close()

    def _close(self) -> None:
        self.move(CLOSE)
        self.reader.stop()
        self.waiter.wake()

    def _conclude(self, detail: str, *, was_reset: bool) -> None:
        """What the end of the connection means for the exchange that has it."""
        state, reader = self.state, self.reader
        if state in (TAKEN, AWAITING):
            ending = ending_of(
                reader, self.writer, self.delivery, in_order=self.has_ended, reused=self.reused
            )
            self.is_unread = ending.is_unread
            conclude_awaited(reader, ending, detail)
        elif state == BODY:
            conclude_body(reader, self._tls, detail, was_reset=was_reset)
