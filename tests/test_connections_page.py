"""The page on connections shows the tables that the code goes by."""

import re
from pathlib import Path

import pytest

from proxy.transitions import Transitions
from proxy.upstream import states as to_endpoints

PAGE = (Path(__file__).parents[1] / "docs" / "connections.md").read_text(encoding="utf-8")

MACHINES = {
    "Connections to endpoints": (
        to_endpoints.STATES,
        to_endpoints.EVENTS,
        to_endpoints.TRANSITIONS,
    ),
}
"""Section of the page: what its states and events mean, and the table of transitions."""


def told(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def meanings(head: str, told_of: dict[str, str]) -> str:
    lines = [f"| {head} | meaning |", "|---|---|"]
    return "\n".join(lines + [f"| `{name}` | {words} |" for name, words in told_of.items()])


def matrix(transitions: Transitions) -> str:
    """A row for each state, a column for each event; the next state, or nothing."""
    events = transitions.events
    lines = ["| | " + " | ".join(f"`{event}`" for event in events) + " |"]
    lines.append("|---" * (len(events) + 1) + "|")
    for state, row in transitions.rows.items():
        lines.append(f"| `{state}` | " + " | ".join(row.get(event, "") for event in events) + " |")
    return "\n".join(lines)


@pytest.mark.parametrize("title", MACHINES)
def test_the_page_says_what_each_state_and_event_means(title: str) -> None:
    states, events, _ = MACHINES[title]

    assert meanings("state", states) in told(title)
    assert meanings("event", events) in told(title)


@pytest.mark.parametrize("title", MACHINES)
def test_the_page_shows_every_transition_and_no_other(title: str) -> None:
    assert matrix(MACHINES[title][2]) in told(title)


def test_every_section_with_a_table_is_looked_at() -> None:
    """Those of clients by `tests/client/test_states.py`."""
    titles = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)

    assert {*MACHINES, "Connections of clients"} == set(titles)
