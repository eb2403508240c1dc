"""One connection to an endpoint, carrying one exchange at a time.

The order of an exchange: `send` the request, `head`, `read` until END, `release`.
Whoever takes a connection gives it back with `release` or `abort`, whatever happened.

No task and no timer for an exchange of its own, and no future where bytes are already there.
"""

import asyncio
import select
import socket
from typing import Protocol

from proxy.http1 import Head
from proxy.outcome import HEAD_TIMEOUT, STREAM_STALLED, Outcome
from proxy.transport.failed import END, End, Failed
from proxy.transport.rules import UpstreamRule
from proxy.transport.wire import Owner, Wire


class Keeper(Owner, Protocol):
    """Who keeps connections between exchanges."""

    def keep(self, connection: "Connection") -> None:
        """Its exchange is over, and it can carry another."""


class Connection(Wire):
    """What an exchange calls; the members stand in the order of use."""

    __slots__ = ("_keeper", "_poll", "connect_seconds", "fresh_until", "opened_at", "queued")

    def __init__(
        self, endpoint: str, limits: UpstreamRule, keeper: Keeper, sock: socket.socket
    ) -> None:
        super().__init__(endpoint, limits, keeper, sock)
        self._keeper = keeper
        self._poll = select.poll()
        self._poll.register(sock.fileno(), select.POLLIN)
        self.opened_at = self.loop.time()
        self.fresh_until = 0.0
        """An idle connection is not used after this."""

    def begin(self, *, reused: bool) -> None:
        super().begin(reused=reused)
        self.queued = 0.0
        """Seconds that this exchange waited for a connection slot."""
        self.connect_seconds: float | None = None
        """Length of DNS, TCP and TLS set-up; None on a reused connection."""

    @property
    def is_silent(self) -> bool:
        """Whether nothing has arrived, no end either, that the loop has not read yet.

        Asks the kernel: what arrived before the request would be taken for its answer.
        """
        return not self._poll.poll(0)

    @property
    def sent(self) -> bool:
        """Whether the upstream may have seen any byte of the request."""
        return self.bytes_sent > 0

    def send(self, data: bytes) -> None:
        """Send a part of the request; on a closed connection nothing happens, `head` tells."""
        if not self._transport.is_closing():
            self._transport.write(data)
            self.bytes_sent += len(data)

    async def drained(self, silence: float) -> bool:
        """Wait until the upstream has taken enough, or the connection is closed.

        False if it took nothing for `silence` seconds.
        """
        while self.writing_paused and not self.is_closed:
            before = self._transport.get_write_buffer_size()
            self._drained = self.loop.create_future()
            timer = self.loop.call_later(silence, self._let_sender_go)
            try:
                await self._drained
            finally:
                timer.cancel()
            if self.writing_paused and self._transport.get_write_buffer_size() >= before:
                return self.is_closed
        return True

    def hurry(self, timeout: float) -> None:
        """The request is sent: the head that is awaited must come within `timeout` seconds."""
        if self._wants_head:
            self._watch.hurry(timeout)

    def give_up(self, outcome: Outcome, detail: str) -> None:
        """Stop for a reason that is not the upstream's: `head` or `read` give it."""
        self.fail(outcome, detail)
        self._watch.wake()

    async def head(self, method: str, timeout: float, *, may_switch: bool = False) -> Head | Failed:
        """The head of the answer; interim answers are read over. Once per exchange.

        May be awaited while another task still sends. Where the request asked for a WebSocket,
        as `may_switch` says, a 101 is an answer: then only `hand_over` or `abort` follow.
        """
        if self.failure is None:
            self._expect_answer(method, may_switch=may_switch)
        if self.answer is None and self.failure is None:
            await self._watch.wait(timeout)
        self._wants_head = False
        if self.answer is not None:
            return self.answer
        return self.failure or Failed(HEAD_TIMEOUT, f"no head in {timeout:g} s", self.endpoint)

    async def read(self, timeout: float) -> bytes | End | Failed:
        """The next bytes of the body, END after the last, or why there are no more.

        A timeout takes nothing away: `read` may be called again.
        """
        if not self.chunks and not self.is_done and self.failure is None:
            if self._is_paused:
                self._resume()
            await self._watch.wait(timeout)
        if self.chunks:
            return self.take_buffered()
        if self.is_done:
            return END
        return self.failure or Failed(STREAM_STALLED, f"silent for {timeout:g} s", self.endpoint)

    def hand_over(self, to: asyncio.BaseProtocol) -> bytes:
        """HTTP is over: from now on `to` has the connection. Gives the bytes behind the 101.

        Where it is closed already, `to` is told of that a moment later.
        """
        self._transport.set_protocol(to)
        to.connection_made(self._transport)
        if self.is_closed:
            was_reset, detail = self._ending or (False, "")
            error = ConnectionResetError(detail) if was_reset else None
            self.loop.call_soon(to.connection_lost, error)
        return self.take_buffered()

    def on_lost(self, exc: Exception | None) -> bytes:
        """Whom it was handed over to says that it is lost; gives what had arrived all the same."""
        if not self.is_closed:
            self.connection_lost(exc)
        return self.take_chunks()

    def take_buffered(self) -> bytes:
        """The body bytes that are here now; with `is_done`, all that were still to come."""
        if self._is_paused:
            self._resume()
        return self.take_chunks()

    @property
    def is_reusable(self) -> bool:
        """Whether both messages are whole, both sides mean to go on, and nothing is left over."""
        return (
            self.is_done
            and self._framing.keeps_alive
            and not self.is_tainted
            and not self.is_uploading
            and self.is_open
            and not self._transport.get_write_buffer_size()
        )

    def release(self) -> None:
        """The exchange is over: keep the connection if it can carry another, else close it."""
        if not self.is_reusable:
            self.abort()
            return
        if self._is_paused:
            self._resume()
        self.reset()
        self._keeper.keep(self)
