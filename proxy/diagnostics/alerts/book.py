"""State of each alert: a finding is reported once when it begins, and once when it clears.

Raise: true, and not in the book. Hold: true again, or not true for less than `hold` seconds.
Clear: not true for longer. Findings with the same rule and subject are one alert.
Decides only; sending is somebody else's.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final, Literal
from urllib.parse import quote

from proxy.clock import iso
from proxy.diagnostics.alerts.finding import Finding
from proxy.diagnostics.alerts.rules import AlertsRule
from proxy.diagnostics.stories.words import lasting
from proxy.http.identity import random_hex

CLEARED_KEPT: Final = 100
HOUR: Final = 3600.0
DAY: Final = 86400.0

What = Literal["raised", "reminder", "cleared", "test"]


@dataclass(slots=True)
class Alert:
    """One alert, from being raised to being cleared."""

    id: str
    """The second in which it was raised, and 32 random bits, in lower-case hex digits: of all
    instances that a receiver hears of no two give the same. It stands in every message about it."""
    finding: Finding
    """As it was last found true."""
    raised: float
    """Wall time, as is `cleared`."""
    true_at: float
    """When it was last true, on the `now` clock, as is `told_at`."""
    told_at: float
    cleared: float | None = None


@dataclass(frozen=True, slots=True)
class News:
    """Something to say about an alert. `mute` says why the receivers are not notified, if so."""

    what: What
    alert: Alert
    mute: Literal["silenced", "rate_limited"] | None = None


@dataclass(slots=True)
class Book:
    """All alerts of the process."""

    rule: AlertsRule
    _raised: dict[tuple[str, str], Alert] = field(default_factory=dict)
    _cleared: deque[Alert] = field(default_factory=lambda: deque(maxlen=CLEARED_KEPT))
    _silenced_until: dict[str, float] = field(default_factory=dict)
    """Wall time, by rule."""
    _sent: deque[float] = field(default_factory=deque)

    def judge(self, found: Iterable[Finding], now: float, wall: float) -> list[News]:
        """What follows from the rules that are true now."""
        news = [self._true(finding, now, wall) for finding in found]
        news += [self._lapse(key, alert, now, wall) for key, alert in list(self._raised.items())]
        return [self._muted(one, now, wall) for one in news if one is not None]

    def alerts(self, wall: float) -> list[Alert]:
        """Raised ones, then those cleared within a day, the newest first each."""
        cleared = [alert for alert in self._cleared if wall - (alert.cleared or 0.0) < DAY]
        raised = sorted(self._raised.values(), key=_raised_at, reverse=True)
        return [*raised, *reversed(cleared)]

    def silence(self, rule: str, until: float) -> None:
        """Tell nobody of this rule until then (wall time); 0 ends it."""
        self._silenced_until[rule] = until

    def is_silenced(self, rule: str, wall: float) -> bool:
        return rule in self.rule.silenced or wall < self._silenced_until.get(rule, 0.0)

    def _true(self, finding: Finding, now: float, wall: float) -> News | None:
        key = (finding.rule, finding.subject)
        alert = self._raised.get(key)
        if alert is None:
            alert_id = f"{int(wall):08x}-{random_hex(8)}"
            alert = self._raised[key] = Alert(alert_id, finding, wall, now, now)
            return News("raised", alert)
        alert.finding, alert.true_at = finding, now
        if now - alert.told_at < self.rule.remind:
            return None
        alert.told_at = now
        return News("reminder", alert)

    def _lapse(self, key: tuple[str, str], alert: Alert, now: float, wall: float) -> News | None:
        if alert.true_at >= now or now - alert.true_at < self.rule.hold:
            return None
        alert.cleared = wall
        del self._raised[key]
        self._cleared.append(alert)
        return News("cleared", replace(alert))

    def _muted(self, news: News, now: float, wall: float) -> News:
        if self.is_silenced(news.alert.finding.rule, wall):
            return replace(news, mute="silenced")
        while self._sent and now - self._sent[0] >= 3600:
            self._sent.popleft()
        if len(self._sent) >= self.rule.per_hour:
            return replace(news, mute="rate_limited")
        self._sent.append(now)
        return news


def alert_json(
    alert: Alert, *, runbooks: str = "", dashboard: str = "", silenced: bool = False
) -> dict[str, object]:
    """An alert as it is shown and sent; `dashboard` is where stories can be read."""
    finding = alert.finding
    shown: dict[str, object] = {
        "id": alert.id,
        "rule": finding.rule,
        "subject": finding.subject,
        "severity": finding.severity,
        "summary": finding.summary,
        "value": finding.value,
        "threshold": finding.threshold,
        "window_s": finding.window,
        "state": "raised" if alert.cleared is None else "cleared",
        "raised_at": iso(alert.raised),
        "runbook": runbooks + finding.rule,
        "samples": list(finding.samples),
        "silenced": silenced,
    }
    if finding.instances:
        shown["instances"] = list(finding.instances)
    if dashboard and finding.samples:
        shown["links"] = [
            f"{dashboard}/requests/{quote(each, safe='')}" for each in finding.samples
        ]
    if alert.cleared is not None:
        lasted = alert.cleared - alert.raised
        shown["cleared_at"], shown["lasted_s"] = iso(alert.cleared), round(lasted, 3)
        shown["summary"] = f"over after {_hours(lasted)}: {finding.was or finding.summary}"
    return shown


def _hours(seconds: float) -> str:
    return lasting(seconds) if seconds < 2 * HOUR else f"{seconds / HOUR:.1f} h"


def _raised_at(alert: Alert) -> float:
    return alert.raised
