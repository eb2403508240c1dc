"""PostgreSQL keeps what all instances tell it, once each, and no more than it may."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import DBAPIError

from proxy import clock
from proxy.diagnostics.errors.groups import Groups
from proxy.diagnostics.stories import postgres_writing
from proxy.diagnostics.stories.postgres_database import PostgresDatabase
from proxy.diagnostics.stories.query import Query
from proxy.diagnostics.stories.story import story_of
from proxy.diagnostics.stories.writing import Row
from tests.diagnostics.stories.shared_store import AGES, Instances, rule_of, until


@pytest.fixture
def instances(shared):
    made = Instances(shared)
    yield made
    made.close()


@pytest.fixture
def database(shared):
    made = PostgresDatabase(shared, rule_of(shared), "pod-1")
    yield made
    made.let_go()


@pytest.fixture
def count(cluster, shared):
    """How many rows a table has."""
    name = shared.partition("//")[2].partition("@")[0]

    def ask(table: str) -> int:
        return cluster.run(f"SELECT count(*) FROM {table}", database=name)[0][0]

    return ask


def row(x) -> Row:
    return Row.of(story_of(x))


def test_any_instance_finds_what_another_wrote(instances, exchange_of) -> None:
    one, other = instances.open("pod-1"), instances.open("pod-2")
    one.put([exchange_of("upstream_reset", fields={"user": "ann"})])
    until(lambda: other.find("id-1"))

    assert ["pod-1"] == [story["instance"] for story in other.find("id-1")]
    assert ["id-1"] == [s["request_id"] for s in other.search(Query(fields={"user": "ann"}))]
    assert [] == other.search(Query(fields={"user": "bob"}))
    assert [] == instances.events


def test_a_story_is_found_by_the_ids_of_others(instances, exchange_of) -> None:
    store = instances.open()
    store.put([exchange_of(client_request_id="theirs", upstream_ids={"x-amzn": "a-1"})])
    until(lambda: store.find("theirs"))

    assert 1 == len(store.find("a-1"))


def test_a_batch_that_comes_again_is_kept_once(database, exchange_of, count, monkeypatch) -> None:
    """As where the server has committed, and its answer is lost."""
    rows = [row(exchange_of()), row(exchange_of(request_id="id-2"))]

    database.write(rows, [], {})
    monkeypatch.setattr(database, "_batch", 1)  # what it would be, had it not heard of it
    database.write(rows, [], {})
    database.write(rows[:1], [], {})  # another one

    assert 3 == count("stories")


def test_what_cannot_be_stored_costs_no_other(database, exchange_of, count) -> None:
    """An index has no room for it, today or later."""
    noise = "".join(chr(0x4E00 + n * 7 % 20000) for n in range(9000))
    bad = replace(row(exchange_of()), fields={"user": noise})
    good = row(exchange_of(request_id="id-2"))

    groups = Groups()
    groups.add(exchange_of("upstream_reset"))

    assert 1 == database.write([good, bad, good], groups.newest_first(), {})
    assert (2, 1) == (count("stories"), count("fleet_groups"))


def test_text_with_a_nul_is_stored(instances, exchange_of) -> None:
    store = instances.open()
    store.put([exchange_of(fields={"user": "a\x00b"}, client_request_id="c\x00d")])
    until(lambda: store.find("id-1"))

    assert "a\x00b" == store.find("id-1")[0]["fields"]["user"]
    assert len(store.search(Query(fields={"user": "a\x00b"}))) == 1
    assert store.search(Query(route="a\x00b")) == []
    assert {} == dict(store.dropped)


def test_what_the_server_will_not_do_is_raised(database, exchange_of, cluster, shared) -> None:
    database.write([], [], {})
    name = shared.partition("//")[2].partition("@")[0]
    cluster.run("DROP TABLE story_ids, story_fields, stories", database=name)

    with pytest.raises(DBAPIError):
        database.write([row(exchange_of())], [], {})


def test_errors_of_all_instances_are_added_up(instances, exchange_of) -> None:
    for name, times in (("pod-1", 1), ("pod-2", 2)):
        groups = Groups()
        for n in range(times):
            groups.add(exchange_of("upstream_reset", request_id=f"{name}-{n}"))
        instances.open(name).put_groups(groups.newest_first())
    reader = instances.open("pod-3")
    until(lambda: sum(one.group.total for one in reader.database.fleet.values()) == 3)
    (one,) = reader.database.fleet.values()

    assert {"pod-1", "pod-2"} == set(one.instances)
    assert {"pod-1-0", "pod-2-0", "pod-2-1"} == set(one.group.samples)


def test_what_is_usual_comes_back_after_a_restart(instances) -> None:
    for body in ({"n": 1}, {"n": 2}):
        first = instances.open()
        first.put_usual({"all": body})
        assert first.close(30)
    second = instances.open()
    until(lambda: second.database.restored is not None)

    assert {"all": {"n": 2}} == second.database.usual


def test_what_is_too_old_is_deleted_with_all_that_belongs_to_it(shared, exchange_of, count) -> None:
    now, old = clock.wall(), PostgresDatabase(shared, rule_of(shared), "pod-1")
    groups = Groups()
    groups.add(exchange_of("upstream_reset", started_wall=now - 7200))
    aged = [row(exchange_of(started_wall=now - 7200, fields={"user": "ann"})) for _ in range(3)]
    old.write([*aged, row(exchange_of(started_wall=now))], groups.newest_first(), {})
    young = PostgresDatabase(shared, rule_of(shared, age=3600.0), "pod-2")
    try:
        young.keep_bounds()
    finally:
        old.let_go()
        young.let_go()

    assert [1, 0, 0] == [count(t) for t in ("stories", "story_fields", "fleet_groups")]


def test_an_instance_whose_clock_is_wrong_deletes_nothing_and_sees_the_others(
    shared, exchange_of, count, monkeypatch
) -> None:
    now = clock.wall()
    groups = Groups()
    groups.add(exchange_of("upstream_reset", started_wall=now))
    right, wrong = (PostgresDatabase(shared, rule_of(shared, age=3600.0), n) for n in ("1", "2"))
    right.write([row(exchange_of(started_wall=now))], groups.newest_first(), {})
    monkeypatch.setattr(clock, "wall", lambda: now + 30 * 86400)
    try:
        wrong.keep_bounds()
    finally:
        right.let_go()
        wrong.let_go()

    assert (1, 1) == (count("stories"), len(wrong.fleet))


def test_beyond_the_room_the_oldest_go(shared, exchange_of, cluster) -> None:
    room = 1024 * 1024
    database = PostgresDatabase(shared, rule_of(shared, size=room), "pod-1")
    rows = [
        replace(row(exchange_of(request_id=f"id-{n}", started_wall=1e9 + n)), size=room // 1000)
        for n in range(1600)
    ]
    for one in rows:
        one.columns["size"] = one.size
    database.write(rows, [], {})
    database.keep_bounds()
    database.let_go()
    name = shared.partition("//")[2].partition("@")[0]
    ((left, oldest),) = cluster.run("SELECT count(*), min(ended) FROM stories", database=name)

    assert 995 <= left <= 1001
    assert oldest >= 1e9 + 599


def test_deleting_is_in_pieces_and_by_one_at_a_time(
    database, shared, exchange_of, count, monkeypatch
) -> None:
    monkeypatch.setattr(postgres_writing, "CHUNK", 10)
    database.write([row(exchange_of()) for _ in range(300)], [], {})
    young = PostgresDatabase(shared, rule_of(shared, age=3600.0), "pod-2")
    try:
        young.keep_bounds()
        left = count("stories")
        young.keep_bounds()
    finally:
        young.let_go()

    assert (100, 0) == (left, count("stories"))
    assert AGES > clock.wall()
