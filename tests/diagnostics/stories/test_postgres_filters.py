"""Columns beside a story say what stands within it, as far as an index can hold it."""

import pytest

from proxy.diagnostics.stories import postgres_filters
from proxy.diagnostics.stories.postgres_database import PostgresDatabase
from proxy.diagnostics.stories.postgres_filters import LONGEST, filters_of
from proxy.diagnostics.stories.postgres_reading import PostgresReader
from proxy.diagnostics.stories.query import Query
from proxy.diagnostics.stories.story import story_of
from proxy.diagnostics.stories.writing import Row
from tests.diagnostics.stories.shared_store import rule_of


def test_nothing_is_null_which_would_say_that_an_older_one_has_written_it() -> None:
    texts = dict.fromkeys(("method", "path", "agent", "detail", "instance"), "")

    assert texts | {"endpoints": []} == filters_of({})


def test_every_endpoint_of_its_attempts_and_the_path_without_its_query() -> None:
    attempts = [{"endpoint": "http://b"}, {"endpoint": "http://a"}, {"result": "dns_failure"}]
    found = filters_of({"path": "/a?b=c", "attempts": attempts, "method": "GET"})

    assert (["http://a", "http://b"], "/a") == (found["endpoints"], found["path"])


def test_a_text_that_an_index_has_no_room_for_is_cut() -> None:
    assert LONGEST == len(str(filters_of({"user_agent": "x" * 9000})["agent"]))


AGENTS = ("Curl/8", "100% Übel", "a_b", "axb", "c\\d", "x" * 600 + "END", *map(str, range(10)))


@pytest.fixture
def many(shared, exchange_of, monkeypatch):
    """More different agents than are looked through, and more stories than are read."""
    monkeypatch.setattr(postgres_filters, "MOST_TEXTS", 3)
    monkeypatch.setattr(postgres_filters, "MOST_READ", 2)
    monkeypatch.setattr(postgres_filters, "MORE", 0)
    database = PostgresDatabase(shared, rule_of(shared), "pod-1")
    told = [exchange_of("upstream_reset", user_agent=agent) for agent in AGENTS]
    database.write([Row.of(story_of(x)) for x in told], [], {})
    database.let_go()
    reader = PostgresReader(shared)
    yield reader
    reader.let_go()


@pytest.mark.parametrize(
    ("part", "agent"),
    [
        ("cURL", "Curl/8"), ("0% übe", "100% Übel"), ("a_b", "a_b"), ("c\\d", "c\\d"),
        ("nobody", None),
    ],
)  # fmt: skip
def test_a_part_is_found_however_many_different_texts_there_are(many, part, agent) -> None:
    found = many.search(Query(agent=part, limit=2))

    assert ([] if agent is None else [agent]) == [story["user_agent"] for story in found]
