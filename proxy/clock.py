"""The two clocks: `now` measures, `wall` dates.

Every length of time and every deadline comes from `now`, which never jumps.
`wall` is for people: the timestamp of an event, nothing else.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache

now: Callable[[], float] = time.monotonic
"""Seconds on a clock that never jumps; comparable between processes of one machine."""

wall: Callable[[], float] = time.time
"""Seconds since 1970, as the machine believes."""


def iso(at: float) -> str:
    """`at` (seconds since 1970) as ISO 8601 in UTC with milliseconds, ending in Z."""
    thousandths = int(at * 1000 + 0.5)
    return _iso_second(thousandths // 1000) + _FRACTIONS[thousandths % 1000]


def http_date(at: float) -> bytes:
    """`at` (seconds since 1970) as the value of a `Date` header (RFC 9110 §5.6.7)."""
    return _http_second(int(at))


_FRACTIONS = tuple(f".{n:03d}Z" for n in range(1000))

# Every event and every answer of one second shares its text.


@lru_cache(maxsize=2)
def _iso_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=2)
def _http_second(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode()
