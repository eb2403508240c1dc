"""The loop's side of a connection: bytes that come, backpressure both ways, and how it ends.

Decides which outcome the end of a connection means for the exchange that has it.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol, cast

from proxy.outcome import (
    STALE_CONNECTION,
    STREAM_RESET,
    STREAM_TRUNCATED,
    UPSTREAM_PROTOCOL_ERROR,
    UPSTREAM_RESET,
    UPSTREAM_WRITE_FAILED,
    Outcome,
)
from proxy.transport.answer import AnswerReader
from proxy.transport.rules import UpstreamRule
from proxy.transport.watch import Watch

HIGH_WATER = 32 * 1024
"""Bytes held before reading pauses."""

_ROOM = memoryview(bytearray(48 * 1024))
"""Where the loop puts what it reads, for all connections: without it loops read 256 KiB at once,
and a client that does not read costs as much."""

_RESCUE = 1024 * 1024
"""Bytes read from a broken connection at most."""


Tap = Callable[[bytes], bool]
"""Given body bytes; whether who waits may sleep on."""


class Owner(Protocol):
    """Who keeps connections between exchanges."""

    stale_connections: int

    def lost(self, connection: "Wire") -> None:
        """It is closed. Told exactly once."""


class Wire(AnswerReader, asyncio.BufferedProtocol):
    """What the loop calls."""

    __slots__ = (
        "_drained",
        "_early",
        "_ending",
        "_is_paused",
        "_owner",
        "_socket",
        "_took",
        "_transport",
        "_wants_head",
        "_watch",
        "bytes_sent",
        "is_closed",
        "is_idle",
        "is_uploading",
        "loop",
        "reused",
        "tap",
        "writing_paused",
    )

    def __init__(
        self, endpoint: str, limits: UpstreamRule, owner: Owner, sock: socket.socket
    ) -> None:
        super().__init__(endpoint, limits)
        self.loop = asyncio.get_running_loop()
        self._owner = owner
        self._socket = sock
        self._transport: asyncio.Transport
        self._watch = Watch(self.loop)
        self._drained: asyncio.Future[None] | None = None
        self._early: list[bytes] = []
        """Parts of the answer that came before `head` was called."""
        self._ending: tuple[bool, str] | None = None
        """Set once nothing more can come: whether it was a reset, and the words for it."""
        self._is_paused = False
        self.is_closed = False
        self.writing_paused = False
        """Whether the upstream takes bytes more slowly than they are sent: `drain` before more."""
        self.begin(reused=False)

    def begin(self, *, reused: bool) -> None:
        """Another exchange takes the connection."""
        self._took = False
        """Whether the upstream was seen to read this exchange's bytes."""
        self._wants_head = True
        self.is_idle = False
        self.reused = reused
        self.is_uploading = False
        """Set by the sender while more of the request is still to come."""
        self.bytes_sent = 0
        """Bytes handed over for sending; 0 proves that the upstream saw nothing."""
        self.tap: Tap | None = None
        """Takes body bytes as they come while `read` waits, which is not woken for them."""

    @property
    def is_open(self) -> bool:
        """Whether bytes may still come: nobody has closed it or begun to."""
        return self._ending is None

    def abort(self) -> None:
        """Close at once, whatever is going on; whoever waits is told."""
        if self.is_closed:
            return
        self._ending = self._ending or (False, "closed by us")
        if not self.is_done:
            self.fail(UPSTREAM_RESET if self.answer is None else STREAM_TRUNCATED, "closed by us")
        self._parser = None
        self._watch.wake()
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the loop's interface
        return _ROOM

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(_ROOM[:nbytes]))

    def data_received(self, data: bytes) -> None:
        if self._parser is None:
            self._receive_unasked(data)
            return
        self.feed(data)
        if self.tap is not None and self.chunks:
            sleeps_on = self.tap(self.take_chunks())
            if self.is_done or self.failure is not None:
                self._watch.wake()
            elif not sleeps_on:
                self._pause()  # now: the loop reads on and on while there is something
                self._watch.wake()
            return
        if self.buffered > HIGH_WATER and not self.is_done:
            self._pause()
        if (
            self.chunks
            or self.is_done
            or self.failure is not None
            or (self._wants_head and self.answer is not None)
        ):
            self._watch.wake()

    def eof_received(self) -> None:
        self._end(was_reset=False, detail="closed by the upstream")

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True
        if exc is not None:
            self._rescue()
        self._end(was_reset=exc is not None, detail=str(exc or "closed"))
        self._watch.close()
        self._let_sender_go()
        self._owner.lost(self)

    def pause_writing(self) -> None:
        self.writing_paused = True

    def resume_writing(self) -> None:
        self.writing_paused = False
        self._took = True
        self._let_sender_go()

    def _receive_unasked(self, data: bytes) -> None:
        """Bytes outside of an answer: before `head` was called, after the end, or while idle.

        Or behind a 101, until somebody takes the connection over.
        """
        if self.is_raw:
            self.on_body(data)
            if self.buffered > HIGH_WATER:
                self._pause()
        elif self.is_done or self.failure is not None:
            self.is_tainted = True
        elif self.bytes_sent and not self.is_idle:
            self._early.append(data)
            if sum(map(len, self._early)) > HIGH_WATER:
                self._pause()
        else:
            self.is_tainted = True
            outcome = self._lost_before_head() if self.reused else UPSTREAM_PROTOCOL_ERROR
            self.fail(outcome, "bytes before the request")
            self.abort()

    def _expect_answer(self, method: str, *, may_switch: bool) -> None:
        """Read the answer from here on, and what came of it before."""
        self.expect(method, may_switch=may_switch)
        if not self._early:
            return
        early, self._early = self._early, []
        for data in early:
            self.feed(data)
        if self._is_paused and not self.buffered:
            self._resume()
        if self._ending:
            self._conclude(*self._ending)

    def _rescue(self) -> None:
        """Read what the upstream sent before the connection broke.

        A write error closes the transport although the early answer, which explains the error,
        may still lie unread in the kernel. (An end found here proves nothing: it is all that is
        left of a reset, too.)
        """
        is_plain = self._transport.get_extra_info("sslcontext") is None
        room = _RESCUE if is_plain else 0
        while room > 0:
            try:
                data = self._socket.recv(HIGH_WATER)
            except OSError:
                return
            if not data:
                return
            room -= len(data)
            self.data_received(data)

    def _end(self, *, was_reset: bool, detail: str) -> None:
        if self._ending is None:
            self._ending = (was_reset, detail)
            if not self._early:
                self._conclude(was_reset, detail)
            self._watch.wake()

    def _conclude(self, was_reset: bool, detail: str) -> None:
        """What the end of the connection means for the exchange that has it."""
        if self.is_done or self.failure is not None:
            return
        if self.answer is None:
            self.fail(self._lost_before_head(), detail)
        elif was_reset:
            self.fail(STREAM_RESET, detail)
        elif not self.end():
            self.fail(STREAM_TRUNCATED, detail)
        self._parser = None

    def _lost_before_head(self) -> Outcome:
        """Stale: nothing was read or answered, so it was closed while it idled."""
        if self.reused and not self.has_begun and not self._took:
            self._owner.stale_connections += not self.is_idle
            return STALE_CONNECTION
        is_sending = self.is_uploading or self._transport.get_write_buffer_size() > 0
        return UPSTREAM_WRITE_FAILED if is_sending else UPSTREAM_RESET

    def _let_sender_go(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    def _pause(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        self._is_paused = False
        self._transport.resume_reading()
