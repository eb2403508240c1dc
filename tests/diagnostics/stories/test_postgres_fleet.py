"""The errors of others are read as they change, bounded, and what is new is told once."""

import pytest

from proxy.diagnostics.errors.groups import Groups
from proxy.diagnostics.stories import postgres_fleet
from proxy.diagnostics.stories.postgres_database import PostgresDatabase
from proxy.diagnostics.stories.postgres_fleet import FleetView
from proxy.diagnostics.stories.postgres_link import engine_for_writing
from tests.diagnostics.stories.shared_store import rule_of

CODES = ("upstream_reset", "head_timeout", "internal_error")
LATER = 4e9
"""Seconds since 1970: all that has ended is long ago."""


class Other:
    """Another instance, and how often it had each error."""

    def __init__(self, url: str) -> None:
        self._database = PostgresDatabase(url, rule_of(url), "pod-2")
        self._groups = Groups()

    def had(self, x) -> None:
        self._groups.add(x)
        self._database.write([], self._groups.unsaved(), {})
        self._database.let_go()


@pytest.fixture
def other(shared, exchange_of):
    made = Other(shared)
    made.had(exchange_of(CODES[0]))
    return made


class Look:
    """What a view sees, each time it is asked, and what was news to it."""

    def __init__(self, url: str) -> None:
        self._engine = engine_for_writing(url)
        self.view = FleetView("me")

    def __call__(self, wall: float = LATER, age: float = LATER):
        with self._engine.begin() as connection:
            return self.view.read(connection, wall, age)

    def told(self) -> list[tuple[str, int]]:
        found = sorted((one.instance, one.count) for one in self.view.news)
        self.view.news.clear()
        return found

    def close(self) -> None:
        self._engine.dispose()


@pytest.fixture
def look(shared):
    made = Look(shared)
    yield made
    made.close()


def test_what_was_there_before_is_shown_but_is_no_news(other, look) -> None:
    assert 1 == len(look())
    assert [] == look.told()


@pytest.mark.parametrize(("ago", "told"), [(19, [("pod-2", 2)]), (21, [])])
def test_what_began_while_this_one_was_starting_is_news(shared, look, exchange_of, ago, told):
    other = Other(shared)
    other.had(exchange_of(CODES[0], started_wall=LATER - ago))
    other.had(exchange_of(CODES[0], started_wall=LATER - 1))
    look()

    assert told == look.told()


def test_of_what_was_too_old_and_comes_again_only_that_is_new(shared, look, exchange_of) -> None:
    other = Other(shared)
    for _ in range(3):
        other.had(exchange_of(CODES[0], started_wall=LATER - 1000))
    assert 1 == len(look(LATER - 900, 500))
    assert [{}, {}] == [look(LATER, 500), look(LATER, 500)]
    other.had(exchange_of(CODES[0], started_wall=LATER))
    assert 1 == len(look(LATER, 500))

    assert [("pod-2", 1)] == look.told()


def test_what_is_new_is_told_once(other, look, exchange_of) -> None:
    look()
    for code in (CODES[0], CODES[0], CODES[1]):
        other.had(exchange_of(code))
    look()

    assert [("pod-2", 1), ("pod-2", 2)] == look.told()
    look.view.forget()  # the connection was lost
    look()
    assert [] == look.told()


def test_only_those_seen_last_are_held(other, look, exchange_of, monkeypatch) -> None:
    monkeypatch.setattr(postgres_fleet, "MOST", 2)
    for n, code in enumerate(CODES):
        other.had(exchange_of(code, started_wall=2e9 + n))
    found = look()

    assert 2 == len(found)
    assert set(CODES[1:]) == {one.group.kind.code for one in found.values()}
