"""The tables on PostgreSQL migrate forward once, however many start, while older ones write."""

import threading
from contextlib import nullcontext

import pytest
from sqlalchemy import text

from proxy.diagnostics.stories.postgres_database import PostgresDatabase
from proxy.diagnostics.stories.postgres_link import engine_for_writing, server_reason
from proxy.diagnostics.stories.postgres_reading import PostgresReader
from proxy.diagnostics.stories.postgres_tables import STEPS, Step, migrate_shared
from proxy.diagnostics.stories.query import Query
from proxy.diagnostics.stories.story import story_of
from proxy.diagnostics.stories.tables import NewerStoreError, WrongEncodingError
from proxy.diagnostics.stories.writing import Row
from tests.diagnostics.stories.shared_store import rule_of

MANY = 10


@pytest.fixture
def engine(shared):
    made = engine_for_writing(shared)
    yield made
    made.dispose()


def version(engine) -> list[tuple]:
    with engine.begin() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT * FROM sidelight_schema"))]


def _add(connection) -> None:
    connection.execute(text("ALTER TABLE stories ADD COLUMN colour text"))


NEXT = (*STEPS, Step(_add))
CLOSED = (*STEPS, Step(_add, shuts_out=True))


@pytest.mark.parametrize("before", [(), STEPS], ids=["an empty database", "an older one"])
def test_ten_that_start_at_once_make_each_step_once(engine, shared, before) -> None:
    if before:
        with engine.begin() as connection:
            migrate_shared(connection, before)
    gate, faults = threading.Barrier(MANY), []

    def start() -> None:
        own = engine_for_writing(shared)
        try:
            gate.wait(30)
            with own.begin() as connection:
                migrate_shared(connection, NEXT)
        except Exception as fault:  # noqa: BLE001  # whatever it is, it is one
            faults.append(fault)
        finally:
            own.dispose()

    threads = [threading.Thread(target=start) for _ in range(MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert [] == faults
    assert [(len(NEXT), 0)] == version(engine)


def test_an_older_version_goes_on_writing_after_a_step(engine, shared, exchange_of) -> None:
    older = PostgresDatabase(shared, rule_of(shared), "pod-1")
    rows = [Row.of(story_of(exchange_of()))]
    older.write(rows, [], {})
    with engine.begin() as connection:
        migrate_shared(connection, NEXT)
    older.write(rows, [], {})
    older.let_go()  # and it starts again
    older.write(rows, [], {})
    older.let_go()
    with engine.begin() as connection:
        found = connection.execute(text("SELECT count(*) FROM stories")).scalar()

    assert 3 == found
    assert [(len(NEXT), 0)] == version(engine)


def test_stories_of_an_older_version_are_found_as_well(engine, shared, exchange_of) -> None:
    """They lack the columns that a newer one finds them by."""
    older = Row.of(story_of(exchange_of("upstream_reset", user_agent="curl/8")))
    newer = Row.of(story_of(exchange_of("upstream_reset", request_id="id-2", user_agent="bot/1")))
    database = PostgresDatabase(shared, rule_of(shared), "pod-1")
    database.write([older, newer], [], {})
    database.let_go()
    names = ("method", "path", "agent", "detail", "endpoints", "instance")
    nothing = ", ".join(f"{name} = NULL" for name in names)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE stories SET {nothing} WHERE request_id = 'id-1'"))
    reader = PostgresReader(shared)
    asked = {"method": str(newer.story["method"]), "path": "/*", "agent": "CURL"}
    found = [
        {story["request_id"] for story in reader.search(Query(**{name: value}))}
        for name, value in asked.items()
    ]
    reader.let_go()

    assert [{"id-1", "id-2"}, {"id-1", "id-2"}, {"id-1"}] == found


def test_a_step_may_take_longer_than_any_other_statement(engine, monkeypatch) -> None:
    def slowly(connection) -> None:
        connection.execute(text("SELECT pg_sleep(0.5)"))

    with engine.begin() as connection:
        connection.execute(text("SET statement_timeout = 100"))
        connection.connection.driver_connection.patience = 0.1
        migrate_shared(connection, (*STEPS, Step(slowly)))
        link = connection.connection.driver_connection

        assert 0.1 == link.patience


def test_a_step_of_another_is_waited_for_longer_than_any_other_lock(shared, monkeypatch) -> None:
    monkeypatch.setattr("proxy.diagnostics.stories.postgres_link.LOCKED", 0.05)
    monkeypatch.setattr("proxy.diagnostics.stories.postgres_tables.LOCKED", 0.05)
    one, other = engine_for_writing(shared), engine_for_writing(shared)
    begun, faults = threading.Event(), []

    def slowly(connection) -> None:
        begun.set()
        connection.execute(text("SELECT pg_sleep(0.5)"))

    def start(engine, steps) -> None:
        try:
            with engine.begin() as connection:
                migrate_shared(connection, steps)
        except Exception as fault:  # noqa: BLE001  # whatever it is, it is one
            faults.append(fault)

    first = threading.Thread(target=start, args=(one, (*STEPS, Step(slowly))))
    first.start()
    begun.wait(30)
    start(other, STEPS)
    first.join(60)
    found = version(other)
    one.dispose()
    other.dispose()

    assert [] == faults
    assert [(len(STEPS) + 1, 0)] == found


def test_a_step_that_shuts_older_versions_out_is_respected(engine) -> None:
    with engine.begin() as connection:
        migrate_shared(connection, CLOSED)
    with pytest.raises(NewerStoreError, match=str(len(CLOSED))), engine.begin() as connection:
        migrate_shared(connection)

    assert [(len(CLOSED), len(CLOSED))] == version(engine)


def test_a_step_that_fails_leaves_everything_as_it_was(engine) -> None:
    def fail(connection) -> None:
        _add(connection)
        raise OSError

    with engine.begin() as connection:
        migrate_shared(connection)
    with pytest.raises(OSError), engine.begin() as connection:  # noqa: PT011
        migrate_shared(connection, (*STEPS, Step(fail)))
    with engine.begin() as connection:
        migrate_shared(connection, NEXT)

    assert [(len(NEXT), 0)] == version(engine)


def test_several_teams_share_a_database_by_schema(cluster, shared) -> None:
    user = shared.partition("//")[2].partition("@")[0]
    cluster.run(f"CREATE SCHEMA team AUTHORIZATION {user}", database=user)
    for url in (shared, f"{shared}&options=-csearch_path%3Dteam"):
        database = PostgresDatabase(url, rule_of(url), "pod-1")
        database.write([], [], {})
        database.let_go()
    found = cluster.run(
        "SELECT schemaname FROM pg_tables WHERE tablename = 'stories'", database=user
    )

    assert {("public",), ("team",)} == set(found)


@pytest.mark.parametrize(("encoding", "is_good"), [("SQL_ASCII", True), ("LATIN1", False)])
def test_a_database_that_cannot_store_every_text_is_refused(cluster, encoding, is_good) -> None:
    name = f"sl_{encoding.lower()}"
    url = cluster.database(name, "TEMPLATE template0", f"ENCODING '{encoding}'", "LOCALE 'C'")
    engine = engine_for_writing(url)
    refusal = nullcontext() if is_good else pytest.raises(WrongEncodingError, match=encoding)
    with refusal as caught, engine.begin() as connection:
        migrate_shared(connection)
    engine.dispose()

    assert caught is None or f"is {encoding}; CREATE" in server_reason(caught.value, url)
