"""The generic cell rate algorithm (ITU-T I.371, "virtual scheduling"): when the next request fits.

One number is kept for each key: the theoretical arrival time, at which the key would be at rest.
Times are whole numbers of ticks, `count` to a microsecond, so that the interval between requests is
a whole number as well and nothing is ever rounded.
"""

from typing import Final

_MICROSECONDS: Final = 1_000_000
_EXACT: Final = float(1 << 53)
"""Below it a float holds every whole number, and compiled code multiplies floats fastest."""


class Quota:
    """`count` requests in `period` whole seconds, `burst` of them at once from rest."""

    def __init__(self, count: int, period: int, burst: int) -> None:
        self.count = count
        self._count = float(count)
        self.period = period
        self.burst = burst
        self.interval = period * _MICROSECONDS
        """Ticks from one request to the next at the sustained rate."""
        self.tolerance = (burst - 1) * self.interval
        """Ticks by which a request may come before its theoretical arrival time."""
        self.second = count * _MICROSECONDS
        """Ticks in a second."""

    def ticks(self, now: float) -> int:
        """`now`, to the microsecond, in ticks."""
        at = int(now * 1e6 + 0.5)
        product = float(at) * self._count
        return int(product) if product < _EXACT else at * self.count

    def seconds(self, ticks: int) -> int:
        """Whole seconds, rounded up."""
        return (ticks + self.second - 1) // self.second


class Decision:
    """Whether a request fits, and what is left."""

    __slots__ = ("arrival", "at", "remaining", "reset", "wait")

    def __init__(self, at: int, arrival: int, wait: float, remaining: int, reset: int) -> None:
        self.at = at
        """When it was made, in ticks."""
        self.arrival = arrival
        """The theoretical arrival time to keep if the request is let in."""
        self.wait = wait
        """Seconds until one would fit; 0 where this one does."""
        self.remaining = remaining
        """Requests that fit at once after this one."""
        self.reset = reset
        """Whole seconds, rounded up, until the key is at rest."""


def check_arrival(quota: Quota, arrival: int | None, now: float) -> Decision:
    """Whether a request fits now; `arrival` is what is kept of the key, None: nothing."""
    at, interval, tolerance = quota.ticks(now), quota.interval, quota.tolerance
    due = at if arrival is None or arrival < at else arrival
    early = due - at
    if early > tolerance:
        return Decision(at, due, (early - tolerance) / quota.second, 0, quota.seconds(early))
    left = (tolerance - early) // interval
    return Decision(at, due + interval, 0.0, left, quota.seconds(early + interval))
