"""What to do about one thing that can go wrong: its cause, what to check, how to mend it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Runbook:
    """What to do at three in the morning."""

    cause: str
    checks: tuple[str, ...]
    fixes: tuple[str, ...]
