"""Settings of the alerts: when each rule is true, and who is notified.

A threshold of null switches a rule off.
"""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from proxy.knobs import Count, Duration, Knobs, Share

LONGEST = 3600.0
"""Seconds that the counts go back."""

Number = Annotated[float, Field(ge=0)]
WindowLength = Annotated[Duration, Field(ge=10, le=LONGEST)]

RuleName = Literal[
    "critical_errors",
    "errors",
    "warnings",
    "error_rate",
    "slow_answers",
    "slow_first_events",
    "stalls",
    "unauthorised",
    "breaker_open",
    "pool_exhausted",
    "overloaded",
    "endpoint_down",
    "store_dropping",
    "log_dropping",
    "config_rejected",
    "certificate_expires",
    "certificate_expires_soon",
    "certificate_rejected",
]
"""Every rule there is."""


_HOST = re.compile(r"[^\s\W](?:[\w.-]*[\w.])?|[0-9a-f:.]+(?:%[\w.-]+)?")
_PLAIN = re.compile(r"[^\s\x00-\x1f\x7f]+")


def _http(url: SecretStr) -> SecretStr:
    """Raises ValueError for what cannot be posted to; the text never quotes it."""
    try:
        parts = urlsplit(url.get_secret_value())
        is_good = parts.scheme in ("http", "https") and parts.port != 0
        host = parts.hostname or ""
    except ValueError:
        is_good, host = False, ""
    if not is_good or not _HOST.fullmatch(host) or not _PLAIN.fullmatch(url.get_secret_value()):
        raise ValueError(
            "a receiver is a URL that begins with https:// or http:// and a host, without blanks"
        )
    return url


Url = Annotated[SecretStr, AfterValidator(_http)]


class CriticalErrors(Knobs):
    """Faults of Sidelight's own."""

    above: Number | None = 0
    """Raised when there were more than that many within the window."""
    window: WindowLength = 300.0
    """How far back it looks."""


class Errors(Knobs):
    """Exchanges that broke."""

    above: Number | None = 10
    """Raised when there were more than that many within the window."""
    window: WindowLength = 3600.0
    """How far back it looks."""


class Warnings(Knobs):
    """Requests that were refused."""

    above: Number | None = 50
    """Raised when there were more than that many within the window."""
    window: WindowLength = 3600.0
    """How far back it looks."""


class ErrorRate(Knobs):
    """The share of exchanges that broke."""

    above: Share | None = 0.01
    """Raised when the share is larger."""
    window: WindowLength = 300.0
    """How far back it looks."""
    minimum: Count = 50
    """Exchanges within the window below which a share says nothing."""


class SlowAnswers(Knobs):
    """The 95th percentile of how long exchanges take, streams left out."""

    above: Duration | None = 2.5
    """Raised when one exchange in twenty takes longer."""
    window: WindowLength = 300.0
    """How far back it looks."""
    minimum: Count = 50
    """Exchanges within the window below which a percentile says nothing."""


class SlowFirstEvents(Knobs):
    """The 95th percentile of the time to the first event of a stream."""

    above: Duration | None = 5.0
    """Raised when one stream in twenty takes longer to begin."""
    window: WindowLength = 300.0
    """How far back it looks."""
    minimum: Count = 20
    """Streams within the window below which a percentile says nothing."""


class Stalls(Knobs):
    """The share of streams that fell silent."""

    above: Share | None = 0.05
    """Raised when the share is larger."""
    window: WindowLength = 300.0
    """How far back it looks."""
    minimum: Count = 20
    """Streams within the window below which a share says nothing."""


class Unauthorised(Knobs):
    """Answers 401 and 403."""

    above: Number | None = 5
    """Raised when there were more than that many within the window."""
    window: WindowLength = 60.0
    """How far back it looks."""


class Webhook(Knobs):
    """Somebody who is told of alerts."""

    url: Url
    """Where alerts are posted; whatever follows the host is never shown."""
    format: Literal["json", "slack"] = "json"
    """`json`: the whole alert, signed; `slack`: a text, as Slack and its like take it."""
    secret: SecretStr | None = None
    """Key of the signature in `X-Sidelight-Signature`; null: not signed."""


class AlertsRule(Knobs):
    """Rules over windows, evaluated in the process, and who is told."""

    critical_errors: CriticalErrors = CriticalErrors()
    """Faults of Sidelight's own."""
    errors: Errors = Errors()
    """Exchanges that broke."""
    warnings: Warnings = Warnings()
    """Requests that were refused."""
    error_rate: ErrorRate = ErrorRate()
    """The share of exchanges that broke."""
    slow_answers: SlowAnswers = SlowAnswers()
    """The 95th percentile of how long exchanges take, streams left out."""
    slow_first_events: SlowFirstEvents = SlowFirstEvents()
    """The 95th percentile of the time to the first event of a stream."""
    stalls: Stalls = Stalls()
    """The share of streams that fell silent."""
    unauthorised: Unauthorised = Unauthorised()
    """Answers 401 and 403."""
    breaker_open: bool = True
    """Raised while a circuit is not closed."""
    pool_exhausted: bool = True
    """Raised while an upstream's connections are all in use and requests wait."""
    overloaded: bool = True
    """Raised while new requests are refused because this process has more to do than it can."""
    endpoint_down: bool = True
    """Raised while health checks keep an endpoint out of use."""
    store_dropping: bool = True
    """Raised when stories were lost."""
    log_dropping: bool = True
    """Raised when log lines were lost."""
    config_rejected: bool = True
    """Raised while the settings on disk are not the ones in force, because they are wrong."""
    certificate_expires: bool = True
    """Raised 14 days before a certificate of ours expires."""
    certificate_expires_soon: bool = True
    """Raised 3 days before a certificate of ours expires, and while it has expired."""
    certificate_rejected: bool = True
    """Raised while changed files of TLS cannot be used and the ones before remain in force."""
    every: Annotated[Duration, Field(gt=0)] = 5.0
    """How often the rules are evaluated."""
    hold: Duration = 300.0
    """An alert is cleared when its rule has not been true for that long."""
    remind: Annotated[Duration, Field(gt=0)] = 14400.0
    """A raised alert is sent again after it."""
    per_hour: Count = 30
    """Most messages to the receivers in an hour; more are counted, not sent."""
    silenced: tuple[RuleName, ...] = ()
    """Rules whose alerts are shown, but sent to nobody."""
    runbooks: Annotated[str, Field(min_length=1)] | None = None
    """Where the runbooks stand, such as `https://wiki.example/runbooks#`; the rule is appended.
    null: alerts carry its name alone."""
    dashboard: Annotated[str, Field(pattern=r"^https?://[^\s/]+[^\s]*[^\s/]$")] | None = None
    """Where the dashboard of the admin port can be reached, such as `https://ops.example/sidelight`:
    alerts carry links to their stories. null: Reference IDs alone."""
    webhooks: tuple[Webhook, ...] = ()
    """Who is told."""
