"""What opened a circuit: the rule that applied, the time, and the failed attempts."""

from dataclasses import dataclass
from typing import Final

MOST: Final = 5
"""Failures that are kept."""


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """One failure that counted; `at` is of the clock that never jumps."""

    request_id: str
    """Not redacted: never record it as it is."""
    code: str
    status: int | None
    """What the upstream answered; None where it did not."""
    endpoint: str
    at: float


@dataclass(frozen=True, slots=True)
class Opening:
    """Why a circuit opened, and when; `failures` oldest first, the last of many."""

    rule: str
    """`consecutive`, `ratio`, `probe_failed` or `manual`."""
    at: float
    failures: tuple[FailedAttempt, ...] = ()
