"""Evaluates the alert rules periodically, and passes changes on to the log and to the receivers."""

from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from proxy.diagnostics.alerts.book import Alert, Book, News, What, alert_json
from proxy.diagnostics.alerts.conditions import SystemState, findings, lost
from proxy.diagnostics.alerts.counts import LEVELS, CountWindow
from proxy.diagnostics.alerts.fleet import (
    MOST_TOLD,
    AlertKey,
    FindFleet,
    Fleet,
    OthersWindow,
    ToldAlert,
    Untold,
)
from proxy.diagnostics.alerts.rules import AlertsRule
from proxy.diagnostics.alerts.signs import SEVERITY
from proxy.exchange import Exchange
from proxy.observation.record import EmitEvent, ms

Send = Callable[[str, Mapping[str, object]], None]
"""Takes what happened (raised, reminder, cleared) and the alert; must not wait."""

TEST: Final = "alert_test"
BY_ALL: Final = frozenset(LEVELS.values())
"""Rules that are judged over all instances."""
LIVE: Final = 2.0
"""Reminders' pauses after which what was told is no longer known to anybody."""


class AlertWatch:
    """Counts every exchange and judges at most every `rule.every` seconds.

    Where there are other instances, the rules that count errors are judged over all of them, and
    told by the one that leads.
    `send` is None where there is nobody to be told. `results` counts messages by rule and how
    they ended: what is not sent is counted here, what is sent by the sender.
    """

    def __init__(
        self,
        rule: AlertsRule,
        tell: EmitEvent,
        system_state: Callable[[], SystemState],
        send: Send | None,
        results: Counter[tuple[str, str]],
    ) -> None:
        self._rule, self._tell, self._system_state, self._send = rule, tell, system_state, send
        self._results = results
        self.fleet: FindFleet = lambda: None
        """How this instance stands among others; assign it where there are any."""
        self._others, self._untold = OthersWindow(), Untold()
        self._leads = False
        self._held: deque[tuple[News, float]] = deque(maxlen=MOST_TOLD)
        """What it found as the leader and has not told yet, and when, on the `now` clock."""
        self._raised_alone: set[str] = set()
        """IDs of alerts."""
        self._window = CountWindow.of(rule)
        self._book = Book(rule)
        self._due = 0.0
        self._seen: SystemState | None = None

    def take(self, rule: AlertsRule, send: Send | None, known: Collection[str]) -> None:
        """Judge by another rule from now on; what was counted and raised stays.

        `known` are the names of the routes and upstreams that there are.
        """
        self._rule = self._book.rule = rule
        self._send = send
        self._window.take(rule, known)

    def add(self, batch: Sequence[Exchange]) -> None:
        """Count exchanges that have ended."""
        add = self._window.add
        for x in batch:
            add(x)

    def tick(self, now: float, wall: float) -> None:
        """Judge, if it is time; tell what was found, once it is known that nobody else has."""
        fleet = self.fleet()
        self._follow(fleet, wall)
        if now >= self._due:
            self._judge(fleet, now, wall)
        if self._held:
            self._tell_held(fleet, wall)

    def _judge(self, fleet: Fleet | None, now: float, wall: float) -> None:
        self._due = now + self._rule.every
        system_state = self._system_state()
        if fleet is not None:
            self._others.take(fleet, now)
        others = self._others if fleet is not None or self._others.has_heard else None
        found = findings(self._rule, self._window, system_state, now, others)
        found += lost(self._rule, self._seen or system_state, system_state)
        self._seen = system_state
        for news in self._book.judge(found, now, wall):
            if self._is_ours(news, fleet):
                self._say(news, wall)
            elif fleet is None or not fleet.leads:
                self._untold.note(news.what, _key(news.alert), now)
            else:
                self._held.append((news, now))

    def _tell_held(self, fleet: Fleet | None, wall: float) -> None:
        """Tell what was found as the leader, unless another one has told it by now."""
        own = {alert.id for alert in self._book.alerts(wall)}
        for _ in range(len(self._held)):
            news, at = self._held.popleft()
            key = _key(news.alert)
            if fleet is not None and fleet.told_at < at:
                self._held.append((news, at))
            elif self._is_ours(news, fleet):
                self._say(news, wall)
            elif fleet is None or not fleet.leads:
                self._untold.note(news.what, key, at)
            elif news.what != "raised" or not fleet.has_just_told(key, at, own):
                self._say(news, wall)
        if self._held and fleet is not None:
            fleet.look()

    def _is_ours(self, news: News, fleet: Fleet | None) -> bool:
        """Whether it is told here, whoever leads: of rules of each instance, and of what it raised
        while it could not see the others."""
        alert = news.alert
        if alert.finding.rule not in BY_ALL:
            return True
        if fleet is None and news.what == "raised":
            self._raised_alone.add(alert.id)
        is_ours = alert.id in self._raised_alone
        if news.what == "cleared":
            self._raised_alone.discard(alert.id)
        return is_ours

    def _follow(self, fleet: Fleet | None, wall: float) -> None:
        """Where this instance has begun to lead, tell what nobody may have told."""
        leads = fleet is not None and fleet.leads
        is_new, self._leads = leads and not self._leads, leads
        if fleet is None or not is_new:
            return
        due = self._untold.due(fleet.told, LIVE * self._rule.remind)
        for alert in self._book.alerts(wall):
            state: What = "raised" if alert.cleared is None else "cleared"
            if due.get(_key(alert)) == state:
                del due[_key(alert)]
                self._say(News(state, alert), wall)

    def delivered(self, event: str, alert: Mapping[str, object]) -> None:
        """Have the other instances know that it need not be told again."""
        fleet = self.fleet()
        if fleet is not None and alert["rule"] in BY_ALL and event != "test":
            what = "cleared" if event == "cleared" else "raised"
            key = str(alert["rule"]), str(alert["subject"])
            fleet.mark(key, ToldAlert(what, str(alert["id"])))

    def alerts(self, wall: float) -> list[dict[str, object]]:
        """As they are shown: the raised ones, then those cleared within a day."""
        book = self._book
        return [
            self._json(one, silenced=book.is_silenced(one.finding.rule, wall))
            for one in book.alerts(wall)
        ]

    def _json(self, alert: Alert, *, silenced: bool) -> dict[str, object]:
        runbooks, dashboard = self._rule.runbooks or "", self._rule.dashboard or ""
        return alert_json(alert, runbooks=runbooks, dashboard=dashboard, silenced=silenced)

    def silence(self, rule: str, until: float) -> bool:
        """Tell nobody of `rule` until then (wall time; 0 ends it). False: there is no such rule."""
        if rule not in SEVERITY:
            return False
        self._book.silence(rule, until)
        return True

    def _say(self, news: News, wall: float) -> None:
        alert = news.alert
        finding = alert.finding
        shown = self._json(alert, silenced=news.mute == "silenced")
        shown["id"] = self._told_as(news)
        if news.what == "cleared":
            over = {name: shown[name] for name in ("rule", "subject", "summary")}
            lasted = {"raised_for_ms": ms(wall - alert.raised)}
            self._tell("alert_cleared", "info", {**over, **lasted})
        elif news.what == "raised":
            self._tell("alert_raised", finding.severity, _fields(shown))
        if news.mute is not None:
            self._results[finding.rule, news.mute] += 1
            self.delivered(news.what, shown)
        elif self._send is None:
            self._results[finding.rule, "logged"] += 1
            self.delivered(news.what, shown)
        else:
            self._send(news.what, shown)

    def _told_as(self, news: News) -> str:
        """Its ID, as whoever has told that it was raised has called it."""
        fleet = self.fleet()
        last = fleet.told.get(_key(news.alert)) if fleet is not None else None
        is_known = last is not None and last.what == "raised" and news.what != "raised"
        return last.alert_id if last is not None and is_known else news.alert.id


def _key(alert: Alert) -> AlertKey:
    return alert.finding.rule, alert.finding.subject


def _fields(shown: Mapping[str, object]) -> dict[str, object]:
    names = ("rule", "subject", "summary", "value", "threshold", "runbook", "samples", "instances")
    return {name: shown[name] for name in names if shown.get(name, "") not in ("", [])}


def trial(at: str, runbooks: str) -> dict[str, object]:
    """An alert that means nothing, to see whether it arrives; `at` is ISO 8601."""
    return {
        "id": "test",
        "rule": TEST,
        "subject": "",
        "severity": "info",
        "summary": "this is a test; nothing is wrong",
        "value": 0.0,
        "threshold": 0.0,
        "window_s": 0.0,
        "state": "raised",
        "raised_at": at,
        "runbook": runbooks + TEST,
        "samples": [],
        "silenced": False,
    }
