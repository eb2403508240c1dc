"""Why an attempt went to its endpoint."""

from proxy.diagnostics.stories.choice import chosen
from proxy.upstream.chosen import Chosen, Known
from tests.records import attempt


def test_a_choice_is_told_with_what_was_known_of_the_others() -> None:
    choice = Chosen("turn", 2, 1, (Known("http://b:1", "10.0.0.2", "ejected", "why", 130.0),))

    assert {
        "why": "turn",
        "in_use": 2,
        "usable": 1,
        "known": [
            {
                "endpoint": "http://b:1",
                "address": "10.0.0.2",
                "status": "ejected",
                "reason": "why",
                "until_ms": 30000.0,
            }
        ],
    } == chosen(attempt(chosen=choice), 100.0)


def test_of_two_that_were_drawn_both_loads_are_told() -> None:
    choice = Chosen("fewer_requests", 0, 2, ())
    choice.rival, choice.rival_in_use = "http://b:1", 3
    told = chosen(attempt(chosen=choice), 0.0)

    assert told is not None
    assert (0, "http://b:1", 3) == (told["in_use"], told["rival"], told["rival_in_use"])


def test_where_there_was_no_choice_nothing_is_told() -> None:
    assert chosen(attempt(), 0.0) is None
