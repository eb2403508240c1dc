"""Settings of retries, of their budget and of the breaker."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from proxy.knobs import Duration, Knobs, Share, Size
from proxy.outcome import Cause

ErrorStatus = Annotated[int, Field(ge=400, le=599)]
Tokens = Annotated[float, Field(ge=0)]


class BudgetRule(Knobs, use_attribute_docstrings=True):
    """What the retries of a route may cost; one retry costs one token."""

    capacity: Tokens = 20.0
    """Tokens the budget can hold, and holds at the start: the largest burst of retries."""
    per_minute: Tokens = 10.0
    """Tokens that come with time, so that a quiet route may retry as well."""
    per_request: Tokens = 0.2
    """Tokens that come with each request: 0.2 lets one request in five be retried."""


class RetryRule(Knobs, use_attribute_docstrings=True):
    """When a failed attempt is made again, and after which pause."""

    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    """Attempts in all, the first included; 1 switches retries off."""
    on: tuple[Cause, ...] = ("connect", "stale", "reset", "write", "status")
    """What a retry may be for.
    `connect` is safe for every request, the others repeat only what is idempotent."""
    statuses: tuple[ErrorStatus, ...] = (502, 503, 504)
    """Statuses of the upstream that the cause `status` stands for."""
    first_pause: Duration = 0.1
    """Pause before the first retry; it doubles with each further one."""
    max_pause: Duration = 2.0
    """No pause grows beyond it, jitter included; only a `Retry-After` may ask for more."""
    jitter: Share = 0.25
    """Part by which a pause varies up and down, so that those who failed together return apart."""
    retry_after_cap: Duration = 5.0
    """The longest `Retry-After` that is waited for; where the upstream asks for more, no retry."""
    elsewhere: Literal["at_once", "pause"] = "at_once"
    """Whether a retry that another endpoint can take is made at once, or after the pause as well.
    A `Retry-After` counts for the endpoint that asked for it."""
    replay_body: Size = 64 * 1024
    """Request bodies up to this size are kept, so that they can be sent again."""
    keep_answer: Size = 64 * 1024
    """Retryable answers up to this size are kept, so that the last real one can be given.
    A larger one is relayed at once."""
    idempotency_key: bool = False
    """Whether a request with an `Idempotency-Key` header counts as idempotent, whatever its method.
    Only for upstreams that honour the key."""
    budget: BudgetRule = BudgetRule()
    """What the retries of a route may cost."""

    @model_validator(mode="after")
    def _pauses_grow(self) -> Self:
        if self.first_pause > self.max_pause:
            raise ValueError(
                f"first_pause ({self.first_pause:g} s) is longer than max_pause "
                f"({self.max_pause:g} s); raise max_pause as well"
            )
        return self


class BreakerRule(Knobs, use_attribute_docstrings=True):
    """When attempts are refused because the upstream has failed too often."""

    enabled: bool = True
    """Whether there is a breaker; without one every attempt is admitted."""
    consecutive: Annotated[int, Field(ge=1)] = 5
    """Failures in a row that open the circuit.
    A failure is a connect failure, a reset, a timeout, a broken stream, a 502, 503 or 504."""
    failure_ratio: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of failed attempts in `window` that opens the circuit.
    Other 5xx answers count here only."""
    min_attempts: Annotated[int, Field(ge=1)] = 10
    """Attempts in `window` below which the ratio says nothing."""
    window: Annotated[Duration, Field(gt=0)] = 30.0
    """How far back the ratio looks."""
    cool_down: Annotated[Duration, Field(gt=0)] = 30.0
    """Wait from opening to the first probe; it doubles each time the probe fails."""
    max_cool_down: Annotated[Duration, Field(gt=0)] = 300.0
    """No cool-down grows beyond it, jitter included, whatever the upstream asks for."""
    jitter: Share = 0.25
    """Part by which a cool-down varies up and down, so that many sidecars do not probe at once."""
    critical: bool = True
    """Whether this circuit, when open, makes `/health` say degraded."""
    cool_down_on_429: bool = False
    """Whether a 429 of the upstream stops the route for the time its `Retry-After` names.
    Only where the upstream limits the route as a whole, not one user."""

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.cool_down > self.max_cool_down:
            raise ValueError(
                f"cool_down ({self.cool_down:g} s) is longer than max_cool_down "
                f"({self.max_cool_down:g} s); raise max_cool_down as well"
            )
        return self
