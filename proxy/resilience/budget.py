"""The retry budget: a token bucket that requests fill and retries empty.

A per-exchange limit alone multiplies the load of an upstream that is down by `attempts`.
The budget bounds the sum: as a share of the traffic, plus a trickle for routes that are quiet.
"""

from proxy.resilience.rules import BudgetRule


class Budget:
    """The tokens of one route."""

    __slots__ = ("_at", "_capacity", "_per_request", "_per_second", "_tokens")

    def __init__(self, rule: BudgetRule) -> None:
        self._capacity = self._tokens = rule.capacity
        self._per_request = rule.per_request
        self._per_second = rule.per_minute / 60.0
        self._at = 0.0  # whatever now is: a full budget gains nothing by the time since then

    def earn(self, now: float) -> None:
        """A request has come: once per exchange, never per attempt."""
        self._fill(now, self._per_request)

    def spend(self, now: float) -> bool:
        """Pay for one retry. False, and nothing is taken, where less than a token is left."""
        self._fill(now, 0.0)
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def refund(self) -> None:
        """A retry that was paid for was not made."""
        self._tokens = min(self._capacity, self._tokens + 1.0)

    def tokens(self, now: float) -> float:
        """What is left."""
        self._fill(now, 0.0)
        return self._tokens

    def _fill(self, now: float, extra: float) -> None:
        if now > self._at:
            extra += (now - self._at) * self._per_second
            self._at = now
        tokens = self._tokens + extra
        self._tokens = tokens if tokens < self._capacity else self._capacity
