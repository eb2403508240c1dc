"""State machines as data."""

import pytest

from proxy.transitions import ImpossibleTransitionError, Transitions

DOOR = {"open": {"close": "shut"}, "shut": {"open": "open", "close": "shut"}}


def test_an_event_leads_where_the_row_of_the_state_says():
    door = Transitions(("open", "shut"), ("close", "open"), DOOR)

    assert [1, 1, 0] == [door.after(0, 0), door.after(1, 0), door.after(1, 1)]


def test_what_is_left_out_is_a_bug_that_names_both():
    door = Transitions(("open", "shut"), ("close", "open"), DOOR)

    with pytest.raises(ImpossibleTransitionError, match="open while open"):
        door.after(0, 1)


@pytest.mark.parametrize(
    ("states", "events"),
    [
        pytest.param(("shut", "open"), ("close", "open"), id="states in another order"),
        pytest.param(("open", "shut", "ajar"), ("close", "open"), id="a state without a row"),
        pytest.param(("open", "shut"), ("close", "open", "lock"), id="an event in no row"),
        pytest.param(("open", "shut"), ("close",), id="an event without a number"),
    ],
)
def test_rows_about_anything_else_are_refused(states, events):
    with pytest.raises(ValueError, match="other states or events"):
        Transitions(states, events, DOOR)
