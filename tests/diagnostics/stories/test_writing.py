"""Rows and the deleting of old ones."""

import pytest
from sqlalchemy import create_engine, func, select

from proxy.diagnostics.stories.story import story_of
from proxy.diagnostics.stories.tables import METADATA, stories, story_fields, story_ids
from proxy.diagnostics.stories.writing import Row, drop_aged, drop_oldest, size_of, write_stories


@pytest.fixture
def connection():
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        METADATA.create_all(connection)
        yield connection
    engine.dispose()


@pytest.fixture
def rows(connection, exchange_of):
    made = [
        Row.of(
            story_of(
                exchange_of(
                    request_id=f"{n}",
                    ended=10.0 + n,
                    fields={"user": f"{n}"},
                    client_request_id="theirs",
                    upstream_ids={"A": "theirs", "B": "b"},
                )
            )
        )
        for n in range(5)
    ]
    write_stories(connection, made)
    return made


def kept(connection):
    return list(connection.execute(select(stories.c.request_id).order_by(stories.c.id)).scalars())


def test_no_more_is_deleted_than_must_be(connection, rows) -> None:
    freed = drop_oldest(connection, rows[0].size + 1)

    assert freed == rows[0].size + rows[1].size
    assert kept(connection) == ["2", "3", "4"]
    assert size_of(connection) == sum(row.size for row in rows[2:])


def test_fields_and_ids_go_with_their_story(connection, rows) -> None:
    drop_oldest(connection, 1)
    left = [
        connection.execute(select(func.count()).select_from(table)).scalar()
        for table in (story_fields, story_ids)
    ]

    assert [4, 8] == left


def test_only_what_ended_before_is_too_old(connection, rows) -> None:
    assert drop_aged(connection, 1e9 + 2) == rows[0].size + rows[1].size
    assert drop_aged(connection, 1e9 + 2) == 0
    assert kept(connection) == ["2", "3", "4"]
