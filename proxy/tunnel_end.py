"""One end of a tunnel: what arrives here is written to the other end, by callbacks alone.

A message costs no task and no wait. Where the other side does not read, nothing is read here
until all is written. The end of this side is passed on after its last byte; the other side may
still finish.
"""

import asyncio
from typing import Protocol, cast

from proxy.outcome import Outcome
from proxy.streams.websocket import Frames


class Lender(Protocol):
    """Whose connection it is."""

    def hand_over(self, to: asyncio.Protocol) -> bytes:
        """Give the connection to `to`, and the bytes that came behind the head."""

    def on_lost(self, exc: Exception | None) -> bytes:
        """The connection is lost; gives what had arrived all the same."""


class Warden(Protocol):
    """Who has both ends, and knows why the tunnel ends."""

    is_parting: bool
    """Whether we leave, and say so to both sides."""

    def heard(self, end: "End") -> None:
        """Bytes came from it."""

    def closed(self, end: "End") -> None:
        """A Close frame came from it, now or earlier."""

    def ended(self, end: "End", exc: Exception | None) -> None:
        """Nothing more comes from it; `exc` where it did not end of its own will."""

    def lost(self, end: "End") -> None:
        """Its connection is gone."""

    def give_up(self, outcome: Outcome, detail: str) -> None:
        """The tunnel cannot go on."""

    def last_words(self, end: "End") -> bytes:
        """The Close frame for it."""


class End(asyncio.Protocol):
    """One end of the tunnel: what arrives here is written to the other end."""

    __slots__ = (
        "_clock",
        "_key",
        "_lender",
        "_patience",
        "_transport",
        "_tunnel",
        "frames",
        "has_ended",
        "is_lost",
        "is_told",
        "name",
        "other",
        "passed",
        "slow",
    )

    def __init__(
        self, tunnel: Warden, name: str, lender: Lender, patience: float, slow: Outcome
    ) -> None:
        self._tunnel = tunnel
        self.name = name
        self._lender = lender
        self._patience = patience
        """Seconds in which it must take something of what waits for it."""
        self.slow = slow
        """The outcome where it does not."""
        self._transport: asyncio.Transport
        self.other: End
        self._clock: asyncio.TimerHandle | None = None
        self.frames = Frames()
        """What came from here."""
        self.passed = 0
        """Bytes from here that were passed on."""
        self.has_ended = False
        """Whether nothing more can come from here."""
        self.is_lost = True
        """Whether there is no connection, or none yet."""
        self.is_told = False
        """Whether a Close frame has gone to it, or none can any more."""

    def open(self) -> bytes:
        """Take the connection; gives what has come already."""
        return self._lender.hand_over(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.is_lost = False
        # held are the rest of one read each way, and not a high-water mark on top of it
        if not self._transport.is_closing():
            self._transport.set_write_buffer_limits(high=1)

    def data_received(self, data: bytes) -> None:
        if self.other.is_lost:
            return  # it is read only so that closing does not become a reset
        self._tunnel.heard(self)
        if self._tunnel.is_parting:
            self._finish_frame(data)
            return
        self.passed += len(data)
        self.frames.feed(data)
        if self.frames.close_code is not None:
            self._tunnel.closed(self)
        self.other.write(data)

    def eof_received(self) -> bool:
        self._end(None)
        return self._transport.can_write_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        rescued = self._lender.on_lost(exc)
        if rescued:
            self.data_received(rescued)
        self.is_lost = True
        self._end(exc)
        self._tunnel.lost(self)

    def pause_writing(self) -> None:
        self.other.hold()
        self._watch(self.pending)

    def resume_writing(self) -> None:
        self._stop_clock()
        self.other.release()

    @property
    def pending(self) -> int:
        """Bytes that wait for it to read."""
        return 0 if self.is_lost else self._transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        """Nothing happens once it is closed."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def hold(self) -> None:
        """Read nothing for now."""
        self._transport.pause_reading()

    def release(self) -> None:
        """Read on; not behind an end, which loops would tell of again."""
        if not self.has_ended:
            self._transport.resume_reading()

    def finish(self) -> None:
        """Tell it that nothing more comes, after what was written."""
        self.is_told = True
        if self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()
        else:
            self.close()

    def close(self) -> None:
        """Close it after what was written."""
        if not self._transport.is_closing():
            self.has_ended = True
            self._transport.close()

    def abort(self) -> None:
        if not self.is_lost:
            self._transport.abort()

    def dismiss(self) -> None:
        """Tell it that we leave, as soon as no frame is under way to it, and await its answer."""
        if self.is_told or not self.other.frames.at_border:
            return
        self.is_told = True
        if self.other.frames.close_code is None:
            self.write(self._tunnel.last_words(self))
        self.other.release()
        self.part()

    def part(self) -> None:
        """Close it where everything was said both ways."""
        if self.is_told and (self.has_ended or self.frames.close_code is not None):
            self.close()

    def _finish_frame(self, data: bytes) -> None:
        """We are leaving: only the frame under way is passed on; of the rest, a Close counts."""
        at = 0 if self.other.is_told else self.frames.finish(data)
        if at:
            self.passed += at
            self.other.write(data[:at])
        self.other.dismiss()
        self.frames.feed(data[at:])
        self.part()

    def _end(self, exc: Exception | None) -> None:
        """Nothing more comes from here."""
        if not self.has_ended:
            self.has_ended = True
            self._tunnel.ended(self, exc)
            self.other.finish()
        if self._tunnel.is_parting:
            self.part()
        elif self.other.has_ended:
            self.close()
            self.other.close()

    def _watch(self, before: int) -> None:
        loop = asyncio.get_running_loop()
        self._clock = loop.call_later(self._patience, self._look, before)

    def _look(self, before: int) -> None:
        pending = self.pending
        if pending < before:
            self._watch(pending)
        else:
            self._tunnel.give_up(self.slow, f"the {self.name} does not read")

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
