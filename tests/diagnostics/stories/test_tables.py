"""The tables migrate forward by themselves, step by step, and never back."""

import pytest
from sqlalchemy import create_engine, inspect, text

from proxy.diagnostics.stories.tables import MIGRATIONS, NewerStoreError, migrate, schema_version


@pytest.fixture
def engine():
    engine = create_engine("sqlite://")
    yield engine
    engine.dispose()


def version(engine):
    with engine.connect() as connection:
        return connection.execute(schema_version.select()).scalar()


def test_an_empty_database_gets_every_table(engine) -> None:
    with engine.begin() as connection:
        migrate(connection)

    assert {"stories", "story_fields", "error_groups"} <= set(inspect(engine).get_table_names())
    assert version(engine) == len(MIGRATIONS)


def test_a_database_of_the_first_version_gets_the_ids_of_others(engine) -> None:
    with engine.begin() as connection:
        migrate(connection, MIGRATIONS[:1])
        connection.execute(text("DROP TABLE story_ids"))
    with engine.begin() as connection:
        migrate(connection)

    assert "story_ids" in inspect(engine).get_table_names()
    assert version(engine) == len(MIGRATIONS)


def test_only_the_steps_that_are_missing_are_made(engine) -> None:
    made = []
    steps = (*MIGRATIONS, lambda c: made.append(c.execute(text("SELECT 2")).scalar()))
    with engine.begin() as connection:
        migrate(connection)
    for _ in range(2):
        with engine.begin() as connection:
            migrate(connection, steps)

    assert made == [2]
    assert version(engine) == len(steps)


def test_a_newer_version_is_not_touched(engine) -> None:
    with engine.begin() as connection:
        migrate(connection, (*MIGRATIONS, lambda _: None))
        with pytest.raises(NewerStoreError):
            migrate(connection)

    assert version(engine) == len(MIGRATIONS) + 1
