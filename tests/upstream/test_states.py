"""The table of states is whole, and the code can do nothing else."""

import ast
from pathlib import Path

import pytest

from proxy.upstream import states
from proxy.upstream.states import EVENTS, STATES, TRANSITIONS

FOLDER = Path(__file__).parents[2] / "proxy" / "upstream"
NUMBERS = {name: value for name, value in vars(states).items() if isinstance(value, int)}


def test_every_name_stands_at_its_number():
    named = [name.lower() for name in NUMBERS]

    assert [*STATES, *EVENTS] == named
    assert [*range(len(STATES)), *range(len(EVENTS))] == list(NUMBERS.values())


def reached_from(state):
    seen, rest = set(), [state]
    while rest:
        at = rest.pop()
        if at not in seen:
            seen.add(at)
            rest += TRANSITIONS.rows[at].values()
    return seen


def test_a_new_connection_can_come_into_every_state():
    assert set(STATES) == reached_from("taken")


@pytest.mark.parametrize("state", STATES)
def test_every_state_can_end_closed(state):
    assert "closed" in reached_from(state)


@pytest.mark.parametrize("state", [state for state in STATES if state != "closed"])
def test_everything_that_is_not_closed_can_be_closed(state):
    assert "closing" == TRANSITIONS.rows[state]["close"]


def assigned(function):
    """Whether it sets an attribute `state`."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "state"
        and isinstance(node.ctx, ast.Store | ast.Del)
        for node in ast.walk(function)
    )


def test_the_state_changes_in_one_place_which_asks_the_table():
    """But for the first state of a new connection."""
    setters = {
        (path.stem, node.name)
        for path in FOLDER.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and assigned(node)
    }

    assert {("protocol", "__init__"), ("protocol", "move")} == setters


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_happens_in_the_code(event):
    used = {
        node.id
        for name in ("protocol", "connection")
        for node in ast.walk(ast.parse((FOLDER / f"{name}.py").read_text()))
        if isinstance(node, ast.Name)
    }

    assert event.upper() in used
