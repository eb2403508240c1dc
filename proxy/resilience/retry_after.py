"""Parses `Retry-After`: how long an upstream asks to be left alone (RFC 9110 §10.2.3).

It comes from outside and may say anything.
What is not a plain number of seconds or a date is treated as not said.
Providers say it in milliseconds as well, in headers of their own, which are the more exact.
"""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

from proxy.http.headers import RawHeaders

MILLISECONDS = (b"retry-after-ms", b"x-ms-retry-after-ms")
"""Headers that say it in milliseconds: OpenAI's and Azure's."""

_NUMBER = re.compile(rb"[0-9]{1,18}(\.[0-9]{1,9})?")
_DATE = re.compile(rb"[A-Z][a-z]{2,8},? [\x20-\x7e]{10,40}")


def rest_asked(headers: RawHeaders, wall: float) -> float | None:
    """Seconds from `wall` that an answer with these headers asks for; None where it does not.

    The first that can be understood, milliseconds before `Retry-After`.
    """
    rest: float | None = None
    for name, value in headers:
        key = name.lower()
        if key in MILLISECONDS and _NUMBER.fullmatch(value.strip(b" \t")):
            return float(value) / 1000
        if key == b"retry-after" and rest is None:
            rest = retry_after(value, wall)
    return rest


def retry_after(value: bytes, wall: float) -> float | None:
    """Seconds from `wall` (seconds since 1970) that `value` asks for, at least 0.

    Fractions of a second count, though the RFC knows none.
    All three date formats of RFC 9110 §5.6.7 are read; a date in the past asks for 0.
    None where the value is neither; there is no upper bound, the rules have their own.
    """
    value = value.strip(b" \t")
    if _NUMBER.fullmatch(value):
        return float(value)
    if not _DATE.fullmatch(value):
        return None
    try:
        date = parsedate_to_datetime(value.decode("ascii"))
    except ValueError:
        return None
    return max(0.0, date.replace(tzinfo=date.tzinfo or UTC).timestamp() - wall)
