"""Whether an upstream works, as far as the traffic shows. Asks nobody, waits for nothing."""

from dataclasses import dataclass
from typing import Final, Literal

from proxy.exchange import Exchange
from proxy.outcome import signal_of

WINDOW: Final = 60.0
"""Seconds for which the last attempt says something about now."""

Status = Literal["connected", "failing", "unknown"]


@dataclass(frozen=True, slots=True)
class UpstreamHealth:
    """`reason` is None only for `connected`."""

    status: Status
    reason: str | None = None


@dataclass(slots=True)
class Lesson:
    """What one exchange taught about its upstream; `failure` is None if it worked."""

    at: float
    failure: str | None


def lesson_of(x: Exchange) -> Lesson | None:
    """None: it taught nothing, because no attempt was made or something else was to blame."""
    if not x.attempts or x.outcome is None:
        return None
    last = x.attempts[-1]
    if x.outcome.signal == "failure":
        return Lesson(x.ended, x.outcome.code)
    if last.status is not None:
        is_failure = signal_of(last.status) == "failure"
        return Lesson(x.ended, f"status_{last.status}" if is_failure else None)
    if last.outcome is not None and last.outcome.signal == "failure":
        return Lesson(x.ended, last.outcome.code)
    return None


def health_after(lesson: Lesson | None, now: float, window: float = WINDOW) -> UpstreamHealth:
    """What the last lesson still says at `now`."""
    if lesson is None:
        return UpstreamHealth("unknown", "no attempt yet")
    if now - lesson.at > window:
        return UpstreamHealth("unknown", f"no attempt in the last {window:g} s")
    if lesson.failure is not None:
        return UpstreamHealth("failing", lesson.failure)
    return UpstreamHealth("connected")
