"""The two clocks: `now` measures, `wall` dates.

Every length of time and every deadline comes from `now`, which never jumps.
`wall` is for people: the timestamp of an event, nothing else.
"""

import time
from datetime import UTC, datetime

now = time.monotonic
"""Seconds on a clock that never jumps; comparable between processes of one machine."""

wall = time.time
"""Seconds since 1970, as the machine believes."""

_second = -1
_prefix = ""


def iso(at: float) -> str:
    """`at` (seconds since 1970) as ISO 8601 in UTC with milliseconds, ending in Z."""
    global _second, _prefix
    second = int(at)
    if second != _second:
        _prefix = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
        _second = second
    return f"{_prefix}{int((at - second) * 1000):03d}Z"
