"""The states of one side of a tunnel: the table is whole, and the page shows it as it is."""

import re
from pathlib import Path
from typing import get_args

import pytest

from proxy.websocket.side import SENDS, TAKES, TRANSITIONS, SideState, TunnelEvent

PAGE = (Path(__file__).parents[2] / "docs" / "websocket.md").read_text(encoding="utf-8")
STATES = get_args(SideState)
EVENTS = get_args(TunnelEvent)


def test_every_state_is_in_the_table_and_leads_to_states_by_events() -> None:
    assert set(STATES) == set(TRANSITIONS)
    assert {to for row in TRANSITIONS.values() for to in row.values()} == set(STATES) - {"idle"}
    assert {event for row in TRANSITIONS.values() for event in row} == set(EVENTS)


@pytest.mark.parametrize("state", STATES)
def test_no_state_is_left_twice(state: SideState) -> None:
    """Whatever happens goes on towards the end: no way leads back."""
    assert all(STATES.index(to) > STATES.index(state) for to in TRANSITIONS[state].values())


@pytest.mark.parametrize("state", [state for state in STATES if state != "idle"])
def test_a_lost_connection_closes_whatever_was_open(state: SideState) -> None:
    assert "closed" == TRANSITIONS[state].get("lost", state)


def test_what_may_come_or_go_can_end_by_the_event_that_says_so() -> None:
    assert set(SENDS) == {state for state, row in TRANSITIONS.items() if "end" in row}
    assert set(TAKES) == {state for state, row in TRANSITIONS.items() if "tell" in row}


def test_the_page_shows_the_table() -> None:
    lines = re.findall(r"^\|(.*)\|$", PAGE.split("## States")[1], re.MULTILINE)
    (_, *events), _, *rows = [[cell.strip(" `") for cell in line.split("|")] for line in lines]
    shown = {
        state: {event: to for event, to in zip(events, cells, strict=True) if to}
        for state, *cells in rows
    }

    assert list(EVENTS) == events
    assert TRANSITIONS == shown
