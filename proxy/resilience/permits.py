"""Values that a breaker returns: permits, refusals, transitions, and a view of its state."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from proxy.outcome import Outcome
from proxy.resilience.circuit import CircuitState
from proxy.resilience.opening import Opening

TransitionCause = Literal[
    "consecutive", "ratio", "probe_failed", "probe_succeeded", "cooled_down", "manual"
]
"""Why a circuit changed its state."""

SETTLED = -1
"""An era that never is."""


class Permit:
    """Leave to make one attempt."""

    __slots__ = ("at", "era", "is_sent", "wake")

    era: int
    """Of the breaker, when it was given; SETTLED afterwards."""
    is_sent: bool
    """Whether the upstream has the whole request, or has it at once; an upload asks before."""
    at: float
    """When a probe was admitted; 0 of other permits."""
    wake: Callable[[], None] | None
    """Called when an upload that waits for its turn should ask again."""

    def __init__(self, era: int, *, is_sent: bool = True, at: float = 0.0) -> None:
        self.era = era
        self.is_sent = is_sent
        self.at = at
        self.wake = None


@dataclass(frozen=True, slots=True)
class Refused:
    """No attempt now: `outcome` says why, `retry_in` seconds are worth waiting (above 0)."""

    outcome: Outcome
    retry_in: float


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of state, reported when it is complete."""

    name: str
    to: CircuitState
    cause: TransitionCause
    cool_down: float
    """Seconds until the first probe; 0 unless `to` is open."""
    at: float
    opening: Opening | None = None
    """What opened it; None unless `to` is open."""


@dataclass(frozen=True, slots=True)
class BreakerView:
    """What `/health` says about a breaker."""

    state: CircuitState
    failure_count: int
    """Attempts of the last `window` that failed; where the circuit is not closed, as it tripped."""
    success_count: int
    opened_at: float | None
    """On the `now` clock; None while closed."""
    retry_in: float
    """Seconds for which attempts will be refused; 0 where the next one is admitted or a probe."""
