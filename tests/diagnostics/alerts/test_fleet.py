"""Errors of all instances are judged together, and told by the one that leads."""

from collections import Counter, deque
from math import inf

import pytest

from proxy.diagnostics.alerts.conditions import SystemState
from proxy.diagnostics.alerts.fleet import Fleet, FleetNews, ToldAlert, ToldLedger
from proxy.diagnostics.alerts.rules import AlertsRule
from proxy.diagnostics.alerts.watch import AlertWatch

WALL = 1e9
RULE = {"errors": {"above": 3, "window": "1h"}, "hold": "60s", "error_rate": {"above": None}}


class Instance:
    """A watch that stands among others."""

    def __init__(self, *, leads: bool) -> None:
        self.news, self.leads, self.is_alone = deque(), leads, False
        self.said, self.sent, self.marked, self.told = [], [], [], {}
        self.told_at, self.looks = inf, 0
        self.watch = AlertWatch(
            AlertsRule.model_validate(RULE),
            lambda event, level, fields: self.said.append(event),
            SystemState,
            self.send,
            Counter(),
        )
        self.watch.fleet = self._standing

    def _standing(self) -> Fleet | None:
        return None if self.is_alone else Fleet(
            "pod-1", self.leads, self.news, self.told_at, self.told, self._look,
            lambda key, told: self.marked.append((key, told.what)),
        )  # fmt: skip

    def send(self, event, alert) -> None:
        self.sent.append((event, alert))

    def _look(self) -> None:
        self.looks += 1

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


KEY = ("errors", "")
HOURS = 3600.0


def found(other, *, clears: bool = False) -> float:
    """It raises an alert at 20 while somebody else leads, and clears it perhaps; the time then."""
    other.hear("pod-2", 9)
    other.tick(20)
    if clears:
        other.tick(20 + HOURS + 100)
    other.leads = True
    return 20 + HOURS + 100 if clears else 20


@pytest.mark.parametrize("at", [15.0, 25.0, 20 - 7 * HOURS])
def test_a_new_leader_does_not_tell_again_what_was_delivered(other, at) -> None:
    """By the leader before it, whose clock and count were others."""
    now = found(other)
    other.told = {KEY: ToldAlert("raised", "theirs", at)}

    assert [] == other.tick(now + 30)


@pytest.mark.parametrize(
    "before",
    [
        pytest.param({}, id="nothing was ever"),
        pytest.param({KEY: ToldAlert("cleared", "old", 10.0)}, id="the one before is over"),
        pytest.param({KEY: ToldAlert("raised", "old", -9 * HOURS)}, id="nobody knows of it"),
    ],
)
@pytest.mark.parametrize("late", [6.0, 300.0])
def test_a_new_leader_tells_what_nobody_delivered(other, before, late) -> None:
    """However long the last one has tried to."""
    now = found(other)
    other.told = before

    assert ["raised"] == other.tick(now + late)
    assert ["raised"] == other.tick(now + late + 30)


@pytest.mark.parametrize(
    ("at", "later", "sent"),
    [
        pytest.param(25.0, 10, [], id="it hears of the errors a moment later"),
        pytest.param(25.0, 30, ["raised"], id="these are others"),
        pytest.param(-10.0, 10, ["raised"], id="that was long before"),
    ],
)
def test_a_new_leader_that_finds_it_only_now_does_not_tell_again(other, at, later, sent) -> None:
    other.leads, other.told = True, {KEY: ToldAlert("raised", "theirs", at)}
    other.tick(27)
    other.hear("pod-2", 9)

    assert sent == other.tick(27 + later)


@pytest.fixture
def holding(leader):
    """It has raised an alert at 20, and has not looked since at what was told."""
    leader.told_at = 16.0
    leader.hear("pod-2", 9)
    leader.tick(20)
    leader.tick(21)
    return leader


def test_a_leader_looks_at_what_was_told_before_it_tells(holding) -> None:
    before, looks = list(holding.sent), holding.looks
    holding.told_at = 21.5

    assert ([], 2) == (before, looks)
    assert ["raised"] == holding.tick(22)
    assert ["raised"] == holding.tick(23)
    assert 2 == holding.looks


def test_a_leader_does_not_tell_what_another_one_has_told_meanwhile(holding) -> None:
    holding.told, holding.told_at = {KEY: ToldAlert("raised", "theirs", 20.5)}, 21.5

    assert [] == holding.tick(22)
    assert [] == holding.said


def test_a_leader_tells_what_it_finds_again_soon_after_it_has_told_it(leader) -> None:
    """It was over meanwhile, but nobody could be told of that yet."""
    leader.watch.take(AlertsRule.model_validate({**RULE, "hold": "1s"}), leader.send, ())
    leader.hear("pod-2", 9)
    leader.tick(20)
    raised = leader.sent[0][1]["id"]
    leader.tick(20 + HOURS + 100)
    leader.told = {KEY: ToldAlert("raised", raised, 20 + HOURS + 101)}
    leader.hear("pod-2", 9)

    assert ["raised", "cleared", "raised"] == leader.tick(20 + HOURS + 110)


def test_a_leader_that_cannot_look_because_the_store_is_away_tells_alone(holding) -> None:
    holding.is_alone = True

    assert ["raised"] == holding.tick(22)
    holding.is_alone, holding.leads, holding.told_at = False, False, inf
    assert ["raised", "cleared"] == holding.tick(20 + HOURS + 100)


def test_what_a_leader_has_not_told_when_another_leads_is_left_to_that(holding) -> None:
    """And is told by it, should it lead again, and nobody have told it."""
    holding.leads, holding.told_at = False, 21.5
    meanwhile = holding.tick(22)
    holding.leads = True

    assert [] == meanwhile
    assert ["raised"] == holding.tick(60)


def test_a_new_leader_does_not_raise_again_what_is_over(other) -> None:
    """It clears in its own book a moment later."""
    now = found(other)
    other.told = {KEY: ToldAlert("cleared", "theirs", now + 5)}

    assert [] == other.tick(now + 30)


def test_a_new_leader_tells_what_cleared_while_nobody_led(other) -> None:
    """By the ID under which it was raised."""
    now = found(other, clears=True)
    other.told = {KEY: ToldAlert("raised", "theirs", 20.0)}

    assert ["cleared"] == other.tick(now + 5)
    assert "theirs" == other.sent[0][1]["id"]


@pytest.mark.parametrize("told", [{}, {KEY: ToldAlert("cleared", "theirs", 20 + HOURS + 99)}])
def test_a_new_leader_tells_of_no_end_that_is_known_or_of_what_was_never_told(other, told) -> None:
    now = found(other, clears=True)
    other.told = told

    assert [] == other.tick(now + 5)


def test_the_others_know_what_was_delivered_and_not_what_was_sent(leader) -> None:
    leader.hear("pod-2", 9)
    leader.tick(20)
    on_its_way = list(leader.marked)
    ((event, alert),) = leader.sent
    leader.watch.delivered(event, alert)
    leader.watch.delivered("reminder", alert)
    leader.watch.delivered("cleared", alert)
    leader.watch.delivered("test", alert)
    leader.watch.delivered("raised", {**alert, "rule": "slow_answers"})

    assert [] == on_its_way
    assert [(KEY, "raised"), (KEY, "raised"), (KEY, "cleared")] == leader.marked


def test_what_nobody_is_to_be_told_is_done_with(leader) -> None:
    leader.watch.silence("errors", WALL + 1000)
    leader.hear("pod-2", 9)

    assert [] == leader.tick(20)
    assert [(KEY, "raised")] == leader.marked


def test_what_could_not_be_written_is_written_later_unless_it_is_outdated() -> None:
    ledger, first, second = ToldLedger(), ToldAlert("raised", "a"), ToldAlert("cleared", "a")
    ledger.mark(KEY, first)
    new = ledger.take()
    ledger.give_back(new)
    again = ledger.take()
    ledger.mark(KEY, second)
    ledger.give_back(again)

    assert {KEY: first} == new == again
    assert {KEY: second} == ledger.take()
    assert {} == ledger.take()


def test_what_clears_is_told_by_the_leader_of_then(other) -> None:
    other.hear("pod-2", 9)
    other.tick(20)
    other.leads, other.told = True, {KEY: ToldAlert("raised", "theirs", 15.0)}

    assert ["cleared"] == other.tick(20 + 3600 + 100)


def test_who_cannot_see_the_others_judges_and_tells_for_itself(other, exchange_of) -> None:
    other.is_alone = True
    other.watch.add([exchange_of("upstream_reset")] * 4)

    assert ["raised"] == other.tick(20)
    assert "instances" not in other.sent[0][1]


def test_what_it_raised_alone_it_clears_whoever_leads_by_then(other, exchange_of) -> None:
    other.is_alone = True
    other.watch.add([exchange_of("upstream_reset")] * 4)
    other.tick(20)
    other.is_alone = False

    assert ["raised", "cleared"] == other.tick(20 + HOURS + 100)
    assert 1 == len({alert["id"] for _, alert in other.sent})


def test_what_was_heard_counts_while_the_others_cannot_be_seen(leader) -> None:
    """An outage of the store is not the end of what all have raised."""
    leader.hear("pod-2", 9)
    leader.tick(20)
    leader.is_alone = True
    leader.tick(20 + 1000)
    leader.is_alone = False

    assert ["raised"] == leader.tick(20 + 2000)


def test_what_all_raised_is_not_cleared_by_each_that_cannot_see_the_others(leader, other) -> None:
    """But once, by whoever leads when they see each other again."""
    over = 20 + HOURS + 100
    for one in (leader, other):
        one.hear("pod-2", 9)
        one.tick(20)
        one.is_alone = True
        one.tick(over)
    alone = [[event for event, _ in one.sent] for one in (leader, other)]
    leader.is_alone = other.is_alone = leader.leads = False
    leader.told = other.told = {KEY: ToldAlert("raised", "theirs", 21.0)}
    other.leads = True
    told = [one.tick(over + 30) for one in (leader, other)]

    assert [["raised"], []] == alone
    assert [["raised"], ["cleared"]] == told


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
