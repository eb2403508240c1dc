"""The circuit breaker of a route: refuses attempts while the upstream fails, and probes for
recovery.

    permit = breaker.admit(now)            # or Refused
    ...                                    # the attempt, to the end of its body
    breaker.settle(permit, signal, now)    # once; a second time changes nothing

closed     every attempt is admitted; failures in a row, or their share, open the circuit
open       every attempt is refused until the cool-down is over
half_open  one attempt at a time is admitted, the probe: it closes the circuit or opens it again;
           one that is still being uploaded keeps nobody else from probing, and asks before it
           becomes whole

A permit belongs to the era between two changes of state.
What was begun in an earlier era says nothing about the present one and is ignored.

What a signal does:

success  ends the row of failures; as a probe closes the circuit
failure  counts in the row and in the ratio; as a probe opens the circuit again
ratio    counts as failed in the ratio, neither lengthens nor ends the row (an answer 500 may be one
         user's poisoned message, but shows no health either); as a probe opens the circuit again
neutral  counts nowhere; as a probe lets the next attempt probe
"""

import math
import random
from collections import deque
from collections.abc import Callable, Iterator

from proxy import outcome as o
from proxy.outcome import Signal
from proxy.resilience.circuit import Circuit, CircuitState, FailureStorage
from proxy.resilience.opening import MOST, FailedAttempt, Opening
from proxy.resilience.pauses import Random, growing
from proxy.resilience.permits import (
    SETTLED,
    BreakerView,
    Permit,
    Refused,
    Transition,
    TransitionCause,
)
from proxy.resilience.probes import PROBE_WAIT, ProbesOut
from proxy.resilience.rules import BreakerRule


class Breaker:
    """The breaker of one route."""

    def __init__(
        self,
        name: str,
        rule: BreakerRule,
        on_transition: Callable[[Transition], None],
        rng: Random = random.random,
    ) -> None:
        self.name = name
        self.rule = rule
        self._on_transition = on_transition
        self._rng = rng
        self._tally = FailureStorage(
            consecutive=rule.consecutive,
            failure_ratio=rule.failure_ratio,
            min_attempts=rule.min_attempts,
            window=rule.window,
        )
        self._circuit = Circuit(self._tally)
        self._cool_downs = self._growing()
        self._flows = rule.enabled
        """Closed and enabled: the short way through `admit` and `settle`."""
        self._era = 0
        self._probes = ProbesOut()
        self._opened_at: float | None = None
        self._latest: deque[FailedAttempt] = deque(maxlen=MOST)
        self.opening: Opening | None = None
        """What opened the circuit; None while it is closed."""
        self._due = -math.inf
        """End of the cool-down."""
        self._busy_until = -math.inf
        """Until then the upstream asked to be left alone."""
        self._tripped = (0, 0)

    def admit(self, now: float, *, is_sent: bool = True) -> Permit | Refused:
        """Ask for leave, anew for every attempt. Each permit must be settled.

        Without `is_sent` its request is to be uploaded, and `complete` must be asked at its end.
        """
        if self._flows and now >= self._busy_until:
            return Permit(self._era)
        if not self.rule.enabled:
            return Permit(SETTLED)
        if self.state(now) == "open":
            return Refused(o.CIRCUIT_OPEN, self._due - now)
        if now < self._busy_until:
            return Refused(o.UPSTREAM_COOLING_DOWN, self._busy_until - now)
        permit = Permit(self._era, is_sent=is_sent, at=now)
        return permit if self._probes.admit(permit, now) else Refused(o.CIRCUIT_OPEN, PROBE_WAIT)

    def complete(self, permit: Permit, now: float) -> bool | Refused:
        """Whether an upload may become whole: True, or not yet, or not at all.

        Where not yet, `permit.wake` is called when it should ask again. One whose circuit opened
        while it was under way is refused: nothing can have come of it so far. One that began as a
        probe of an earlier half-open is a probe of the present one.
        """
        if permit.is_sent or permit.era == SETTLED or self.state(now) == "closed":
            return True
        if self._circuit.state == "open":
            return Refused(o.CIRCUIT_OPEN, self._due - now)
        permit.era = self._era
        return self._probes.complete(permit, now)

    def settle(
        self, permit: Permit, signal: Signal, now: float, failed: FailedAttempt | None = None
    ) -> None:
        """Say what the attempt taught; ignored for a permit that is settled or of another era.

        `failed` is remembered as one of those that opened the circuit, if it opens.
        """
        if permit.era != self._era:
            return
        if failed is not None:
            self._latest.append(failed)
        permit.era = SETTLED
        if self._flows and signal == "success":
            tally = self._tally
            tally.consecutive = 0
            tally.window.add(now, failed=False)
        elif signal == "neutral":
            self._probes.leave(permit)
        else:
            self._learn(signal, now)

    def cool(self, seconds: float | None, now: float) -> None:
        """The upstream answered 429 and asked for `seconds` of rest (None: it did not say).

        Does nothing unless the rule says so; opens no circuit and counts nowhere.
        """
        if not (self.rule.enabled and self.rule.cool_down_on_429):
            return
        rest = self.rule.cool_down if seconds is None else min(seconds, self.rule.max_cool_down)
        self._busy_until = max(self._busy_until, now + rest)

    def will_refuse(self, then: float) -> bool:
        """Whether an attempt at that time will be refused, if nobody settles anything till then."""
        if not self.rule.enabled:
            return False
        return then < self._busy_until or (self._circuit.state == "open" and then < self._due)

    def wait(self, now: float) -> float:
        """Seconds after which to ask again is worth it: `Retry-After` of who is refused."""
        if self.state(now) == "open":
            return self._due - now
        return max(self._busy_until - now, PROBE_WAIT)

    def state(self, now: float) -> CircuitState:
        """The state at `now`: a cool-down that is over makes the circuit half-open."""
        if self._circuit.state == "open" and now >= self._due:
            self._circuit.half_open()
            self._enter("cooled_down", now)
        return self._circuit.state

    def counts(self, now: float) -> tuple[int, int]:
        """Failed attempts and all of them in the window; while not closed, as it tripped."""
        if self.state(now) != "closed":
            attempts, failures = self._tripped
        else:
            attempts, failures = self._tally.window.counts(now)
        return failures, attempts

    def view(self, now: float) -> BreakerView:
        state = self.state(now)
        failures, attempts = self.counts(now)
        return BreakerView(
            state=state,
            failure_count=failures,
            success_count=attempts - failures,
            opened_at=self._opened_at,
            retry_in=max(0.0, self._due - now, self._busy_until - now),
        )

    def open(self, now: float) -> None:
        """Trip by hand; the circuit cools down and probes as usual."""
        self._circuit.open()
        self._enter("manual", now)

    def close(self, now: float) -> None:
        """Close by hand and forget everything counted, a rest the upstream asked for included."""
        self._busy_until = -math.inf
        self._circuit.close()
        self._enter("manual", now)

    def _learn(self, signal: Signal, now: float) -> None:
        before = self._circuit.state
        if signal == "success":
            self._circuit.succeed()
        else:
            self._circuit.fail(now, in_a_row=signal == "failure")
        if before == "half_open":
            self._enter("probe_succeeded" if signal == "success" else "probe_failed", now)
        elif reason := self._tally.reason:
            self._enter(reason, now)

    def _enter(self, cause: TransitionCause, now: float) -> None:
        """Begin the era of the state the circuit has just taken."""
        state = self._circuit.state
        self._era += 1
        if self._flows:
            self._tripped = self._tally.window.counts(now)
        self._flows = state == "closed" and self.rule.enabled
        if state == "open":
            self._opened_at = now
            self.opening = Opening(cause, now, self._failures(cause, now))
            self._due = now + next(self._cool_downs)
        elif state == "closed":
            self._opened_at = self.opening = None
            self._latest.clear()
            self._due = -math.inf
            self._cool_downs = self._growing()
            self._tally.clear()
        cool_down = self._due - now if state == "open" else 0.0
        opening = self.opening if state == "open" else None
        self._on_transition(Transition(self.name, state, cause, cool_down, now, opening))
        self._probes.clear()

    def _failures(self, cause: TransitionCause, now: float) -> tuple[FailedAttempt, ...]:
        """Those of the latest that made `cause` true."""
        latest = tuple(self._latest)
        if cause == "consecutive":
            return latest[-self._tally.consecutive :]
        if cause == "ratio":
            return tuple(each for each in latest if now - each.at <= self.rule.window)
        return latest[-1:] if cause == "probe_failed" else ()

    def _growing(self) -> Iterator[float]:
        rule = self.rule
        return growing(rule.cool_down, rule.max_cool_down, rule.jitter, self._rng)
