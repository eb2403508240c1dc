"""How bad each rule is, and what is said of a state: while it holds, and when it is over."""

from typing import Final

from proxy.diagnostics.alerts.finding import Finding
from proxy.diagnostics.alerts.rules import RuleName
from proxy.outcome import Level

SEVERITY: Final[dict[RuleName, Level]] = {
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
    "overloaded": "error",
    "endpoint_down": "warning",
    "store_dropping": "warning",
    "log_dropping": "warning",
    "config_rejected": "warning",
    "certificate_expires": "warning",
    "certificate_expires_soon": "critical",
    "certificate_rejected": "error",
}
"""How bad it is when a rule is true."""

STANDING: Final[dict[RuleName, tuple[str, str]]] = {
    "breaker_open": ("the circuit of the route {} is open", "the circuit of the route {} was open"),
    "pool_exhausted": (
        "all connections to {} are in use, and requests wait",
        "all connections to {} were in use, and requests waited",
    ),
    "overloaded": (
        "new requests are refused, because of {}",
        "new requests were refused, because of {}",
    ),
    "endpoint_down": (
        "the endpoint {1} of {0} is down: {2}",
        "the endpoint {1} of {0} was down: {2}",
    ),
    "config_rejected": (
        "the settings on disk are wrong; the ones before remain in force",
        "the settings on disk were wrong, and the ones before were in force",
    ),
    "certificate_rejected": (
        "the files of {} cannot be used, the ones before remain in force",
        "the files of {} could not be used, and the ones before were in force",
    ),
    "certificate_expires": (
        "the certificate of {} {}, at {}",
        "the certificate of {0} was about to expire, at {2}",
    ),
    "certificate_expires_soon": (
        "the certificate of {} {}, at {}",
        "the certificate of {0} was about to expire or had expired, at {2}",
    ),
}
"""Rules about a state: what is said while it holds, and when it is over."""


def sign(name: RuleName, subject: str = "", *said: str, samples: tuple[str, ...] = ()) -> Finding:
    """`said` is what the words of the rule speak of; the subject alone where it is left out."""
    summary, was = (words.format(*(said or (subject,))) for words in STANDING[name])
    return Finding(name, SEVERITY[name], summary, subject=subject, was=was, samples=samples)
