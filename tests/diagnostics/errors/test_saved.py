"""A group comes back from the store as it went in."""

import json

import pytest

from proxy.diagnostics.errors.groups import Groups
from proxy.diagnostics.errors.saved import as_plain, from_json, from_plain


def test_a_group_comes_back_as_it_went(exchange_of) -> None:
    group = Groups().add(exchange_of("upstream_reset"))
    group.trace, group.state, group.returned = "place", "muted", True

    assert from_plain(json.loads(json.dumps(as_plain(group)))) == group


@pytest.mark.parametrize("broken", [{}, {"total": "x"}, {"severity": "none"}, {"hours": 3}])
def test_what_no_version_saved_is_left_out(exchange_of, broken) -> None:
    plain = as_plain(Groups().add(exchange_of("upstream_reset")))

    assert from_plain({**plain, **broken} if broken else {}) is None


def test_an_odd_hour_costs_no_more_than_itself(exchange_of) -> None:
    saved = as_plain(Groups().add(exchange_of("upstream_reset"))) | {
        "hours": {"1": None, "2": 3},
        "samples": [1, "a"],
    }
    group = from_plain(saved)

    assert group is not None
    assert ({2: 3}, ["a"]) == (group.hours, list(group.samples))


@pytest.mark.parametrize("body", ["", "{", "[]", "3"])
def test_a_row_that_is_no_group_costs_no_other(body) -> None:
    assert from_json(body) is None
