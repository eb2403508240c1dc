"""Conditions of the alert rules, evaluated on counts and on the state of other parts.

Each is a plain question; none remembers anything. What follows from the answers is the book's.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Protocol

from proxy.clock import iso
from proxy.diagnostics.alerts.counts import CountWindow
from proxy.diagnostics.alerts.finding import Finding, of_all
from proxy.diagnostics.alerts.fleet import OthersWindow
from proxy.diagnostics.alerts.rules import AlertsRule, ErrorRate, Errors, RuleName, SlowAnswers
from proxy.diagnostics.alerts.signs import SEVERITY, sign
from proxy.knobs import as_duration
from proxy.tls.facts import CertificateFacts

ONE_IN_TWENTY: Final = 0.05


@dataclass(frozen=True, slots=True)
class SystemState:
    """How the other parts stand; the counters only ever grow."""

    circuits_open: tuple[str, ...] = ()
    """Routes whose circuit is not closed."""
    pools_exhausted: tuple[str, ...] = ()
    """Upstreams with all connections in use and requests waiting."""
    overloaded: tuple[str, ...] = ()
    """Causes for which new requests are refused."""
    endpoints_down: tuple[tuple[str, str, str], ...] = ()
    """Endpoints that health checks keep out of use: upstream, endpoint, and why."""
    log_dropped: int = 0
    store_dropped: int = 0
    config_rejected: bool = False
    wall: float = 0.0
    """Seconds since 1970."""
    certificates: tuple[CertificateFacts, ...] = ()


class Windowed(Protocol):
    """Knobs of a rule that looks back."""

    @property
    def above(self) -> float | None: ...
    @property
    def window(self) -> float: ...


COUNTED: Final[dict[RuleName, tuple[str, str]]] = {
    "critical_errors": ("fault of Sidelight's own", "faults of Sidelight's own"),
    "errors": ("error", "errors"),
    "warnings": ("refused request", "refused requests"),
    "unauthorised": ("answer 401 or 403", "answers 401 or 403"),
}
"""Rules that count, and what one and many of it are called."""

SHARES: Final[dict[RuleName, tuple[tuple[str, ...], str, str]]] = {
    "error_rate": (("errors", "critical_errors"), "exchanges", "of all exchanges broke"),
    "stalls": (("stalls",), "streams", "of all streams fell silent"),
}
"""Rules about a share: the counts of the part, of the whole, and the words for it."""

TAILS: Final[dict[RuleName, tuple[str, str]]] = {
    "slow_answers": ("answers", "of all answers took longer"),
    "slow_first_events": ("streams", "of all streams began later"),
}
"""Rules about the 95th percentile: the whole, and the words for those over the threshold."""

DAY: Final = 86400.0
EXPIRES: Final[dict[RuleName, float]] = {
    "certificate_expires": 14 * DAY,
    "certificate_expires_soon": 3 * DAY,
}
"""Rules about the end of a certificate: seconds before it."""

LOST: Final[dict[RuleName, tuple[str, str, str]]] = {
    "store_dropping": ("store_dropped", "story", "stories"),
    "log_dropping": ("log_dropped", "log line", "log lines"),
}
"""Rules about counters that should stand still."""


def findings(
    rule: AlertsRule,
    window: CountWindow,
    state: SystemState,
    now: float,
    others: OthersWindow | None = None,
) -> list[Finding]:
    """Everything that is true at `now`, apart from lost lines and stories: those are news.

    Errors are counted over all instances where there are `others`.
    """
    return [
        *_counted(rule, window, now, others or OthersWindow()),
        *_shares(rule, window, now),
        *_tails(rule, window, now),
        *_standing(rule, window, state),
    ]


def lost(rule: AlertsRule, before: SystemState, after: SystemState) -> list[Finding]:
    """What was dropped between two looks."""
    found: list[Finding] = []
    for name, (counter, one, many) in LOST.items():
        n = getattr(after, counter) - getattr(before, counter)
        if getattr(rule, name) and n > 0:
            found.append(Finding(name, SEVERITY[name], f"{_count(n, one, many)} lost", float(n)))
    return found


def _counted(
    rule: AlertsRule, window: CountWindow, now: float, others: OthersWindow
) -> Iterator[Finding]:
    for name, (one, many) in COUNTED.items():
        knobs: Errors = getattr(rule, name)
        if knobs.above is None:
            continue
        own = window.total(name, knobs.window, now)
        found = others.by_instance(name, knobs.window, now)
        value = own + sum(found.values())
        if value > knobs.above:
            finding = _finding(name, _count(value, one, many), value, knobs, window)
            yield of_all(finding, others, {others.own_name: own, **found}) if found else finding


def _shares(rule: AlertsRule, window: CountWindow, now: float) -> Iterator[Finding]:
    for name, (parts, whole, words) in SHARES.items():
        knobs: ErrorRate = getattr(rule, name)
        if knobs.above is None:
            continue
        part = sum(window.total(one, knobs.window, now) for one in parts)
        share = _share(part, window.total(whole, knobs.window, now), knobs.minimum)
        if share > knobs.above:
            yield _finding(name, f"{share:.1%} {words}", share, knobs, window)


def _tails(rule: AlertsRule, window: CountWindow, now: float) -> Iterator[Finding]:
    for name, (whole, words) in TAILS.items():
        knobs: SlowAnswers = getattr(rule, name)
        if knobs.above is None:
            continue
        over = window.total(name, knobs.window, now)
        share = _share(over, window.total(whole, knobs.window, now), knobs.minimum)
        if share > ONE_IN_TWENTY:
            words = f"{share:.1%} {words} than {as_duration(knobs.above)}"
            yield _finding(name, words, share, knobs, window)


def _standing(rule: AlertsRule, window: CountWindow, state: SystemState) -> Iterator[Finding]:
    if rule.breaker_open:
        for route in state.circuits_open:
            yield sign("breaker_open", route, samples=window.samples(f"route {route}"))
    if rule.pool_exhausted:
        for upstream in state.pools_exhausted:
            samples = window.samples(f"upstream {upstream}")
            yield sign("pool_exhausted", upstream, samples=samples)
    if rule.overloaded:
        for cause in state.overloaded:
            yield sign("overloaded", cause)
    if rule.endpoint_down:
        for upstream, endpoint, why in state.endpoints_down:
            samples, subject = window.samples(f"upstream {upstream}"), f"{upstream} {endpoint}"
            said = (upstream, endpoint, why)
            yield sign("endpoint_down", subject, *said, samples=samples)
    if rule.config_rejected and state.config_rejected:
        yield sign("config_rejected")
    yield from _certificates(rule, state)


def _certificates(rule: AlertsRule, state: SystemState) -> Iterator[Finding]:
    for one in state.certificates:
        if rule.certificate_rejected and one.rejected is not None:
            yield sign("certificate_rejected", one.name)
        if one.expires is None:
            continue
        left = one.expires - state.wall
        for name, before in EXPIRES.items():
            if getattr(rule, name) and left < before:
                when = f"expires in {left / DAY:.1f} days" if left > 0 else "has expired"
                raised = sign(name, one.name, one.name, when, iso(one.expires))
                yield replace(raised, value=round(left), threshold=before)


def _share(part: int, whole: int, minimum: int) -> float:
    return part / whole if whole >= minimum else 0.0


def _count(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"


def _finding(
    name: RuleName, words: str, value: float, knobs: Windowed, window: CountWindow
) -> Finding:
    is_rate = name == "error_rate"
    samples = window.samples("errors" if is_rate else name)
    if is_rate and not samples:
        samples = window.samples("critical_errors")
    return Finding(
        name,
        SEVERITY[name],
        f"{words} within {as_duration(knobs.window)}",
        round(value, 4),
        knobs.above or 0.0,
        knobs.window,
        samples=samples,
    )
