"""Why an endpoint was chosen, in words."""

from typing import get_args

from proxy.admin.choice_text import _WHY, chosen_lines, endpoint_words
from proxy.upstream.chosen import Why

CHOSEN = {
    "why": "fewer_requests",
    "in_use": 1,
    "rival": "http://b:1",
    "rival_in_use": 4,
    "usable": 2,
    "known": [
        {"endpoint": "http://c:1", "status": "ejected", "reason": "why", "until_ms": 20000},
        {"endpoint": "http://a:1", "status": "usable"},
    ],
}


def test_every_reason_has_words() -> None:
    assert set(get_args(Why)) == set(_WHY)


def test_the_reason_the_rival_and_who_was_out_of_use_are_told() -> None:
    assert [
        "chosen: no more requests under way than at http://b:1 (1 and 4); 2 could be used",
        "ejected: http://c:1, why, until 20.0 s after it began",
    ] == list(chosen_lines({"chosen": CHOSEN}))


def test_where_there_was_no_choice_nothing_is_said() -> None:
    assert [] == list(chosen_lines({}))


def test_one_of_several_addresses_is_named_with_its_name() -> None:
    assert "http://a:1" == endpoint_words({"endpoint": "http://a:1"})
    assert "http://a:1 (10.0.0.1)" == endpoint_words(
        {"endpoint": "http://a:1", "address": "10.0.0.1"}
    )
