"""The retry decision: whether a failed attempt is made again, and why not.

Only attempts that ended before the commit come here; after it nothing is repeated.
The reasons are looked for in a fixed order, from what can never change to what may change soon:

1. the outcome itself rules it out: `client_gone`, `circuit_open`, `committed`, `draining`,
   `deadline_near`
2. the rule does not ask for it: `not_retryable`
3. the request may have arrived: `not_idempotent`, then `body_not_replayable`
4. `attempts_spent`
5. `draining`
6. the pause does not fit: `retry_after_too_long`, `deadline_near`
7. `budget_spent`

So the budget pays only for a retry that will be made.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from proxy import outcome as o
from proxy.outcome import NotRetried, Outcome
from proxy.resilience.budget import Budget
from proxy.resilience.pauses import Random, growing
from proxy.resilience.rules import RetryRule


@dataclass(frozen=True, slots=True)
class Failure:
    """How the attempt ended."""

    outcome: Outcome
    status: int | None = None
    """Of the upstream's answer; None where none came."""
    retry_after: float | None = None
    """Seconds the answer asks us to stay away; None where it does not say."""
    sent: bool = True
    """Whether any byte of the request may have reached the upstream."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the exchange stands."""

    made: int
    """Attempts made so far, the failed one included."""
    left: float
    """Seconds until the deadline."""
    idempotent: bool
    replayable: bool
    """Whether the whole body of the request is at hand, or there is none."""
    draining: bool = False
    elsewhere: bool = False
    """Whether it can go at once to an endpoint that has not failed: no pause is due there."""


@dataclass(frozen=True, slots=True)
class Again:
    """Make another attempt after `pause` seconds; the budget has paid for it."""

    pause: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Give the client what there is."""

    why: NotRetried


IDEMPOTENT = frozenset(
    {
        "ACL", "BASELINE-CONTROL", "BIND", "CHECKIN", "CHECKOUT", "COPY", "DELETE", "GET", "HEAD",
        "LABEL", "LINK", "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL", "MKREDIRECTREF",
        "MKWORKSPACE", "MOVE", "OPTIONS", "ORDERPATCH", "PROPFIND", "PROPPATCH", "PUT", "QUERY",
        "REBIND", "REPORT", "SEARCH", "TRACE", "UNBIND", "UNCHECKOUT", "UNLINK", "UNLOCK",
        "UPDATE", "UPDATEREDIRECTREF", "VERSION-CONTROL",
    }
)  # fmt: skip
"""The methods that IANA's registry calls idempotent (RFC 9110 §9.2.2, §16.1).

Not among them: `PRI`, which is no method but the preface of HTTP/2 and is refused.
Methods are case-sensitive, so `get` is another, unknown method.
"""

RULED_OUT: dict[str, NotRetried] = {
    o.CLIENT_CLOSED_REQUEST.code: "client_gone",
    o.CLIENT_CLOSED_STREAM.code: "client_gone",
    o.CIRCUIT_OPEN.code: "circuit_open",
    o.UPSTREAM_COOLING_DOWN.code: "circuit_open",
    o.STREAM_STALLED.code: "committed",
    o.STREAM_TRUNCATED.code: "committed",
    o.STREAM_RESET.code: "committed",
    o.STREAM_MALFORMED.code: "committed",
    o.STREAM_ERROR.code: "committed",
    o.STREAM_EMPTY.code: "committed",
    o.STREAM_MAX_DURATION.code: "committed",
    o.CLIENT_TOO_SLOW.code: "committed",
    o.DRAINING.code: "draining",
    o.DRAIN_CUT.code: "draining",
    o.TOTAL_TIMEOUT.code: "deadline_near",
}
"""Outcomes that name their reason themselves; every other without a cause is `not_retryable`."""


def is_idempotent(rule: RetryRule, method: str, *, has_key: bool) -> bool:
    """Whether sending it twice does what sending it once does; `has_key`: an `Idempotency-Key`."""
    return method in IDEMPOTENT or (has_key and rule.idempotency_key)


def is_retryable(rule: RetryRule, outcome: Outcome, status: int | None = None) -> bool:
    """Whether the rule asks for a retry after this, all else allowing it."""
    if outcome.cause is None or outcome.cause not in rule.on:
        return False
    return outcome.cause != "status" or status in rule.statuses


REFUSALS: tuple[tuple[NotRetried, Callable[[RetryRule, Failure, Standing], bool]], ...] = (
    ("not_retryable", lambda rule, f, _: not is_retryable(rule, f.outcome, f.status)),
    ("not_idempotent", lambda _, f, standing: f.sent and not standing.idempotent),
    ("body_not_replayable", lambda _, f, standing: f.sent and not standing.replayable),
    ("attempts_spent", lambda rule, _, standing: standing.made >= rule.attempts),
    ("draining", lambda _, __, standing: standing.draining),
)
"""What forbids a retry, in the order in which the reasons are given."""


def decide(
    rule: RetryRule,
    failure: Failure,
    standing: Standing,
    budget: Budget,
    now: float,
    *,
    rng: Random = random.random,
) -> Again | Stop:
    """The one decision. Takes a token from `budget` exactly where it says `Again`."""
    if ruled_out := RULED_OUT.get(failure.outcome.code):
        return Stop(ruled_out)
    for why, holds in REFUSALS:
        if holds(rule, failure, standing):
            return Stop(why)
    pause = 0.0 if standing.elsewhere else _pause(rule, failure, standing.made, rng)
    if pause is None:
        return Stop("retry_after_too_long")
    if pause >= standing.left:
        return Stop("deadline_near")
    return Again(pause) if budget.spend(now) else Stop("budget_spent")


def _pause(rule: RetryRule, failure: Failure, made: int, rng: Random) -> float | None:
    """The wait before the next attempt; None where the upstream asks for more than the cap.

    To come back earlier than it asked would only add to its load, so there is no retry then.
    """
    asked = failure.retry_after or 0.0
    if asked > rule.retry_after_cap:
        return None
    pauses = growing(rule.first_pause, rule.max_pause, rule.jitter, rng)
    return max(asked, next(islice(pauses, made - 1, None)))
