"""pybreaker as a synchronous state machine: told what happened, never wrapped around it.

The only module that knows the library.
Kept from it are the three states, the rule that leads from one to the next, the listener and the
storage as the place where "failed too often" is decided.
Not used are its `call` around real work (a cancellation would count as a failure), its wall clock
and its way to half-open (it admits everyone): `Breaker` says when the cool-down is over and who
probes.
"""

from contextlib import suppress
from datetime import datetime
from typing import Literal

import pybreaker

from proxy.resilience.window import Window

CircuitState = Literal["closed", "open", "half_open"]

STATES: dict[str, CircuitState] = {
    pybreaker.STATE_CLOSED: "closed",
    pybreaker.STATE_OPEN: "open",
    pybreaker.STATE_HALF_OPEN: "half_open",
}


class FailureStorage(pybreaker.CircuitBreakerStorage):
    """Counts, and answers pybreaker's "how many failures" with 1 for too many and 0 for not yet."""

    def __init__(
        self, *, consecutive: int, failure_ratio: float, min_attempts: int, window: float
    ) -> None:
        super().__init__("sidelight")
        self._most_consecutive = consecutive
        self._most_ratio = failure_ratio
        self._min_attempts = min_attempts
        self._state = pybreaker.STATE_CLOSED
        self.consecutive = 0
        self.window = Window(window)

    @property
    def reason(self) -> Literal["consecutive", "ratio"] | None:
        """Why it is too much; None while it is not."""
        if self.consecutive >= self._most_consecutive:
            return "consecutive"
        attempts, failures = self.window.counts()
        if attempts >= self._min_attempts and failures >= self._most_ratio * attempts:
            return "ratio"
        return None

    def clear(self) -> None:
        self.consecutive = 0
        self.window.clear()

    @property
    def state(self) -> str:
        return self._state

    @state.setter
    def state(self, state: str) -> None:
        self._state = state

    @property
    def counter(self) -> int:
        return 1 if self.reason else 0

    @property
    def success_counter(self) -> int:
        return 1  # one good probe is enough

    @property
    def opened_at(self) -> datetime | None:
        return None

    @opened_at.setter
    def opened_at(self, _: datetime) -> None:
        """Wall time; `Breaker` keeps its own."""


class Circuit(pybreaker.CircuitBreakerListener):
    """The machine of one breaker. `state` is always the present one."""

    def __init__(self, tally: FailureStorage) -> None:
        self.tally = tally
        self.state: CircuitState = "closed"
        self._machine = pybreaker.CircuitBreaker(
            fail_max=1, listeners=[self], state_storage=tally, throw_new_error_on_trip=False
        )

    def state_change(self, _: object, __: object, entered: pybreaker.CircuitBreakerState) -> None:
        """Called by pybreaker before its storage knows, so nobody else is told from here."""
        self.state = STATES[entered.name]

    def fail(self, now: float, *, in_a_row: bool) -> None:
        """An attempt failed; `in_a_row`: in a way that counts as consecutive too."""
        self.tally.consecutive += in_a_row
        self.tally.window.add(now, failed=True)
        with suppress(_FailedError):
            self._machine.call(_fail)

    def succeed(self) -> None:
        """A probe succeeded."""
        self._machine.call(_succeed)

    def open(self) -> None:
        self._machine.open()

    def half_open(self) -> None:
        self._machine.half_open()

    def close(self) -> None:
        self._machine.close()


class _FailedError(Exception):
    """What pybreaker understands as a failure."""


def _fail() -> None:
    raise _FailedError


def _succeed() -> None:
    pass
