"""Errors of all instances are judged together, and told by the one that leads."""

from collections import Counter, deque

import pytest

from proxy.diagnostics.alerts.conditions import SystemState
from proxy.diagnostics.alerts.fleet import TAKEOVER, Fleet, FleetNews
from proxy.diagnostics.alerts.rules import AlertsRule
from proxy.diagnostics.alerts.watch import AlertWatch

WALL = 1e9
RULE = {"errors": {"above": 3, "window": "1h"}, "hold": "60s", "error_rate": {"above": None}}


class Instance:
    """A watch that stands among others."""

    def __init__(self, *, leads: bool) -> None:
        self.news, self.leads, self.is_alone = deque(), leads, False
        self.said, self.sent = [], []
        self.watch = AlertWatch(
            AlertsRule.model_validate(RULE),
            lambda event, level, fields: self.said.append(event),
            SystemState,
            lambda event, alert: self.sent.append((event, alert)),
            Counter(),
        )
        self.watch.fleet = self._standing

    def _standing(self) -> Fleet | None:
        return None if self.is_alone else Fleet("pod-1", self.leads, self.news)

    def hear(self, instance: str, count: int, severity="error") -> None:
        self.news.append(FleetNews(instance, severity, count, (f"{instance}-id",)))

    def tick(self, now: float) -> list[str]:
        self.watch.tick(now, WALL + now)
        return [event for event, _ in self.sent]


@pytest.fixture
def leader():
    return Instance(leads=True)


@pytest.fixture
def other():
    return Instance(leads=False)


def test_errors_of_all_are_added_up_and_instances_named(leader, exchange_of) -> None:
    leader.watch.add([exchange_of("upstream_reset"), exchange_of("upstream_reset")])
    leader.hear("pod-2", 1)

    assert [] == leader.tick(20)
    leader.hear("pod-3", 1)
    assert ["raised"] == leader.tick(40)
    ((_, alert),) = leader.sent
    assert ["pod-1", "pod-2", "pod-3"] == alert["instances"]
    assert alert["summary"].startswith("4 errors within 1h on pod-1, pod-2, pod-3")
    assert "pod-3-id" == alert["samples"][0]


def test_who_does_not_lead_tells_nobody(other) -> None:
    other.hear("pod-2", 9)

    assert [] == other.tick(20)
    assert [] == other.said
    assert ["errors"] == [alert["rule"] for alert in other.watch.alerts(WALL + 20)]


def test_a_new_leader_does_not_tell_again_what_was_raised_before(other) -> None:
    other.hear("pod-2", 9)
    other.tick(20)
    other.leads = True

    assert [] == other.tick(20 + TAKEOVER + 30)


def test_a_new_leader_tells_what_was_raised_while_nobody_led(other) -> None:
    other.hear("pod-2", 9)
    other.tick(20)
    other.leads = True

    assert ["raised"] == other.tick(20 + TAKEOVER)
    assert ["raised"] == other.tick(20 + TAKEOVER + 30)


def test_what_clears_is_told_by_the_leader_of_then(other) -> None:
    other.hear("pod-2", 9)
    other.tick(20)
    other.leads = True

    assert ["cleared"] == other.tick(20 + 3600 + 100)


def test_who_cannot_see_the_others_judges_and_tells_for_itself(other, exchange_of) -> None:
    other.is_alone = True
    other.watch.add([exchange_of("upstream_reset")] * 4)

    assert ["raised"] == other.tick(20)
    assert "instances" not in other.sent[0][1]


def test_other_rules_are_told_by_each(other, exchange_of) -> None:
    slow = exchange_of()
    slow.started -= 100
    other.watch.add([slow] * 60)

    assert ["raised"] == other.tick(20)
    assert "slow_answers" == other.sent[0][1]["rule"]


def test_what_is_long_ago_is_no_longer_counted(leader) -> None:
    leader.hear("pod-2", 3)
    leader.tick(20)
    leader.hear("pod-2", 1)

    assert [] == leader.tick(20 + 3700)
