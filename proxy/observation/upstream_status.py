"""The status of an upstream, derived from the results of its attempts.

One failed attempt among good ones is no outage: failing is only an upstream whose attempts failed
one after the other. A failure is what the breaker counts as one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from proxy.attempt_record import Attempt
from proxy.exchange import Exchange
from proxy.fallback.record import FallbackRecord
from proxy.outcome import COMPLETED, Outcome, Signal, signal_of
from proxy.upstream.health.view import EndpointView, none_is_up

WINDOW: Final = 60.0
"""Seconds for which the last attempt says that an upstream works."""

IN_A_ROW: Final = 3
"""Failed attempts, none good between them, after which an upstream is failing."""

IN_WINDOW: Final = 2
"""The same, where no attempt was good within the window."""

MEMORY: Final = 600.0
"""Seconds after the last attempt at which nobody knows any more: whoever sends its traffic
elsewhere because of `failing` would otherwise never find out that the upstream works again."""

HealthStatus = Literal["connected", "failing", "unknown"]


@dataclass(frozen=True, slots=True)
class UpstreamHealth:
    """`reason` is None only for `connected`."""

    status: HealthStatus
    reason: str | None = None
    since: float | None = None
    """When the first of `failures` was seen, on `clock.now`; None where there are none."""
    failures: int = 0
    """Attempts that failed since the last good one."""


@dataclass(slots=True, init=False)
class AttemptResult:
    """What one attempt showed about its upstream."""

    at: float
    signal: Signal
    cause: str

    def __init__(self, at: float, signal: Signal, cause: str) -> None:
        self.at = at
        self.signal = signal
        self.cause = cause


class AttemptHistory:
    """The attempts at one upstream, as far as its health depends on them."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._last_good: float | None = None
        self._failed_at: list[float] = []
        """When the last failures of the row were seen, oldest first."""
        self._since: float | None = None
        self._failures = 0
        self._cause = ""

    def add(self, result: AttemptResult) -> None:
        """Results come in the order in which their exchanges ended."""
        self._last = result.at
        if result.signal == "success":
            self.succeeded(result.at)
        elif result.signal == "failure":
            self._since = result.at if self._since is None else self._since
            self._failures += 1
            self._failed_at = [*self._failed_at[1 - IN_WINDOW :], result.at]
            self._cause = result.cause

    def succeeded(self, at: float) -> None:
        """An attempt was good, as `add` is told of it."""
        self._last = self._last_good = at
        if self._failures:
            self._since, self._failures = None, 0
            self._failed_at.clear()

    @property
    def last(self) -> float | None:
        """When the last attempt was; None where there was none."""
        return self._last

    def health(self, now: float) -> UpstreamHealth:
        if self._last is None:
            return UpstreamHealth("unknown", "no attempt yet")
        if now - self._last <= MEMORY and self._is_failing(now):
            return UpstreamHealth("failing", self._cause, self._since, self._failures)
        if now - self._last > WINDOW:
            return self._unknown(f"no attempt in the last {WINDOW:g} s")
        if self._failures and not self._was_good(now):
            return self._unknown(f"the last attempt failed: {self._cause}")
        return UpstreamHealth("connected", None, self._since, self._failures)

    def _is_failing(self, now: float) -> bool:
        if self._failures >= IN_A_ROW:
            return True
        recent = [at for at in self._failed_at if now - at <= WINDOW]
        return len(recent) >= IN_WINDOW and not self._was_good(now)

    def _was_good(self, now: float) -> bool:
        return self._last_good is not None and now - self._last_good <= WINDOW

    def _unknown(self, reason: str) -> UpstreamHealth:
        return UpstreamHealth("unknown", reason, self._since, self._failures)


def of_checks(
    views: Sequence[EndpointView], health: UpstreamHealth, last: float | None
) -> UpstreamHealth:
    """The health of an upstream as its endpoints' checks show it, traffic or not.

    `last` is when its last attempt was; failures before an endpoint came up again are over.
    """
    if none_is_up(views):
        since = max((view.since for view in views if view.since is not None), default=None)
        reason = f"no endpoint is healthy: {views[0].reason}"
        return UpstreamHealth("failing", reason, since, health.failures)
    up_since = [view.since for view in views if view.status == "up" and view.since is not None]
    is_news = last is None or any(since > last for since in up_since)
    if up_since and (health.status == "unknown" or is_news):
        return UpstreamHealth("connected")
    return health


def circuit_open(route: str, since: float | None, health: UpstreamHealth) -> UpstreamHealth:
    """The health of an upstream that an open circuit keeps traffic from."""
    if health.status == "failing":
        return health
    return UpstreamHealth("failing", f"circuit of {route} is open", since, health.failures)


def is_plain_success(x: Exchange) -> bool:
    """Whether its one attempt showed that the upstream works, and there is no more to it."""
    if x.outcome is not COMPLETED or len(x.attempts) != 1:
        return False
    status = x.attempts[0].status
    return status is not None and signal_of(status) == "success"


def results_of(x: Exchange) -> list[AttemptResult]:
    """What the attempts of an exchange showed; those that blame nobody show nothing."""
    found: list[AttemptResult] = []
    if x.outcome is None:
        return found
    last = len(x.attempts) - 1
    for n, attempt in enumerate(x.attempts):
        at = x.ended if n == last else x.attempts[n + 1].started
        result = _result_of(attempt, at, x.outcome if n == last else None)
        if result is not None:
            found.append(result)
    return found


def spare_result(fallback: FallbackRecord, at: float) -> AttemptResult | None:
    """What the attempt at the upstream of a fallback showed about that one."""
    if fallback.attempt is None:
        return None
    return _result_of(fallback.attempt, at, fallback.outcome)


def _result_of(attempt: Attempt, at: float, outcome: Outcome | None) -> AttemptResult | None:
    """`outcome` is that of the exchange where this was its last attempt."""
    if outcome is not None and outcome.signal == "failure":
        return AttemptResult(at, "failure", outcome.code)
    if attempt.status is not None:
        return AttemptResult(at, signal_of(attempt.status), f"status_{attempt.status}")
    if attempt.outcome is not None and attempt.outcome.signal == "failure":
        return AttemptResult(at, "failure", attempt.outcome.code)
    return None
