"""The clocks of a request's body: its silence, its rate over the last minute, its whole length.

They count only time in which the client was waited for and the loop ran; whoever waits says how
long that was. So neither a slow upstream nor a stall of ours counts. Reads no clock.
"""

from collections import deque
from dataclasses import dataclass
from math import inf
from typing import Final

WINDOW: Final = 60.0
"""Seconds of waiting over which the rate is averaged."""

_TICK: Final = 0.002
"""Loops round their clocks to milliseconds."""


@dataclass(frozen=True, slots=True)
class Expired:
    """A clock that has run out; `ran` is what it counted, in seconds."""

    detail: str
    ran: float


class UploadClocks:
    """Of one body: at most `gap` seconds without a byte, and until the answer begins at least
    `rate` bytes a second (0: any) and at most `whole` seconds."""

    __slots__ = (
        "_gap", "_need", "_rate", "_safe_until", "_seconds", "_silent", "_sum", "_waited", "_whole",
    )  # fmt: skip

    def __init__(self, gap: float, rate: int = 0, whole: float = inf) -> None:
        self._gap, self._rate, self._whole = gap, rate, whole
        self._need = rate * WINDOW
        self._waited = 0.0
        self._silent = 0.0
        self._seconds: deque[tuple[int, int]] = deque()
        """Bytes by the second of waiting in which they came, oldest first."""
        self._sum = 0
        self._safe_until = WINDOW if rate else inf
        """Seconds of waiting up to which the rate cannot be too low, whatever comes."""

    def count(self, waited: float, size: int) -> None:
        """The client was waited for, and then sent so many bytes."""
        self._waited += waited
        if not size:
            self._silent += waited
            return
        self._silent = 0.0
        if not self._need:
            return
        second, seconds = int(self._waited), self._seconds
        self._sum += size
        if seconds and seconds[-1][0] == second:
            seconds[-1] = (second, seconds[-1][1] + size)
            return
        seconds.append((second, size))
        while seconds[0][0] + 1 + WINDOW <= second:
            self._sum -= seconds.popleft()[1]

    def patience(self) -> float:
        """Seconds for which the next byte may still be waited for."""
        left = min(self._gap - self._silent, self._whole - self._waited)
        if self._waited + left > self._safe_until:
            self._safe_until = self._too_low_at()
            left = min(left, self._safe_until - self._waited)
        return max(0.0, left)

    def expired(self) -> Expired | None:
        """The clock that has run out by what was counted; None where none has."""
        if self.patience() > _TICK:
            return None
        if self._gap - self._silent <= _TICK:
            return Expired(f"body silent for {self._gap:g} s", self._silent)
        if self._whole - self._waited <= _TICK:
            return Expired(f"request_body: not whole after {self._whole:g} s", self._waited)
        window = min(WINDOW, self._waited)
        words = f"min_upload_rate: less than {self._rate} bytes/s over {window:.0f} s"
        return Expired(words, window)

    def answered(self) -> None:
        """The answer has begun: from now on both may be sent slowly, as in a dialogue."""
        self._need, self._safe_until, self._whole = 0.0, inf, inf

    def _too_low_at(self) -> float:
        """After how many seconds of waiting the rate will be too low if nothing more comes."""
        at, left = self._waited, self._sum
        for second, size in self._seconds:
            if left < self._need:
                break
            left -= size
            at = second + 1 + WINDOW
        return max(WINDOW, at)
