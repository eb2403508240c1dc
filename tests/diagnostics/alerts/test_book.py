"""What is found true becomes news once, until it clears."""

import pytest

from proxy.diagnostics.alerts.book import Book, alert_json
from proxy.diagnostics.alerts.finding import Finding
from proxy.diagnostics.alerts.rules import AlertsRule
from proxy.diagnostics.alerts.signs import sign

WALL = 1e9
ERRORS = Finding("errors", "error", "11 errors", 11.0, 10.0, 3600.0, samples=("a", "b"))


@pytest.fixture
def book():
    return Book(AlertsRule(hold=60.0, remind=600.0))


def judged(book, now, *found):
    return [(news.what, news.alert.finding.rule) for news in book.judge(found, now, WALL + now)]


def test_true_for_the_first_time_is_raised_and_then_held(book) -> None:
    assert judged(book, 0, ERRORS) == [("raised", "errors")]
    assert judged(book, 5, ERRORS) == []
    assert [alert.finding for alert in book.alerts(WALL)] == [ERRORS]


def test_it_clears_when_it_was_not_true_for_the_hold(book) -> None:
    judged(book, 0, ERRORS)

    assert judged(book, 59) == []
    assert judged(book, 60) == [("cleared", "errors")]
    assert judged(book, 65) == []
    assert [alert.cleared for alert in book.alerts(WALL + 100)] == [WALL + 60]


def test_true_again_within_the_hold_is_the_same_alert(book) -> None:
    judged(book, 0, ERRORS)
    judged(book, 30)

    assert judged(book, 59, ERRORS) == []
    assert judged(book, 118) == []
    assert judged(book, 119) == [("cleared", "errors")]


def test_true_again_after_it_cleared_is_a_new_alert(book) -> None:
    judged(book, 0, ERRORS)
    first = book.alerts(WALL)[0].id
    judged(book, 60)

    assert judged(book, 70, ERRORS) == [("raised", "errors")]
    assert book.alerts(WALL)[0].id != first


def test_each_subject_is_an_alert_of_its_own(book) -> None:
    found = [Finding("breaker_open", "error", "open", subject=route) for route in ("a", "b")]

    assert judged(book, 0, *found) == [("raised", "breaker_open")] * 2
    assert judged(book, 60, found[0]) == [("cleared", "breaker_open")]


def test_a_raised_alert_is_brought_to_mind_now_and_then(book) -> None:
    judged(book, 0, ERRORS)

    assert judged(book, 599, ERRORS) == []
    assert judged(book, 600, ERRORS) == [("reminder", "errors")]
    assert judged(book, 605, ERRORS) == []


def test_a_silenced_rule_is_judged_but_not_sent(book) -> None:
    book.silence("errors", WALL + 10)
    (news,) = book.judge([ERRORS], 0, WALL)

    assert news.mute == "silenced"
    assert not book.is_silenced("errors", WALL + 10)


def test_the_settings_silence_as_well() -> None:
    (news,) = Book(AlertsRule(silenced=["errors"])).judge([ERRORS], 0, WALL)

    assert news.mute == "silenced"


def test_no_more_than_the_limit_is_sent_in_an_hour() -> None:
    book = Book(AlertsRule(per_hour=2))
    found = [Finding("breaker_open", "error", "open", subject=str(n)) for n in range(3)]

    assert [news.mute for news in book.judge(found, 0, WALL)] == [None, None, "rate_limited"]
    assert [None] == [news.mute for news in book.judge([ERRORS], 3600, WALL)][:1]


def test_what_cleared_is_forgotten_after_a_day(book) -> None:
    judged(book, 0, ERRORS)
    judged(book, 60)

    assert len(book.alerts(WALL + 86000)) == 1
    assert book.alerts(WALL + 90000) == []


def test_an_alert_is_shown_with_its_runbook_and_samples(book) -> None:
    judged(book, 0, ERRORS)
    (alert,) = book.alerts(WALL)

    assert alert_json(alert, runbooks="https://w/#", silenced=True) == {
        "id": alert.id,
        "rule": "errors",
        "subject": "",
        "severity": "error",
        "summary": "11 errors",
        "value": 11.0,
        "threshold": 10.0,
        "window_s": 3600.0,
        "state": "raised",
        "raised_at": "2001-09-09T01:46:40.000Z",
        "runbook": "https://w/#errors",
        "samples": ["a", "b"],
        "silenced": True,
    }
    judged(book, 60)
    assert alert_json(book.alerts(WALL)[0])["cleared_at"] == "2001-09-09T01:47:40.000Z"


def test_instances_that_raise_in_the_same_second_give_different_ids() -> None:
    ids = {
        book.judge([ERRORS], 0, WALL)[0].alert.id
        for book in (Book(AlertsRule()), Book(AlertsRule()))
    }

    assert 2 == len(ids)
    assert {"3b9aca00"} == {one.partition("-")[0] for one in ids}


def test_a_cleared_alert_says_what_is_over_and_how_long_it_lasted(book) -> None:
    judged(book, 0, ERRORS)
    judged(book, 720)
    (alert,) = book.alerts(WALL + 720)
    shown = alert_json(alert)

    assert shown["summary"] == "over after 12.0 min: 11 errors"
    assert shown["lasted_s"] == 720.0


@pytest.mark.parametrize(("seconds", "words"), [(7199, "120.0 min"), (7200, "2.0 h")])
def test_what_lasted_for_hours_is_told_in_hours(book, seconds: float, words: str) -> None:
    judged(book, 0, ERRORS)
    judged(book, seconds)
    (alert,) = book.alerts(WALL + seconds)

    assert alert_json(alert)["summary"] == f"over after {words}: 11 errors"


def test_a_state_that_is_over_is_told_as_over(book) -> None:
    judged(book, 0, sign("breaker_open", "chat"))
    judged(book, 60)
    (alert,) = book.alerts(WALL + 60)

    over = "over after 60.0 s: the circuit of the route chat was open"
    assert alert_json(alert)["summary"] == over


def test_an_alert_links_to_its_stories_where_the_dashboard_is_known(book) -> None:
    judged(book, 0, ERRORS)
    (alert,) = book.alerts(WALL)

    links = ["https://d/requests/a", "https://d/requests/b"]
    assert alert_json(alert, dashboard="https://d")["links"] == links
    assert "links" not in alert_json(alert)
