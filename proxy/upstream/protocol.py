"""The loop's side of a connection to an endpoint: bytes that come, backpressure, and its end.

Has a writer for the request, a reader for the response and a waiter for whoever awaits it, and is
in one of the named `states` at a time.
Decides which outcome the end of a connection means for the exchange that has it.
"""

import asyncio
import select
import socket
from collections.abc import Callable
from typing import Final, cast

from proxy import outcome as o
from proxy.http.framing import ResponseHead
from proxy.outcome import Outcome
from proxy.upstream.delivery import Delivery
from proxy.upstream.request_writer import RequestWriter
from proxy.upstream.rescue import unread
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
from proxy.waiter import Waiter

_FOLLOWING: Final = TRANSITIONS.following
_WIDTH: Final = TRANSITIONS.width

HIGH_WATER = 32 * 1024
"""Bytes held before reading pauses."""

_STALE_WITHIN: Final = 1.0
"""Seconds: where the kernel does not say what was read, a connection that was closed while it
idled ends within these after the request was sent."""

_CLIENT_IS_LATE: Final = 0.1
"""Seconds without a byte of a body: an upstream that closes then has not waited for it longer."""

GAVE_UP: Final = "the upstream did not wait for the rest of the body"

_ROOM = memoryview(bytearray(48 * 1024))
"""Where the loop puts what it reads, for all connections: without it loops read 256 KiB at once,
and a client that does not read costs as much."""

Tap = Callable[[bytes], bool]
"""Given body bytes; whether who waits may sleep on."""


class EndpointProtocol(asyncio.BufferedProtocol):
    """What the loop calls."""

    __slots__ = (
        "_socket", "delivery", "interim_to", "is_unread", "loop", "on_closed", "poll", "reader",
        "reading_paused", "reset_by", "reused", "state", "tap", "transport", "waiter", "writer",
    )  # fmt: skip

    def __init__(self, endpoint: str, limits: UpstreamRule, sock: socket.socket) -> None:
        self.state: int = TAKEN
        self.loop = asyncio.get_running_loop()
        self.reader = ResponseReader(endpoint, limits)
        self.writer = RequestWriter(self.loop)
        self.waiter = Waiter(self.loop)
        self.transport: asyncio.Transport
        self._socket = sock
        self.delivery = Delivery(sock)
        self.is_unread = False
        """Whether the connection ended, and it is proven that the upstream read no byte of the
        request."""
        self.poll = select.poll()
        self.poll.register(sock.fileno(), select.POLLIN)
        self.on_closed: Callable[[], None] | None = None
        """Called once, when the socket is gone."""
        self.reading_paused = False
        self.tap: Tap | None = None
        """Takes body bytes as they come while somebody waits, who is not woken for them."""
        self.interim_to: Callable[[ResponseHead], None] | None = None
        """Takes interim heads as they come."""
        self.reset_by: str | None = None
        """The words of the error that broke the connection; None where none did."""
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
        reader = self.reader
        if not reader.is_done:
            outcome = o.UPSTREAM_RESET if reader.head is None else o.STREAM_TRUNCATED
            reader.fail(outcome, "closed by us")
        self._close()
        self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no asyncio.Transport to isinstance
        self.transport = self.writer.transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the loop's interface
        return _ROOM

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(_ROOM[:nbytes]))

    def data_received(self, data: bytes) -> None:
        before = self.state
        if before != BODY and before != AWAITING:
            self._receive_unparsed(data)
            return
        reader = self.reader
        reader.feed(data)
        if before == AWAITING:
            self._look_for_head(reader)
        if reader.is_done:
            self.move(END)
        elif reader.failure is not None:
            self.move(FAIL)
        state = self.state
        if self.tap is not None and reader.chunks:
            sleeps_on = self.tap(reader.take_chunks())
            if state != BODY:
                self.waiter.wake()
            elif not sleeps_on:
                self.pause_reading()  # now: the loop reads on and on while there is something
                self.waiter.wake()
            return
        if reader.buffered > HIGH_WATER and state != DONE:
            self.pause_reading()
        if reader.chunks or state != before:
            self.waiter.wake()

    def eof_received(self) -> None:
        self._end("closed by the upstream", was_reset=False)

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None and AWAITING <= self.state <= TUNNEL:
            self._rescue()
        self._end(str(exc or "closed"), was_reset=exc is not None)
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

    def pause_reading(self) -> None:
        if not self.reading_paused:
            self.reading_paused = True
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        self.reading_paused = False
        self.transport.resume_reading()

    def _look_for_head(self, reader: ResponseReader) -> None:
        if reader.interim:
            interim, reader.interim = reader.interim, []
            if self.interim_to is not None:
                for head in interim:
                    self.interim_to(head)
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

    def _rescue(self) -> None:
        if self.transport.get_extra_info("sslcontext") is not None:
            return  # what lies there are records, not bytes of the response
        for data in unread(self._socket):
            self.data_received(data)

    def _end(self, detail: str, *, was_reset: bool) -> None:
        """Nothing more can come."""
        if self.state >= CLOSING:
            return
        if was_reset:
            self.reset_by = detail
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
            outcome = self._closed_before_head(was_reset=was_reset)
            reader.fail(outcome, GAVE_UP if outcome is o.REQUEST_TIMEOUT else detail)
        elif state == BODY:
            if was_reset:
                reader.fail(o.STREAM_RESET, detail)
            elif not reader.end():
                reader.fail(o.STREAM_TRUNCATED, detail)

    def _closed_before_head(self, *, was_reset: bool) -> Outcome:
        """Stale: nothing was read or answered, so it was closed while it idled."""
        writer = self.writer
        arrival = "unsent" if not writer.bytes_sent else self.delivery.arrival()
        # an end acknowledges what had arrived before it; a reset drops what was still to be
        # acknowledged, up to 200 ms long, and so proves nothing
        self.is_unread = arrival == "unsent" or (arrival == "unacknowledged" and not was_reset)
        if self.reused and not self.reader.has_begun and not writer.was_read:
            is_late = arrival is None and self.loop.time() - writer.sent_at > _STALE_WITHIN
            if arrival != "acknowledged" and not is_late:
                return o.STALE_CONNECTION
        if not writer.is_uploading and not writer.has_unsent:
            return o.UPSTREAM_RESET
        return o.REQUEST_TIMEOUT if self._awaits_client else o.UPSTREAM_WRITE_FAILED

    @property
    def _awaits_client(self) -> bool:
        """Whether the upstream has all that came, and the client owes the rest of its body."""
        silence = self.loop.time() - self.writer.sent_at
        return not self.writer.has_unsent and silence >= _CLIENT_IS_LATE
