"""One connection to an endpoint, carrying one exchange at a time.

The order of an exchange: `request`, `head`, `read` until END_OF_BODY, `release`.
Whoever takes a connection gives it back with `release` or `abort`, whatever happened.

No task and no timer for an exchange of its own, and no future where bytes are already there.
"""

from asyncio import Future
from collections.abc import Callable
from math import inf
from typing import Protocol

from proxy.http.framing import ResponseHead
from proxy.outcome import HEAD_TIMEOUT, STALE_CONNECTION, STREAM_STALLED, TOTAL_TIMEOUT, Outcome
from proxy.upstream.endpoint import Endpoint
from proxy.upstream.link import Link
from proxy.upstream.protocol import EndpointProtocol, Tap
from proxy.upstream.result import END_OF_BODY, EndOfBody, Failed
from proxy.upstream.states import AWAITING, BODY, CLOSED, CLOSING, DONE, FAIL, REQUEST, TAKE, TAKEN


class ConnectionOwner(Protocol):
    """Who keeps connections between exchanges."""

    stale_connections: int

    def keep(self, connection: "Connection") -> None:
        """Its exchange is over, it is idle and can carry another."""

    def on_closed(self, connection: "Connection") -> None:
        """It is closed. Called exactly once."""


class Connection:
    """What an exchange calls; the members stand in the order of use."""

    __slots__ = (
        "_owner", "connect_seconds", "endpoint", "fresh_until", "is_private", "link", "loop",
        "opened_at", "protocol", "target", "writer",
    )  # fmt: skip
    target: Endpoint  # what it leads to; `endpoint` is the URL of that

    def __init__(self, protocol: EndpointProtocol, owner: ConnectionOwner) -> None:
        self.endpoint = protocol.reader.endpoint
        self._owner = owner
        self.protocol = protocol
        protocol.on_closed = self._on_closed
        self.writer = protocol.writer
        """Sends what follows the first part of a request."""
        self.loop = protocol.loop
        self.opened_at = self.loop.time()
        told = protocol.transport.get_extra_info
        self.link = Link(self.opened_at, told("sockname"), told("peername"))
        self.fresh_until = 0.0
        """An idle connection is not used after this."""
        self.is_private = False
        """Whether it authenticated a client, and is never kept for another."""
        self.connect_seconds: float | None = None
        """Length of DNS, TCP and TLS set-up; None on a reused connection."""

    def __repr__(self) -> str:
        return repr(self.protocol)

    def take(self) -> None:
        """An exchange takes it from the pool."""
        self.protocol.move(TAKE)

    @property
    def reused(self) -> bool:
        """Whether it has carried an exchange before this one."""
        return self.protocol.reused

    @property
    def is_open(self) -> bool:
        """Whether bytes may still come: nobody has closed it or begun to."""
        return self.protocol.state < CLOSING

    @property
    def is_closed(self) -> bool:
        return self.protocol.state == CLOSED

    @property
    def is_silent(self) -> bool:
        """Whether nothing has arrived, no end either, that the loop has not read yet.

        Asks the kernel: what arrived before the request would be taken for its response.
        """
        return not self.protocol.poll.poll(0)

    @property
    def sent(self) -> bool:
        """Whether the upstream may have read any byte of the request."""
        return self.writer.bytes_sent > 0 and not self.protocol.is_unread

    def request(
        self,
        method: str,
        data: bytes,
        *,
        may_switch: bool = False,
        interim: Callable[[ResponseHead], None] | None = None,
    ) -> None:
        """Send the first part of a request, and read its response from here on. Once per exchange.

        `may_switch` says that it asks for a WebSocket: then a 101 is a response, after which
        only `hand_over` or `abort` follow.
        `interim` is called with each interim head before that, but for those of a 100.
        """
        protocol, writer = self.protocol, self.writer
        protocol.move(REQUEST)
        if protocol.state == AWAITING:
            protocol.interim_to = interim
            protocol.delivery.begin(writer.bytes_before)
            protocol.reader.expect(method, may_switch=may_switch)
            writer.send(data)

    def shorten(self, silence: float, limit: float = inf) -> None:
        """The request is sent: the clocks of the head that is awaited begin, as for `head`."""
        if self.protocol.state == AWAITING:
            self.protocol.waiter.shorten(silence, limit)

    def give_up(self, outcome: Outcome, detail: str) -> None:
        """Stop for a reason that is not the upstream's: `head` or `read` give it."""
        protocol = self.protocol
        protocol.reader.fail(outcome, detail)
        protocol.move(FAIL)
        protocol.waiter.wake()

    async def head(self, silence: float, limit: float = inf) -> ResponseHead | Failed:
        """The head of the response. May be awaited while another task still sends.

        `silence` counts only what was observed; `limit` is real time, for the whole exchange.
        Raises what a callback of ours raised.
        """
        waiting = self.awaited(silence, limit)
        if waiting is not None:
            await waiting
        return self.answer()

    def awaited(self, silence: float, limit: float = inf) -> "Future[None] | None":
        """What to await before `answer` gives the head; None where that is decided already."""
        protocol = self.protocol
        return protocol.waiter.wait(silence, limit) if protocol.state == AWAITING else None

    def answer(self) -> ResponseHead | Failed:
        """The head of the response, once it was awaited, or why there is none."""
        protocol = self.protocol
        if protocol.reader.head is not None:
            return protocol.reader.head
        failure = protocol.reader.failure
        if protocol.fault is not None:
            raise protocol.fault
        if failure is None:
            if protocol.waiter.limit_passed:
                words = "total ran out while awaiting the head"
                return Failed(TOTAL_TIMEOUT, words, self.endpoint)
            return Failed(HEAD_TIMEOUT, "no head in time", self.endpoint)
        if failure.outcome is STALE_CONNECTION:
            self._owner.stale_connections += 1
        return failure

    @property
    def tap(self) -> Tap | None:
        """Takes body bytes as they come while `read` waits; whether it may wait on."""
        return self.protocol.tap

    @tap.setter
    def tap(self, tap: Tap | None) -> None:
        self.protocol.tap = tap

    async def read(self, silence: float, limit: float = inf) -> bytes | EndOfBody | Failed:
        """The next bytes of the body, END_OF_BODY after the last, or why there are no more.

        `silence` counts only what was observed; `limit` is real time, for the caller to judge.
        Running out takes nothing away: `read` may be called again.
        Raises what a callback of ours raised.
        """
        protocol = self.protocol
        reader = protocol.reader
        if protocol.state == BODY and not reader.chunks:
            if protocol.reading_paused:
                protocol.resume_reading()
            await protocol.waiter.wait(silence, limit)
        if reader.chunks:
            return self.take_buffered()
        if protocol.fault is not None:
            raise protocol.fault
        if reader.is_done:
            return END_OF_BODY
        return reader.failure or Failed(STREAM_STALLED, f"silent for {silence:g} s", self.endpoint)

    @property
    def is_done(self) -> bool:
        """Whether the body has ended; the rest of it is still to be taken."""
        return self.protocol.reader.is_done

    def take_buffered(self) -> bytes:
        """The body bytes that are here now; with `is_done`, all that were still to come."""
        protocol = self.protocol
        if protocol.reading_paused:
            protocol.resume_reading()
        return protocol.reader.take_chunks()

    @property
    def is_reusable(self) -> bool:
        """Whether both messages are whole and both sides go on; or nothing was sent at all."""
        protocol, writer = self.protocol, self.writer
        if protocol.state != DONE:
            return protocol.state == TAKEN and not self.sent
        return protocol.reader.is_followable and not writer.is_uploading and not writer.has_unsent

    def release(self) -> None:
        """The exchange is over: keep the connection if it can carry another, else close it."""
        if not self.is_private and self.rest():
            self._owner.keep(self)
        elif not self.is_closed:
            self.abort()

    def rest(self) -> bool:
        """The exchange is over, and whoever holds the connection keeps it: whether it is idle now.

        It is closed where it cannot carry another exchange.
        """
        if not self.is_reusable:
            self.abort()
            return False
        self.protocol.release()
        self.connect_seconds = None
        return True

    def rise(self) -> bool:
        """An exchange takes it from whoever kept it; False, and closed, where it cannot be used."""
        protocol = self.protocol
        if protocol.state < CLOSING and not protocol.poll.poll(0):
            protocol.move(TAKE)
            return True
        self.abort()
        return False

    def abort(self) -> None:
        """Close at once, whatever is going on; whoever waits is told."""
        self.protocol.abort()

    def _on_closed(self) -> None:
        protocol = self.protocol
        was_reset = protocol.reset_by is not None
        self.link.end = "fin" if protocol.has_ended else "reset" if was_reset else "ours"
        self._owner.on_closed(self)
