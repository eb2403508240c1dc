"""A tunnel: after a 101 the bytes of both sides pass as they are (RFC 9110 §7.8).

Knows when it has lasted long enough and why it ended. Refuses to understand messages: it follows
only the borders of frames, so that a Close frame of our own never lands inside another.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Literal

from proxy import outcome as o
from proxy.clock import now
from proxy.exchange import Exchange
from proxy.outcome import Outcome
from proxy.terms import Timeouts
from proxy.timing.loop_lag import waited
from proxy.timing.silence import SilenceClock
from proxy.websocket.frames import GOING_AWAY, close_frame
from proxy.websocket.side import SwitchedConnection, TunnelSide

LINGER = 5.0
"""Seconds of silence that one side may take to finish when the other one has."""

FAREWELL = 0.8
"""Seconds in which both sides may answer our Close frame; less than those have that drain cuts."""


class Tunnel:
    """Both sides. `on_first` is called at the first bytes of the upstream."""

    def __init__(
        self,
        x: Exchange,
        timeouts: Timeouts,
        client: SwitchedConnection,
        upstream: SwitchedConnection,
        on_first: Callable[[], None],
    ) -> None:
        self._x = x
        self._loop = asyncio.get_running_loop()
        self._client = TunnelSide("client", self, client, timeouts.client_write)
        self._upstream = TunnelSide("upstream", self, upstream, timeouts.gap)
        self._client.other, self._upstream.other = self._upstream, self._client
        self._on_first = on_first
        self._idle = timeouts.tunnel_idle
        """Seconds of silence on both sides that are borne."""
        self._moved = now()
        self._heard: float | None = None
        """When the upstream last sent."""
        self._pending = 0
        self._clock = SilenceClock(self._loop, self._look)
        self._clock.start(self._idle)
        self._farewell_timer: asyncio.TimerHandle | None = None
        self._left_at: float | None = None
        """When the client left without a Close frame."""
        self._closer: TunnelSide | None = None
        """From where the first Close frame came."""
        self._outcome: Outcome | None = None
        self.farewell = ""
        self._is_over = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Tunnel {self.state}: {self._client!r} {self._upstream!r}>"

    @property
    def state(self) -> Literal["open", "leaving", "half_closed", "closed"]:
        """What the states of both sides come to."""
        states = {self._client.state, self._upstream.state}
        if states == {"closed"}:
            return "closed"
        if self.farewell:
            return "leaving"
        return "open" if states == {"open"} else "half_closed"

    async def run(self) -> Outcome:
        """Pass bytes until both connections are closed; cancelled, say goodbye and close them."""
        try:
            self._open()
            await self._is_over.wait()
        except asyncio.CancelledError:
            self._leave(o.DRAIN_CUT, "drain limit", "drain_cut")
            await self._is_over.wait()
        finally:
            self._clock.close()
            if self._farewell_timer is not None:
                self._farewell_timer.cancel()
            self._abort()
            self._record()
        return self._outcome or o.COMPLETED

    def on_data(self, side: TunnelSide) -> None:
        at = self._moved = now()
        if self._closer is None and side.frames.close_code is not None:
            self._closer = side
        if side is not self._upstream:
            return
        if self._heard is None:
            self._on_first()
        self._x.saw(at, at - (self._heard or at))
        self._heard = at

    def on_end(self, side: TunnelSide, exc: Exception | None) -> None:
        if self._outcome is None:
            self._conclude(*self._verdict(side, exc))
        if not self.farewell:
            self._moved = now()
            self._clock.start(self._limit)

    def on_lost(self, side: TunnelSide) -> None:
        if self.state == "closed":
            self._is_over.set()
        elif side is self._client and not self.farewell:
            self._upstream.close()
        # else what the other side still sends is read and dropped: unread, it would turn our
        # closing into a reset, which overtakes the last words of this one

    def on_stuck(self, side: TunnelSide) -> None:
        outcome = o.CLIENT_TOO_SLOW if side is self._client else o.STREAM_STALLED
        self._conclude(outcome, f"the {side.name} does not read")
        self._abort()

    def close_frame_for(self, side: TunnelSide) -> bytes:
        is_client = side is self._client
        self._x.inband_error = self._x.inband_error or (
            is_client and self._outcome is not o.COMPLETED
        )
        reason = f"{self.farewell} {self._x.request_id}"
        return close_frame(GOING_AWAY, reason, None if is_client else os.urandom(4))

    @property
    def _limit(self) -> float:
        """Seconds of silence that are borne now."""
        return self._idle if self.state == "open" else min(self._idle, LINGER)

    def _open(self) -> None:
        sides = (self._client, self._upstream)
        early = [side.connection.hand_over(side) for side in sides]
        for side, data in zip(sides, early, strict=True):
            if data:
                side.data_received(data)

    def _record(self) -> None:
        x = self._x
        x.received(self._upstream.taken)
        x.sent(self._client.taken)
        if self._left_at is not None:
            x.cancelled = now() - self._left_at

    def _verdict(self, side: TunnelSide, exc: Exception | None) -> tuple[Outcome, str]:
        """What it means that this side ended first: after a Close frame it is how it should be."""
        if self._closer is not None:
            code = self._closer.frames.close_code
            return o.COMPLETED, f"closed by the {self._closer.name} with {code}"
        detail = f"the {side.name} closed without a Close frame: {exc or 'end of stream'}"
        if side is self._client:
            self._left_at = now()
            return o.CLIENT_CLOSED_STREAM, detail
        return (o.STREAM_RESET if exc else o.STREAM_TRUNCATED), detail

    def _conclude(self, outcome: Outcome, detail: str) -> None:
        """The first reason stands."""
        if self._outcome is None:
            self._outcome = outcome
            self._x.note(detail)

    def _leave(self, outcome: Outcome, detail: str, reason: str) -> None:
        self._conclude(outcome, detail)
        self.farewell = reason
        self._clock.stop()
        self._farewell_timer = self._loop.call_later(FAREWELL, self._abort)
        for side in (self._client, self._upstream):
            side.send_close()
            side.close_if_done()

    def _look(self) -> None:
        """Whether nothing has moved for too long."""
        pending = self._client.pending + self._upstream.pending
        if pending and pending != self._pending:
            self._pending, self._moved = pending, now()
        left = self._limit - waited(self._moved, now())
        if left > 0:
            self._clock.start(left)
        elif self.state == "open":
            self._x.clock_over(waited(self._moved, now()))
            self._leave(o.COMPLETED, f"silent for {self._limit:g} s", "idle")
        else:
            self._abort()

    def _abort(self) -> None:
        self._client.abort()
        self._upstream.abort()
