"""pybreaker is told what happened; nothing of its own clock or its own gate is left."""

from typing import get_args

import pytest

from proxy.resilience.circuit import STATES, Circuit, CircuitState, FailureStorage


def circuit() -> Circuit:
    return Circuit(FailureStorage(consecutive=2, failure_ratio=0.5, min_attempts=4, window=30.0))


def test_its_states_have_the_names_of_the_house() -> None:
    assert set(STATES.values()) == set(get_args(CircuitState))


def test_it_opens_when_the_tally_says_too_many() -> None:
    machine = circuit()
    machine.fail(0.0, in_a_row=True)
    before = machine.state
    machine.fail(0.0, in_a_row=True)

    assert (before, machine.state, machine.tally.reason) == ("closed", "open", "consecutive")


def test_failures_out_of_the_row_open_it_by_their_share() -> None:
    machine = circuit()
    for _ in range(4):
        machine.fail(0.0, in_a_row=False)

    assert (machine.state, machine.tally.reason) == ("open", "ratio")


@pytest.mark.parametrize(
    ("probe", "state"),
    [
        pytest.param(Circuit.succeed, "closed", id="one good probe closes it"),
        pytest.param(lambda it: it.fail(0.0, in_a_row=True), "open", id="one bad one opens it"),
    ],
)
def test_a_probe_decides(probe, state: str) -> None:
    machine = circuit()
    machine.open()
    machine.half_open()
    probe(machine)

    assert machine.state == state


def test_the_library_agrees_about_the_state() -> None:
    machine = circuit()
    seen = []
    for change in (machine.open, machine.half_open, machine.close):
        change()
        seen.append((machine.state, STATES[machine.tally.state]))

    assert seen == [("open", "open"), ("half_open", "half_open"), ("closed", "closed")]


def test_a_cleared_tally_has_nothing_to_hold_against_it() -> None:
    machine = circuit()
    machine.fail(0.0, in_a_row=True)
    machine.tally.clear()
    machine.fail(0.0, in_a_row=True)

    assert machine.state == "closed"
