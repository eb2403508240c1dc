"""Load shedding: whether new requests are refused, because this process has more than it can do.

Two signs, each with a mark: how late the event loop runs, and how much memory is in use. A sign
begins above its mark and ends below a lower one, and one late moment is none: a machine that
stood still for a while has nothing to shed.
"""

from collections.abc import Callable
from typing import Final, Literal

OverloadCause = Literal["loop_lag", "memory"]

LATE_IN_A_ROW: Final = 3
"""Ticks of the loop above the mark, before requests are refused."""
CALM_IN_A_ROW: Final = 10
"""Ticks below half the mark, a second or more, before they are taken again."""
RETRY_IN: Final = 5.0
"""Seconds after which clients may come again."""
_LAG_ENDS: Final = 0.5
_MEMORY_ENDS: Final = 0.95
"""Parts of the marks at which it ends."""


class OverloadSign:
    """One sign; it holds from `begins` values in a row at `mark` until `ends` below `low`."""

    def __init__(self, mark: float, low: float, begins: int, ends: int) -> None:
        self.mark = mark
        self.holds = False
        self._low = low
        self._begins = begins
        self._ends = ends
        self._row = 0

    def saw(self, value: float) -> bool:
        """Whether it begins or ends with this value."""
        counts = value < self._low if self.holds else value >= self.mark
        self._row = self._row + 1 if counts else 0
        if self._row < (self._ends if self.holds else self._begins):
            return False
        self.holds, self._row = not self.holds, 0
        return True


OnChange = Callable[[OverloadCause, bool, float, float], None]
"""Takes the cause, whether it holds now, what was measured, and the mark."""


class Overload:
    """`lag_mark` is in seconds, `memory_mark` in bytes; None: not looked at."""

    def __init__(
        self, lag_mark: float | None, memory_mark: float | None, on_change: OnChange
    ) -> None:
        self.detail: str | None = None
        """Why new requests are refused, in words; None while they are taken."""
        self.refused = 0
        """Requests so far."""
        self.signs: dict[OverloadCause, OverloadSign] = {}
        """Those that are looked at."""
        if lag_mark is not None:
            low = lag_mark * _LAG_ENDS
            self.signs["loop_lag"] = OverloadSign(lag_mark, low, LATE_IN_A_ROW, CALM_IN_A_ROW)
        if memory_mark is not None:
            self.signs["memory"] = OverloadSign(memory_mark, memory_mark * _MEMORY_ENDS, 1, 1)
        self._on_change = on_change

    def saw_lag(self, late: float) -> None:
        """The loop was so many seconds late."""
        self._saw("loop_lag", late)

    def saw_memory(self, used: float) -> None:
        """So many bytes are in use."""
        self._saw("memory", used)

    def refuse(self) -> str:
        """Count a request that is refused; in which words."""
        self.refused += 1
        return self.detail or ""

    def _saw(self, cause: OverloadCause, value: float) -> None:
        sign = self.signs.get(cause)
        if sign is None or not sign.saw(value):
            return
        held = [name for name, one in self.signs.items() if one.holds]
        if cause in held:
            self.detail = f"overload.{cause}: {_words(cause, value)} of {_words(cause, sign.mark)}"
        elif not held:
            self.detail = None
        self._on_change(cause, sign.holds, value, sign.mark)


def _words(cause: OverloadCause, value: float) -> str:
    return f"{1000 * value:.0f} ms" if cause == "loop_lag" else f"{value / 2**20:.0f} MiB"
