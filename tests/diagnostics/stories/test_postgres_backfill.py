"""Stories of an older Sidelight get the columns of filters, however many they are, and once."""

import threading

import pytest
from sqlalchemy import event, text

from proxy.diagnostics.stories import postgres_backfill
from proxy.diagnostics.stories.postgres_backfill import Backfill
from proxy.diagnostics.stories.postgres_database import PostgresDatabase
from proxy.diagnostics.stories.postgres_link import engine_for_writing
from proxy.diagnostics.stories.postgres_reading import PostgresReader
from proxy.diagnostics.stories.postgres_writing import may_prune
from proxy.diagnostics.stories.query import Query
from tests.diagnostics.stories.shared_store import rule_of

MANY = 60
OLDER = """INSERT INTO stories (request_id, ended, code, route, size, body)
SELECT 'id-' || n, 1e9 + n / {alike}, 'upstream_reset', 'chat', 700,
'{{"request_id": "id-' || n || '", "method": "BREW", "path": "/pot/' || n || '?a=b",
"user_agent": "kettle\\u0000", "attempts": [{{"endpoint": "http://pot"}}]}}'
FROM generate_series(1, {many}) AS n"""
LEFT = text("SELECT count(*) FROM stories WHERE instance IS NULL")


@pytest.fixture
def engine(shared):
    database = PostgresDatabase(shared, rule_of(shared), "pod-1")
    database.write([], [], {})
    database.let_go()
    made = engine_for_writing(shared)
    yield made
    made.dispose()


@pytest.fixture
def older(engine, monkeypatch):
    """Writes stories as the first version did; returns how many of such there are."""
    monkeypatch.setattr(postgres_backfill, "CHUNK", 10)

    def write(many: int = MANY, alike: int = 1) -> None:
        with engine.begin() as connection:
            connection.execute(text(OLDER.format(many=many, alike=alike)))

    write()
    return write


def left(engine) -> int:
    with engine.begin() as connection:
        return connection.execute(LEFT).scalar_one()


def test_all_are_found_by_what_stands_within_them(shared, engine, older, monkeypatch) -> None:
    """And not only as many as are read for one question."""
    monkeypatch.setattr("proxy.diagnostics.stories.postgres_filters.MOST_READ", 5)
    monkeypatch.setattr("proxy.diagnostics.stories.postgres_filters.MORE", 0)
    asked = {"path": "/pot/1", "endpoint": "http://pot", "agent": "KETTLE", "method": "BREW"}
    Backfill().go_on(engine)
    reader = PostgresReader(shared)
    found = [len(reader.search(Query(**{k: v}, limit=MANY))) for k, v in asked.items()]
    reader.let_go()

    assert [1, MANY, MANY, MANY] == found
    assert 0 == left(engine)


def test_those_of_a_version_that_had_other_columns_are_found_by_the_last_one(
    shared, engine, older, monkeypatch
) -> None:
    monkeypatch.setattr("proxy.diagnostics.stories.postgres_filters.MOST_READ", 5)
    monkeypatch.setattr("proxy.diagnostics.stories.postgres_filters.MORE", 0)
    named = 'body = replace(body, \'"method"\', \'"instance": "pod-7", "method"\')'
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE stories SET method = 'BREW', {named}"))
    Backfill().go_on(engine)
    reader = PostgresReader(shared)
    found = [len(reader.search(Query(instance=n, limit=MANY))) for n in ("pod-7", "pod-1")]
    reader.let_go()

    assert [MANY, 0] == found
    assert 0 == left(engine)


def test_the_database_does_it_when_it_keeps_its_bounds(shared, engine, older) -> None:
    database = PostgresDatabase(shared, rule_of(shared), "pod-1")
    database.keep_bounds()
    database.let_go()

    assert 0 == left(engine)


def test_it_goes_on_where_another_ended(engine, older, monkeypatch) -> None:
    """The newest are first; what is done at once is bounded."""
    monkeypatch.setattr(postgres_backfill, "PIECES", 2)
    Backfill().go_on(engine)
    with engine.begin() as connection:
        done = connection.execute(text("SELECT min(ended) FROM stories WHERE method IS NOT NULL"))
        oldest = done.scalar_one()
    after_the_first = left(engine)
    second = Backfill()
    for _ in range(3):
        second.go_on(engine)

    assert (MANY - 20, 1e9 + MANY - 19) == (after_the_first, oldest)
    assert 0 == left(engine)


def test_many_that_ended_in_one_moment_are_all_filled(engine, older) -> None:
    older(MANY, alike=1000)
    Backfill().go_on(engine)

    assert 0 == left(engine)


def test_what_an_older_version_still_writes_is_filled_later(engine, older, monkeypatch) -> None:
    clock = iter([0.0, 0.0, 59.0, 61.0, 61.0])
    monkeypatch.setattr("proxy.clock.now", lambda: next(clock))
    backfill = Backfill()
    backfill.go_on(engine)
    older(1)
    backfill.go_on(engine)
    at_first = left(engine)
    backfill.go_on(engine)

    assert (1, 0) == (at_first, left(engine))


def test_ten_that_do_it_at_once_fill_each_story_once(shared, engine, older, monkeypatch) -> None:
    gate, faults, filled = threading.Barrier(10), [], []

    def fill() -> None:
        own = engine_for_writing(shared)
        event.listen(own, "after_cursor_execute", lambda *a: filled.append(a[1].rowcount)
                     if a[2].startswith("UPDATE") else None)  # fmt: skip
        try:
            gate.wait(30)
            Backfill().go_on(own)
        except Exception as fault:  # noqa: BLE001  # whatever it is, it is one
            faults.append(fault)
        finally:
            own.dispose()

    threads = [threading.Thread(target=fill) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    Backfill().go_on(engine)  # each may have seen another at it

    assert [] == faults
    assert MANY >= sum(filled)
    assert 0 == left(engine)


def test_who_deletes_is_not_disturbed(shared, engine, older) -> None:
    """Two that change the same rows in another order would wait for each other."""
    deleting = engine_for_writing(shared)
    with deleting.begin() as connection:
        assert may_prune(connection)
        Backfill().go_on(engine)
        beside = left(engine)
    deleting.dispose()
    Backfill().go_on(engine)

    assert (MANY, 0) == (beside, left(engine))
