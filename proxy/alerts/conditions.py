"""The rules: what is true now, judged from counts and from signs of the other parts.

Each is a plain question; none remembers anything. What follows from the answers is the book's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from proxy.alerts.counts import Counts, Window
from proxy.alerts.rule import AlertsRule, ErrorRate, Errors, SlowAnswers
from proxy.knobs import as_duration
from proxy.outcome import Level
from proxy.stories.words import count

ONE_IN_TWENTY: Final = 0.05


@dataclass(frozen=True, slots=True)
class Signs:
    """How the other parts stand; the counters only ever grow."""

    circuits_open: tuple[str, ...] = ()
    """Routes whose circuit is not closed."""
    pools_exhausted: tuple[str, ...] = ()
    """Upstreams with all connections in use and requests waiting."""
    log_dropped: int = 0
    store_dropped: int = 0
    config_rejected: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that is true; `subject` tells apart what one rule may find several times."""

    rule: str
    severity: Level
    summary: str
    value: float = 1.0
    threshold: float = 0.0
    window: float = 0.0
    """Seconds it looked back; 0 where it is about now."""
    subject: str = ""
    samples: tuple[str, ...] = ()


SEVERITY: Final[dict[str, Level]] = {
    "critical_errors": "critical",
    "errors": "error",
    "warnings": "warning",
    "error_rate": "error",
    "slow_answers": "warning",
    "slow_first_events": "warning",
    "stalls": "error",
    "unauthorised": "warning",
    "breaker_open": "error",
    "pool_exhausted": "error",
    "store_dropping": "warning",
    "log_dropping": "warning",
    "config_rejected": "warning",
}
"""Every rule there is."""

COUNTED: Final = {
    "critical_errors": "fault of Sidelight's own",
    "errors": "error",
    "warnings": "refused request",
    "unauthorised": "answer 401 or 403",
}
"""Rules that count, and what one of it is called."""

SHARES: Final[dict[str, tuple[Callable[[Counts], int], Callable[[Counts], int], str]]] = {
    "error_rate": (
        lambda c: c.errors + c.critical_errors,
        lambda c: c.exchanges,
        "of all exchanges broke",
    ),
    "stalls": (lambda c: c.stalls, lambda c: c.streams, "of all streams fell silent"),
}
"""Rules about a share: the part, the whole, and the words for it."""

TAILS: Final[dict[str, tuple[Callable[[Counts], int], Callable[[Counts], int], str]]] = {
    "slow_answers": (lambda c: c.slow_answers, lambda c: c.answers, "of all answers took longer"),
    "slow_first_events": (
        lambda c: c.slow_first_events,
        lambda c: c.streams,
        "of all streams began later",
    ),
}
"""Rules about the 95th percentile: how many were over the threshold, out of how many."""


def findings(rule: AlertsRule, window: Window, signs: Signs, now: float) -> list[Finding]:
    """Everything that is true at `now`, apart from lost lines and stories: those are news."""
    return [
        *_counted(rule, window, now),
        *_shares(rule, window, now),
        *_tails(rule, window, now),
        *_standing(rule, signs),
    ]


def lost(rule: AlertsRule, before: Signs, after: Signs) -> list[Finding]:
    """What was dropped between two looks."""
    found: list[Finding] = []
    counters = (
        ("store_dropping", rule.store_dropping, after.store_dropped - before.store_dropped),
        ("log_dropping", rule.log_dropping, after.log_dropped - before.log_dropped),
    )
    for name, is_on, n in counters:
        if is_on and n > 0:
            what = count(n, "story" if name == "store_dropping" else "log line")
            what = what.replace("storys", "stories")
            found.append(Finding(name, SEVERITY[name], f"{what} lost", float(n)))
    return found


def _counted(rule: AlertsRule, window: Window, now: float) -> Iterator[Finding]:
    for name, what in COUNTED.items():
        knobs: Errors = getattr(rule, name)
        if knobs.above is None:
            continue
        value = getattr(window.since(knobs.window, now), name)
        if value > knobs.above:
            summary = f"{count(value, what)} within {as_duration(knobs.window)}"
            summary = summary.replace("own", "own", 1).replace("answer 401 or 403s", "answers 401 or 403")
            yield _finding(name, summary, float(value), knobs.above, knobs.window, window)


def _shares(rule: AlertsRule, window: Window, now: float) -> Iterator[Finding]:
    for name, (part, whole, words) in SHARES.items():
        knobs: ErrorRate = getattr(rule, name)
        if knobs.above is None:
            continue
        counts = window.since(knobs.window, now)
        share = _share(part(counts), whole(counts), knobs.minimum)
        if share > knobs.above:
            summary = f"{share:.1%} {words} within {as_duration(knobs.window)}"
            yield _finding(name, summary, share, knobs.above, knobs.window, window)


def _tails(rule: AlertsRule, window: Window, now: float) -> Iterator[Finding]:
    for name, (over, whole, words) in TAILS.items():
        knobs: SlowAnswers = getattr(rule, name)
        if knobs.above is None:
            continue
        counts = window.since(knobs.window, now)
        share = _share(over(counts), whole(counts), knobs.minimum)
        if share > ONE_IN_TWENTY:
            limit = as_duration(knobs.above)
            summary = f"{share:.1%} {words} than {limit} within {as_duration(knobs.window)}"
            yield _finding(name, summary, share, knobs.above, knobs.window, window)


def _standing(rule: AlertsRule, signs: Signs) -> Iterator[Finding]:
    if rule.breaker_open:
        for route in signs.circuits_open:
            summary = f"the circuit of the route {route} is open"
            yield Finding("breaker_open", SEVERITY["breaker_open"], summary, subject=route)
    if rule.pool_exhausted:
        for upstream in signs.pools_exhausted:
            summary = f"all connections to {upstream} are in use, and requests wait"
            yield Finding("pool_exhausted", SEVERITY["pool_exhausted"], summary, subject=upstream)
    if rule.config_rejected and signs.config_rejected:
        summary = "the settings on disk are wrong; the ones before remain in force"
        yield Finding("config_rejected", SEVERITY["config_rejected"], summary)


def _share(part: int, whole: int, minimum: int) -> float:
    return part / whole if whole >= minimum else 0.0


def _finding(
    name: str, summary: str, value: float, threshold: float, length: float, window: Window
) -> Finding:
    samples = window.samples("errors" if name == "error_rate" else name)
    return Finding(
        name, SEVERITY[name], summary, round(value, 4), threshold, length, samples=samples
    )
