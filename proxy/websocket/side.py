"""One side of a tunnel: what arrives here is written to the other side, by callbacks alone.

A message costs no task and no wait. Where the other side does not read, nothing is read here
until all is written. Refuses to decide why a tunnel ends: its owner does.
"""

import asyncio
from contextlib import suppress
from typing import Final, Literal, Protocol, cast

from proxy.timing.progress import Progress
from proxy.websocket.frames import Frames

SideState = Literal["idle", "open", "half_closed_remote", "half_closed_local", "closing", "closed"]
TunnelEvent = Literal["connect", "end", "tell", "lost"]

TRANSITIONS: Final[dict[SideState, dict[TunnelEvent, SideState]]] = {
    "idle": {"connect": "open"},
    "open": {"end": "half_closed_remote", "tell": "half_closed_local", "lost": "closed"},
    "half_closed_remote": {"tell": "closing", "lost": "closed"},
    "half_closed_local": {"end": "closing", "lost": "closed"},
    "closing": {"lost": "closed"},
    "closed": {},
}
"""The states of RFC 9113 §5.1, seen from here; an event that a state does not list changes nothing.

`end`: nothing more comes from it. `tell`: it is told, by an end or a Close frame, that nothing more
comes to it. `lost`: its connection is gone.
"""

SENDS: Final = ("open", "half_closed_local")
"""In these something may come from it."""

TAKES: Final = ("open", "half_closed_remote")
"""In these something may go to it."""

ROOM: Final = memoryview(bytearray(64 * 1024))
"""Where loops put what they read, for all tunnels: the most that one side gives in one turn."""


class SwitchedConnection(Protocol):
    """Whose connection it was while it was HTTP."""

    def hand_over(self, to: asyncio.BufferedProtocol) -> bytes:
        """Give the connection to `to`, and the bytes that came behind the head."""

    def on_lost(self, exc: Exception | None) -> bytes:
        """The connection is lost; gives what had arrived all the same."""


class TunnelOwner(Protocol):
    """Who has both sides, and knows why the tunnel ends."""

    farewell: str
    """Why we end the tunnel, as both sides are told; empty while we do not."""

    def on_data(self, side: "TunnelSide") -> None:
        """Bytes came from it."""

    def on_end(self, side: "TunnelSide", exc: Exception | None) -> None:
        """Nothing more comes from it; `exc` where it did not end of its own will."""

    def on_lost(self, side: "TunnelSide") -> None:
        """Its connection is gone."""

    def on_stuck(self, side: "TunnelSide") -> None:
        """It took nothing for too long."""

    def close_frame_for(self, side: "TunnelSide") -> bytes:
        """The Close frame that says why we leave."""


class TunnelSide(asyncio.BufferedProtocol):
    """The loop's callbacks for one connection, and what its state allows."""

    def __init__(
        self, name: str, owner: TunnelOwner, connection: SwitchedConnection, patience: float
    ) -> None:
        self.name = name
        self.state: SideState = "idle"
        self.other: TunnelSide
        self._transport: asyncio.Transport
        self._owner = owner
        self.connection = connection
        self._patience = patience
        """Seconds in which it must take something of what waits for it."""
        self._is_full = False
        """Whether the other side is held, because this one does not read."""
        self._progress: Progress
        """Its clock runs meanwhile."""
        self.frames = Frames()
        """What came from here."""
        self.taken = 0
        """Bytes of the other side that were written to it."""

    def __repr__(self) -> str:
        return f"<{self.name} {self.state}>"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._progress = Progress(self._transport, asyncio.get_running_loop(), self._look)
        self._move("connect")
        # held are the rest of one read each way, and not a high-water mark on top of it
        if not self._transport.is_closing():
            self._transport.set_write_buffer_limits(high=1)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the loop's interface
        return ROOM

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(ROOM[:nbytes]))
        if nbytes == len(ROOM):
            # there may be more: uvloop would read up to 32 times before it looks at anybody else
            self._transport.pause_reading()
            asyncio.get_running_loop().call_soon(self.read_on)

    def data_received(self, data: bytes) -> None:
        other = self.other
        if other.state == "closed":
            return  # it is read only so that closing does not become a reset
        if self._owner.farewell:
            # only the frame under way is passed on; of the rest, a Close frame counts
            end = self.frames.finish(data) if other.state in TAKES else 0
            other.write(data[:end])
            other.send_close()
            self.frames.feed(data[end:])
            self.close_if_done()
        else:
            self.frames.feed(data)
            other.write(data)
        self._owner.on_data(self)

    def eof_received(self) -> bool:
        self._end(None)
        if not self._transport.can_write_eof():
            self._move("tell")  # TLS has no half: the loop closes it
        return self.state != "closing"

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_full = False
        self._progress.close()
        try:
            if rescued := self.connection.on_lost(exc):
                self.data_received(rescued)
            self._end(exc)
        finally:
            self._move("lost")
            self.other.read_on()
            self._owner.on_lost(self)

    def pause_writing(self) -> None:
        self.other._transport.pause_reading()
        self._is_full = True
        self._progress.watch(self._patience)

    def resume_writing(self) -> None:
        self._stop_clock()
        self.other.read_on()

    @property
    def pending(self) -> int:
        """Bytes that wait for it to read."""
        return 0 if self.state in ("idle", "closed") else self._transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        """Nothing happens once nothing more may go to it."""
        if data and self.state in TAKES and not self._transport.is_closing():
            self.taken += len(data)
            self._transport.write(data)

    def read_on(self) -> None:
        """Read, unless nothing comes, or what came waits for the other side."""
        is_held = self.other._is_full and self.other.state in TAKES
        if self.state in SENDS and not is_held:
            self._transport.resume_reading()

    def finish(self) -> None:
        """Tell it that nothing more comes, after what was written."""
        if not self._move("tell") or self._transport.is_closing():
            return
        if self._transport.can_write_eof():
            with suppress(OSError):  # asyncio: reset already, as `connection_lost` is about to say
                self._transport.write_eof()
        else:
            self.close()
            self.other.finish()

    def close(self) -> None:
        """Await nothing more from it: close it after what was written."""
        self._move("end")

    def abort(self) -> None:
        if self.state not in ("idle", "closed"):
            self._transport.abort()

    def send_close(self) -> None:
        """Tell it that we leave, as soon as no frame is under way to it, and await its answer."""
        if self.state not in TAKES or not self.other.frames.at_border:
            return
        if self.other.frames.close_code is None and not self._transport.is_closing():
            self._transport.write(self._owner.close_frame_for(self))
        self._move("tell")
        self.other.read_on()
        self.close_if_done()

    def close_if_done(self) -> None:
        """Close it where everything was said both ways, by Close frames."""
        if self.state == "half_closed_local" and self.frames.close_code is not None:
            self.close()

    def _move(self, event: TunnelEvent) -> bool:
        """Whether the event changes the state; closing begins where both directions are over."""
        before = self.state
        self.state = TRANSITIONS[before].get(event, before)
        if self.state == "closing" != before and not self._transport.is_closing():
            self._transport.close()
        return self.state != before

    def _end(self, exc: Exception | None) -> None:
        """Nothing more comes from here."""
        if self._move("end"):
            self._owner.on_end(self, exc)
            self.other.finish()

    def _look(self) -> None:
        """Whether it is stuck, or only slow."""
        if self._progress.is_made():
            self._progress.watch(self._patience)
        else:
            self._owner.on_stuck(self)

    def _stop_clock(self) -> None:
        self._is_full = False
        self._progress.stop()
