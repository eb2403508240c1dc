"""What visitors ask for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.admin.parameters import READERS, fault, point_in_time, query_of, silence_until
from proxy.diagnostics.stories.query import Query

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("given_", "query"),
    [
        pytest.param({}, Query(), id="nothing: the latest hundred"),
        pytest.param({"code": ""}, Query(), id="an empty box of a form asks nothing"),
        pytest.param({"code": "head_timeout"}, Query(code="head_timeout"), id="by code"),
        pytest.param({"route": "chat"}, Query(route="chat"), id="by route"),
        pytest.param({"status": "502"}, Query(status=502), id="by status"),
        pytest.param({"since": "15m"}, Query(since=NOW - 900), id="since an age"),
        pytest.param({"until": "1700000000"}, Query(until=NOW), id="until seconds"),
        pytest.param(
            {"since": "2023-11-14T22:13:20Z", "until": "2023-11-14T23:13:20+01:00"},
            Query(since=NOW, until=NOW),
            id="between dates of any zone",
        ),
        pytest.param({"since": "2023-11-14T22:13:20"}, Query(since=NOW), id="no zone is UTC"),
        pytest.param({"field.user": "u-1"}, Query(fields={"user": "u-1"}), id="by a field"),
        pytest.param({"limit": "1000"}, Query(limit=1000), id="as many as may be"),
    ],
)
def test_a_query_is_understood(given_: dict[str, str], query: Query) -> None:
    assert query == query_of(given_.items(), NOW)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("code", "head_timout", "did you mean head_timeout?"),
        ("code", "x" * 500, "a code of docs/outcomes.md"),
        ("rout", "chat", "did you mean route?"),
        (
            "nonsense",
            "1",
            "one of code, route, status, method, path, endpoint",
        ),
        ("field.", "1", "one of code"),
        ("status", "99", "a status from 100 to 999"),
        ("status", "²00", "a status from 100 to 999"),
        ("status", "1" * 5000, "a status from 100 to 999"),
        ("limit", "0", "a whole number from 1 to 1000"),
        ("limit", "1001", "a whole number from 1 to 1000"),
        ("since", "yesterday", "a time such as 2026-11-22T03:00:00Z"),
        ("route", "r" * 65, "the name of a route, at most 64 characters"),
    ],
)
def test_a_fault_names_the_parameter_and_what_was_expected(name, value, expected) -> None:
    faults = query_of([(name, value)], NOW)
    assert isinstance(faults, list)
    (found,) = faults

    assert name == found.parameter
    assert value[:20] == found.value[:20]
    assert expected in found.expected


def test_all_faults_are_told_at_once() -> None:
    faults = query_of([("code", "x"), ("limit", "x"), ("status", "x")], NOW)

    assert ["code", "limit", "status"] == [found.parameter for found in faults]


def test_a_parameter_is_given_once() -> None:
    assert "it once" == query_of([("limit", "1"), ("limit", "2")], NOW)[0].expected


def test_what_is_shown_of_a_fault_holds_no_secret() -> None:
    assert "[redacted]" == fault("token", "canary", "x").value
    assert "canary" not in fault("since", "Bearer canary-canary", "x").value


@given(st.lists(st.tuples(st.sampled_from([*READERS, "field.x", "?"]), st.text())))
def test_nothing_raises(given_: list[tuple[str, str]]) -> None:
    query_of(given_, NOW)


def test_a_time_in_the_future_is_not_forbidden() -> None:
    assert NOW + 1 == point_in_time(str(NOW + 1), NOW)


@pytest.mark.parametrize(
    ("body", "until"),
    [
        pytest.param({}, NOW + 3600, id="an hour"),
        pytest.param({"for": "30m"}, NOW + 1800, id="as said"),
        pytest.param({"for": "0s"}, NOW, id="no longer"),
    ],
)
def test_a_silence_lasts_as_long_as_it_says(body: dict[str, Any], until: float) -> None:
    assert until == silence_until(body, NOW)


@pytest.mark.parametrize(
    "body",
    [{"for": "soon"}, {"for": 5}, {"for": None}, {"for": ["1h"]}, {"fro": "1h"}, {"for": "31d"}],
)
def test_a_silence_that_cannot_be_understood_is_a_fault(body: dict[str, Any]) -> None:
    assert isinstance(silence_until(body, NOW), list)
