"""`Retry-After`: how long an upstream asks us to stay away (RFC 9110 §10.2.3).

It comes from outside and may say anything.
What is not a plain number of seconds or a date is treated as not said.
"""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(rb"[0-9]{1,18}")
_DATE = re.compile(rb"[A-Z][a-z]{2,8},? [\x20-\x7e]{10,40}")


def retry_after(value: bytes, wall: float) -> float | None:
    """Seconds from `wall` (seconds since 1970) that `value` asks for, at least 0.

    All three date formats of RFC 9110 §5.6.7 are read; a date in the past asks for 0.
    None where the value is neither; there is no upper bound, the rules have their own.
    """
    value = value.strip(b" \t")
    if _SECONDS.fullmatch(value):
        return float(value)
    if not _DATE.fullmatch(value):
        return None
    try:
        date = parsedate_to_datetime(value.decode("ascii"))
    except ValueError:
        return None
    return max(0.0, date.replace(tzinfo=date.tzinfo or UTC).timestamp() - wall)
