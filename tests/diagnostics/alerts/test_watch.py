"""What is new goes to the log and to the receivers, each time once."""

from collections import Counter

import pytest

from proxy.diagnostics.alerts.conditions import SystemState
from proxy.diagnostics.alerts.rules import AlertsRule
from proxy.diagnostics.alerts.watch import AlertWatch, trial

WALL = 1e9


class House:
    """Everything around a watch."""

    def __init__(self, rule, *, has_receivers=True):
        self.said, self.sent, self.results, self.system_state = [], [], Counter(), SystemState()
        send = (lambda event, alert: self.sent.append((event, alert))) if has_receivers else None
        self.watch = AlertWatch(rule, self.tell, lambda: self.system_state, send, self.results)

    def tell(self, event, level, fields):
        self.said.append((event, level, fields))

    def tick(self, now):
        self.watch.tick(now, WALL + now)


@pytest.fixture
def house():
    return House(AlertsRule(hold=60.0))


def test_a_raised_alert_is_logged_and_sent_once(house, exchange_of) -> None:
    house.watch.add([exchange_of("internal_error")])
    house.tick(20)
    house.tick(25)

    assert house.said == [
        (
            "alert_raised",
            "critical",
            {
                "rule": "critical_errors",
                "summary": "1 fault of Sidelight's own within 5m",
                "value": 1.0,
                "threshold": 0.0,
                "runbook": "critical_errors",
                "samples": ["id-1"],
            },
        )
    ]
    assert [(event, alert["rule"]) for event, alert in house.sent] == [
        ("raised", "critical_errors")
    ]


def test_a_cleared_alert_is_logged_and_sent(house) -> None:
    house.system_state = SystemState(circuits_open=("chat",))
    house.tick(0)
    house.system_state = SystemState()
    house.tick(60)

    assert house.said[-1] == (
        "alert_cleared",
        "info",
        {
            "rule": "breaker_open",
            "subject": "chat",
            "summary": "over after 60.0 s: the circuit of the route chat was open",
            "raised_for_ms": 60000.0,
        },
    )
    assert [event for event, _ in house.sent] == ["raised", "cleared"]


def test_the_rules_are_judged_no_more_often_than_they_should(house) -> None:
    house.tick(10)
    house.system_state = SystemState(config_rejected=True)
    house.tick(14.9)
    assert house.said == []

    house.tick(15)
    assert len(house.said) == 1


def test_what_was_lost_before_the_first_look_is_no_news(house) -> None:
    house.system_state = SystemState(log_dropped=7)
    house.tick(0)
    assert house.said == []

    house.system_state = SystemState(log_dropped=8)
    house.tick(5)
    assert [fields["rule"] for _, _, fields in house.said] == ["log_dropping"]


def test_what_is_silenced_is_shown_and_counted_but_not_sent(house) -> None:
    house.system_state = SystemState(config_rejected=True)

    assert house.watch.silence("config_rejected", WALL + 100)
    assert not house.watch.silence("no_such_rule", WALL + 100)
    house.tick(0)
    assert house.sent == []
    assert house.results == {("config_rejected", "silenced"): 1}
    assert house.watch.alerts(WALL)[0]["silenced"] is True


def test_without_receivers_it_is_counted_as_logged() -> None:
    house = House(AlertsRule(), has_receivers=False)
    house.system_state = SystemState(config_rejected=True)
    house.tick(0)

    assert house.results == {("config_rejected", "logged"): 1}


def test_a_trial_looks_like_an_alert(house) -> None:
    house.system_state = SystemState(config_rejected=True)
    house.tick(0)

    assert set(trial("", "")) == set(house.watch.alerts(WALL)[0])


def test_another_rule_judges_what_was_counted_before(house, exchange_of) -> None:
    house.watch.add([exchange_of("upstream_reset", route="chat"), exchange_of("upstream_reset")])
    house.tick(20)
    house.system_state = SystemState(config_rejected=True)
    house.watch.take(AlertsRule(errors={"above": 1}, config_rejected=False), None, ["chat"])
    house.tick(30)

    assert ["errors"] == [fields["rule"] for _, _, fields in house.said]
    assert house.results == {("errors", "logged"): 1}
    assert [] == house.sent


def test_samples_of_names_that_are_gone_are_forgotten(house, exchange_of) -> None:
    house.watch.add([exchange_of("upstream_reset", route=f"r{n}") for n in range(3)])
    house.watch.take(AlertsRule(), None, ["r1", "backend"])
    window = house.watch._window

    assert [(), ("id-1",), ()] == [window.samples(f"route r{n}") for n in range(3)]
    assert ("id-1",) * 3 == window.samples("errors")
