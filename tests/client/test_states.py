"""The states of a client's connection: the table is whole, the code obeys, the docs repeat it."""

import re
from pathlib import Path

import pytest

from proxy.client.states import CLOSED, MEANINGS, NAMES, TRANSITIONS, WAITING
from tests.client.fakes import connect

PAGE = Path(__file__).parents[2] / "docs" / "connections.md"
STATES = range(len(NAMES))
FOLLOWERS = {name: {to for state, _, to in TRANSITIONS if state == name} for name in NAMES}


def reachable(name: str) -> set[str]:
    found, new = set(), {name}
    while new:
        found |= new
        new = {to for state in new for to in FOLLOWERS[state]} - found
    return found


def table(first: str) -> list[tuple[str, ...]]:
    """The rows of the table of the page whose first row begins with `first`."""
    section = PAGE.read_text(encoding="utf-8").split("## Connections of clients")[1]
    rows = section.split(f"| {first} |")[1].split("\n\n")[0].splitlines()[2:]
    return [tuple(cell.strip(" `") for cell in row.strip("|").split("|")) for row in rows]


def test_every_state_is_named_and_can_be_reached() -> None:
    assert len(MEANINGS) == len(NAMES)
    assert set(NAMES) == reachable(NAMES[WAITING])
    assert {to for followers in FOLLOWERS.values() for to in followers} <= set(NAMES)


def test_closed_is_the_end_and_every_state_leads_there() -> None:
    assert set() == FOLLOWERS["closed"]
    assert [] == [name for name in NAMES if "closed" not in reachable(name)]


def test_no_transition_stands_twice() -> None:
    pairs = [(state, to) for state, _, to in TRANSITIONS]

    assert len(set(pairs)) == len(pairs)


@pytest.mark.parametrize("state", STATES, ids=NAMES)
@pytest.mark.parametrize("following", STATES, ids=NAMES)
async def test_a_connection_obeys_the_table(state: int, following: int) -> None:
    client, _ = connect()
    client.state = state
    allowed = NAMES[following] in FOLLOWERS[NAMES[state]]

    if allowed:
        client.enter(following)
    else:
        with pytest.raises(RuntimeError, match=f"cannot be {NAMES[following]} next"):
            client.enter(following)
    assert (following if allowed else state) == client.state
    client.state = CLOSED


async def test_a_connection_shows_its_peer_and_its_state() -> None:
    client, _ = connect()

    assert "<ClientConnection 192.0.2.7 waiting>" == repr(client)
    client.lost()
    assert "<ClientConnection 192.0.2.7 closed>" == repr(client)


def test_the_page_says_what_each_state_means() -> None:
    assert list(zip(NAMES, MEANINGS, strict=True)) == table("state | meaning")


def test_the_page_has_the_table_word_for_word() -> None:
    assert list(TRANSITIONS) == table("state | event | next state")


def test_the_page_names_the_limits_as_the_code_has_them() -> None:
    text = PAGE.read_text(encoding="utf-8").split("## Connections of clients")[1]

    for key in ("header_bytes", "header_count", "head_bytes", "uri_bytes", "request_head",
                "keep_alive", "max_connections", "unread_bytes"):  # fmt: skip
        assert re.search(rf"`listen\.{key}`", text), key
