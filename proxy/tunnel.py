"""A tunnel: after a 101 the bytes of both sides pass as they are (RFC 9110 §7.8).

Knows when it has lasted long enough and why it ended. Refuses to understand messages: it follows
only the borders of frames, so that a Close frame of our own never lands inside another.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Protocol

from proxy import outcome as o
from proxy.clock import now
from proxy.exchange import Exchange
from proxy.outcome import Outcome
from proxy.streams.websocket import GOING_AWAY, close_frame
from proxy.tunnel_end import End, Lender

LINGER = 5.0
"""Seconds of silence that one side may take to finish when the other one has."""

FAREWELL = 0.8
"""Seconds in which both sides may answer our Close frame; less than those have that drain cuts."""

_TICK = 0.001
"""Loops round their clocks to milliseconds."""


class Clocks(Protocol):
    """Lengths of time in seconds."""

    @property
    def tunnel_idle(self) -> float: ...

    @property
    def gap(self) -> float: ...

    @property
    def client_write(self) -> float: ...


class Tunnel:
    """Both ends. `on_first` is called at the first bytes of the upstream."""

    def __init__(
        self,
        x: Exchange,
        clocks: Clocks,
        client: Lender,
        upstream: Lender,
        on_first: Callable[[], None],
    ) -> None:
        self._x = x
        self._loop = asyncio.get_running_loop()
        self._client = End(self, "client", client, clocks.client_write, o.CLIENT_TOO_SLOW)
        self._upstream = End(self, "upstream", upstream, clocks.gap, o.STREAM_STALLED)
        self._client.other, self._upstream.other = self._upstream, self._client
        self._on_first = on_first
        self._limit = clocks.tunnel_idle
        """Seconds of silence on both sides that are borne."""
        self._moved = now()
        self._heard: float | None = None
        """When the upstream last sent."""
        self._pending = 0
        self._timer: asyncio.TimerHandle | None = None
        self._left_at: float | None = None
        """When the client left without a Close frame."""
        self._closer: End | None = None
        """From where the first Close frame came."""
        self._outcome: Outcome | None = None
        self._reason = ""
        self._waiter: asyncio.Future[None] | None = None
        self.is_parting = False

    async def run(self) -> Outcome:
        """Pass bytes until both connections are closed; cancelled, say goodbye and close them."""
        try:
            self._open()
            await self._over()
        except asyncio.CancelledError:
            self._part(o.DRAIN_CUT, "drain limit", "drain_cut")
            await self._over()
        finally:
            self._close()
        return self._outcome or o.COMPLETED

    def _open(self) -> None:
        early = self._client.open()
        answered = self._upstream.open()
        self._arm(self._limit)
        if answered:
            self._upstream.data_received(answered)
        if early:
            self._client.data_received(early)

    async def _over(self) -> None:
        if not (self._client.is_lost and self._upstream.is_lost):
            self._waiter = self._loop.create_future()
            await self._waiter

    def _close(self) -> None:
        self._stop_clock()
        x = self._x
        x.bytes_in, x.bytes_out = self._client.passed, self._upstream.passed
        if self._heard is not None:
            x.last_byte = self._heard - x.started
        if self._left_at is not None:
            x.cancelled = now() - self._left_at
        self._abort()

    def heard(self, end: End) -> None:
        at = self._moved = now()
        if end is not self._upstream:
            return
        x, last = self._x, self._heard
        if last is None:
            self._on_first()
        elif at - last > x.max_gap:
            x.max_gap, x.max_gap_at = at - last, last - x.started
        self._heard = at

    def closed(self, end: End) -> None:
        self._closer = self._closer or end

    def ended(self, end: End, exc: Exception | None) -> None:
        if self._outcome is None:
            self._conclude(*self._verdict(end, exc))
        if not self.is_parting:
            self._limit = min(self._limit, LINGER)
            self._moved = now()
            self._arm(self._limit)

    def lost(self, end: End) -> None:
        if self.is_parting:
            pass  # the other one is told to close, and may answer
        elif end is self._client:
            self._upstream.close()
        else:
            # what the client still sends is read and dropped: unread, it would turn our closing
            # into a reset, which overtakes the upstream's last words
            self._client.release()
        gone = self._client.is_lost and self._upstream.is_lost
        if gone and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def give_up(self, outcome: Outcome, detail: str) -> None:
        self._conclude(outcome, detail)
        self._abort()

    def last_words(self, end: End) -> bytes:
        is_client = end is self._client
        self._x.told = self._x.told or (is_client and self._outcome is not o.COMPLETED)
        reason = f"{self._reason} {self._x.request_id}"
        return close_frame(GOING_AWAY, reason, None if is_client else os.urandom(4))

    def _verdict(self, end: End, exc: Exception | None) -> tuple[Outcome, str]:
        """What it means that this side ended first: after a Close frame it is how it should be."""
        if self._closer is not None:
            code = self._closer.frames.close_code
            return o.COMPLETED, f"closed by the {self._closer.name} with {code}"
        detail = f"the {end.name} closed without a Close frame: {exc or 'end of stream'}"
        if end is self._client:
            self._left_at = now()
            return o.CLIENT_CLOSED_STREAM, detail
        return (o.STREAM_RESET if exc else o.STREAM_TRUNCATED), detail

    def _conclude(self, outcome: Outcome, detail: str) -> None:
        """The first reason stands."""
        if self._outcome is None:
            self._outcome, self._x.detail = outcome, detail

    def _part(self, outcome: Outcome, detail: str, reason: str) -> None:
        self._conclude(outcome, detail)
        self._reason = reason
        self.is_parting = True
        self._stop_clock()
        self._timer = self._loop.call_later(FAREWELL, self._abort)
        for end in (self._client, self._upstream):
            end.dismiss()
            end.part()

    def _look(self) -> None:
        """Whether nothing has moved for too long."""
        pending = self._client.pending + self._upstream.pending
        if pending and pending != self._pending:
            self._pending, self._moved = pending, now()
        left = self._moved + self._limit - now()
        if left > _TICK:
            self._arm(left)
        elif self._outcome is None:
            self._part(o.COMPLETED, f"silent for {self._limit:g} s", "idle")
        else:
            self._abort()

    def _arm(self, left: float) -> None:
        self._stop_clock()
        self._timer = self._loop.call_later(left, self._look)

    def _stop_clock(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _abort(self) -> None:
        self._client.abort()
        self._upstream.abort()
