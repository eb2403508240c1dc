"""The generic cell rate algorithm (ITU-T I.371, "virtual scheduling"): when the next request fits.

One number is kept for each key: the theoretical arrival time, at which the key would be at rest.
Times are whole numbers of ticks, so many to a microsecond that the interval between requests is a
whole number as well and nothing is ever rounded.
"""

from math import gcd
from typing import Final

_MICROSECONDS: Final = 1_000_000


class Quota:
    """`count` requests in `period` whole seconds, `burst` of them at once from rest."""

    def __init__(self, count: int, period: int, burst: int) -> None:
        common = gcd(count, period * _MICROSECONDS)
        self.count = count
        self.period = period
        self.burst = burst
        self.scale = count // common
        """Ticks in a microsecond."""
        self.interval = period * _MICROSECONDS // common
        """Ticks from one request to the next at the sustained rate."""
        self.tolerance = (burst - 1) * self.interval
        """Ticks by which a request may come before its theoretical arrival time."""
        self.second = self.scale * _MICROSECONDS
        """Ticks in a second."""

    def wait(self, early: int) -> float:
        """Seconds until a request would fit that comes `early` ticks before its theoretical arrival
        time; 0 where it fits."""
        over = early - self.tolerance
        return over / self.second if over > 0 else 0.0

    def seconds(self, ticks: int) -> int:
        """Whole seconds, rounded up."""
        return (ticks + self.second - 1) // self.second
