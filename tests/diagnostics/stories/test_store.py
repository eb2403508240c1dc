"""The store keeps what it is given; whatever happens to its file touches nobody, is said once, and
heals."""

import contextlib
import hashlib
import itertools
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from math import nan

import pytest

from proxy.diagnostics.errors.groups import Groups
from proxy.diagnostics.stories import files
from proxy.diagnostics.stories.database import StoryDatabase
from proxy.diagnostics.stories.query import Query
from proxy.diagnostics.stories.reading import Reader
from proxy.diagnostics.stories.rules import StoreRule
from proxy.diagnostics.stories.store import Store

WAIT = 5.0
AGES = 1e10
"""The exchanges of these tests ended long ago."""


class Ear:
    """Hears the events, from any thread."""

    def __init__(self):
        self.said = []

    def __call__(self, event, level, fields):
        self.said.append((event, level, dict(fields)))

    @property
    def events(self):
        return [event for event, _, _ in self.said]


@pytest.fixture
def ear():
    return Ear()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "stories.db"


@pytest.fixture
def open_store(path, ear):
    """Stores that are closed at the end; they try again at once."""
    made = []

    def make(start=True, **knobs):
        rule = StoreRule(**{"path": str(path), "age": AGES, **knobs})
        database, reader = StoryDatabase(path, rule), Reader(files.open_for_reading(path))
        store = Store(database, reader, rule, ear, worker=1, linger=0.0, pauses=(0.02,))
        made.append(store)
        if start:
            store.start()
        return store

    yield make
    for store in made:
        store.close(WAIT)


def until(is_so):
    """Wait for another thread, at most `WAIT` seconds."""
    end = time.monotonic() + WAIT
    while not is_so():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def is_kept(store, request_id):
    return lambda: bool(store.find(request_id))


@contextlib.contextmanager
def database(path):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def test_what_was_put_is_found_after_a_restart(open_store, exchange_of) -> None:
    first = open_store()
    first.put([exchange_of("upstream_reset", config_hash="c0ffee")])

    assert first.close(WAIT)
    assert [(s["code"], s["config_hash"], s["worker"]) for s in open_store().find("id-1")] == [
        ("upstream_reset", "c0ffee", 1)
    ]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077], ids=oct)
def test_nobody_else_may_read_the_store(umask, path, open_store, exchange_of) -> None:
    """Nor its directory, nor what SQLite puts beside it, nor one that an older version left."""
    before = os.umask(umask)
    try:
        store = open_store()
        store.put([exchange_of()])
        until(is_kept(store, "id-1"))
        beside = {file.name: rights(file) for file in path.parent.iterdir()}
    finally:
        os.umask(before)

    assert {"stories.db", "stories.db-wal", "stories.db-shm"} == set(beside)
    assert {0o600} == set(beside.values())
    assert 0o700 == rights(path.parent)


def test_a_store_that_others_could_read_is_closed_to_them(path, open_store, exchange_of) -> None:
    path.parent.mkdir()
    with database(path) as older:
        older.execute("PRAGMA journal_mode=WAL")
        older.execute("CREATE TABLE x (y)")
        for file in path.parent.iterdir():
            file.chmod(0o644)
        store = open_store()
        store.put([exchange_of()])
        until(is_kept(store, "id-1"))

        assert {0o600} == {rights(file) for file in path.parent.iterdir()}


def rights(file):
    return stat.S_IMODE(file.stat().st_mode)


def test_an_id_that_came_twice_brings_both_newest_first(open_store, exchange_of) -> None:
    store = open_store()
    store.put([exchange_of(), exchange_of("upstream_reset")])
    until(lambda: len(store.find("id-1") or ()) == 2)

    assert [story["code"] for story in store.find("id-1")] == ["upstream_reset", "completed"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        (Query(), ["c", "b", "a"]),
        (Query(limit=1), ["c"]),
        (Query(code="upstream_reset"), ["b"]),
        (Query(route="rest"), ["c"]),
        (Query(status=502), ["b"]),
        (Query(since=1e9 + 1), ["c", "b"]),
        (Query(until=1e9 + 2), ["b", "a"]),
        (Query(fields={"user": "u1"}), ["c", "a"]),
        (Query(fields={"user": "u1", "tenant": "t"}), ["c"]),
    ],
)
def test_a_search_takes_what_was_asked_for(open_store, exchange_of, query, ids) -> None:
    store = open_store()
    store.put(
        [
            exchange_of(request_id="a", ended=10.5, fields={"user": "u1"}),
            exchange_of("upstream_reset", request_id="b", ended=12.0, status=502),
            exchange_of(
                request_id="c", ended=13.0, route="rest", fields={"user": "u1", "tenant": "t"}
            ),
        ]
    )
    until(is_kept(store, "c"))

    assert [story["request_id"] for story in store.search(query)] == ids


def test_a_batch_is_written_wholly_or_not_at_all(open_store, exchange_of, path) -> None:
    """The second insert fails; of the first nothing may remain."""
    store = open_store()
    until(path.exists)
    store.put([exchange_of(request_id="first")])
    until(is_kept(store, "first"))
    with database(path) as db:
        db.execute("ALTER TABLE story_fields RENAME TO hidden")
    store.put([exchange_of(request_id="a"), exchange_of(request_id="b", fields={"user": "u"})])
    until(lambda: store.failing)

    assert store.find("a") == []

    with database(path) as db:
        db.execute("ALTER TABLE hidden RENAME TO story_fields")
    until(is_kept(store, "b"))
    assert len(store.find("a")) == 1


def test_a_full_queue_drops_and_counts(open_store, exchange_of) -> None:
    store = open_store(start=False, queue=2)
    store.put([exchange_of()] * 5)

    assert (store.queued, store.dropped["queue_full"]) == (2, 3)


def test_a_story_that_cannot_be_told_does_not_stop_the_rest(open_store, exchange_of) -> None:
    store = open_store()
    store.put([exchange_of(ended=nan), exchange_of(request_id="good")])
    until(is_kept(store, "good"))

    assert store.dropped == {"rejected": 1}


def test_a_fault_of_ours_is_said_once_and_the_thread_goes_on(
    open_store, exchange_of, ear, path, monkeypatch
) -> None:
    """What was to be written then is lost and counted; the database may have nothing of it."""
    store = open_store()
    real, without = store.database.write, []
    until(lambda: store.database.restored is not None)

    def faulty(rows, groups, usual):
        if rows:
            raise ZeroDivisionError("a user's secret")
        without.append(None)
        return real(rows, groups, usual)

    monkeypatch.setattr(store.database, "write", faulty)
    store.put([exchange_of(request_id="a")])
    until(lambda: store.dropped["rejected"] == 1)
    until(lambda: store.failing)
    without.clear()
    store.put_usual({})  # there is nothing to be written: that shows nothing
    until(lambda: without)
    waits, wait = [], store._closing.wait

    def waited(pause):
        waits.append(pause)
        return wait(pause)

    monkeypatch.setattr(store._closing, "wait", waited)
    store.put([exchange_of(request_id="b")])
    until(lambda: store.dropped["rejected"] == 2)
    until(lambda: 0.02 in waits)  # what comes with every story does not open it for each
    said = ear.said[0][2]
    monkeypatch.setattr(store.database, "write", real)
    store.put([exchange_of(request_id="after")])
    until(is_kept(store, "after"))
    until(lambda: store.failing is None)

    assert ["store_failed", "store_healed"] == ear.events
    assert said["reason"].startswith("a fault of ours: ZeroDivisionError at test_store.py:")
    assert "secret" not in said["reason"]
    assert 2 == ear.said[1][2]["dropped"]


def test_a_fault_in_making_a_story_does_not_stop_the_rest(open_store, exchange_of) -> None:
    store = open_store(start=False)
    real = store._complete

    def faulty(x):
        if x.request_id == "bad":
            raise ZeroDivisionError
        real(x)

    store._complete = faulty
    store.start()
    store.put([exchange_of(request_id="bad"), exchange_of(request_id="good")])
    until(is_kept(store, "good"))

    assert store.dropped == {"rejected": 1}


def test_a_locked_file_is_said_once_and_loses_nothing(
    open_store, exchange_of, path, ear, monkeypatch
) -> None:
    monkeypatch.setattr("proxy.diagnostics.stories.files.BUSY", 0.01)
    store = open_store()
    store.put([exchange_of()])
    until(is_kept(store, "id-1"))
    with database(path) as db:
        db.execute("BEGIN IMMEDIATE")
        store.put([exchange_of(request_id="during")])
        until(lambda: store.failing)
        time.sleep(0.1)  # several tries
        db.execute("ROLLBACK")
    until(is_kept(store, "during"))
    until(lambda: store.failing is None)

    assert ear.events == ["store_failed", "store_healed"]
    assert ear.said[0][1:] == ("error", {"reason": "database is locked", "path": str(path)})
    assert ear.said[1][2]["dropped"] == 0


@pytest.mark.parametrize(
    "garbage", [b"not a database" * 500, b"SQLite format 3\0" + b"\xff" * 8000]
)
def test_a_corrupt_file_is_set_aside_and_begun_anew(
    open_store, exchange_of, path, ear, garbage
) -> None:
    path.parent.mkdir()
    path.write_bytes(garbage)
    store = open_store()
    store.put([exchange_of()])
    until(is_kept(store, "id-1"))
    until(lambda: store.failing is None)

    assert path.with_name("stories.db.corrupt").read_bytes() == garbage
    assert ear.events == ["store_failed", "store_healed"]


def test_a_reader_that_finds_the_file_broken_has_it_begun_anew(
    open_store, exchange_of, path, ear
) -> None:
    """Its writer would go on for long: it holds in memory all that it needs."""
    store = open_store()
    store.put([exchange_of()])
    until(is_kept(store, "id-1"))
    for name in ("", "-wal"):
        path.with_name(path.name + name).write_bytes(b"no database")
    until(lambda: store.find("id-1") is not None)
    until(lambda: store.failing is None)

    assert ear.events == ["store_failed", "store_healed"]


def test_another_file_in_its_place_is_opened(open_store, exchange_of, path) -> None:
    store = open_store()
    store.put([exchange_of()])
    until(is_kept(store, "id-1"))
    for name in ("", "-wal", "-shm"):
        path.with_name(path.name + name).rename(path.with_name("old" + name))
    path.touch()
    store.put([exchange_of(request_id="id-2")])

    until(is_kept(store, "id-2"))


def test_to_be_opened_can_be_waited_for(open_store) -> None:
    store = open_store()
    store.opened(WAIT)

    assert store.database.restored == []


def test_a_file_corrupted_under_load_is_begun_anew(
    open_store, exchange_of, path, ear, monkeypatch
) -> None:
    """SQLite notices when it next reads a page that it does not hold in memory."""
    monkeypatch.setattr(files, "WRITING", [*files.WRITING, "PRAGMA cache_size=2"])
    store = open_store()
    number = itertools.count()

    def load(n):
        ids = (hashlib.sha256(b"%d" % next(number)).hexdigest() for _ in range(n))
        store.put([exchange_of(request_id=name, target="/" + "x" * 1500) for name in ids])

    load(300)
    store.put([exchange_of(request_id="last")])
    until(is_kept(store, "last"))
    for name in ("", "-wal"):
        file = path.with_name(path.name + name)
        file.write_bytes(b"\xff" * file.stat().st_size)
    load(100)
    until(lambda: ear.events and store.failing is None)
    store.put([exchange_of(request_id="after")])
    until(is_kept(store, "after"))

    assert ear.events == ["store_failed", "store_healed"]


def test_a_file_that_was_taken_away_is_made_again(open_store, exchange_of, path) -> None:
    store = open_store()
    store.put([exchange_of()])
    until(is_kept(store, "id-1"))
    for name in ("", "-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)
    store.put([exchange_of(request_id="after")])
    until(is_kept(store, "after"))

    assert store.database.renewals == 1


def test_a_path_that_cannot_be_written_heals_when_it_can(
    open_store, exchange_of, path, ear
) -> None:
    """A file stands where the directory should be."""
    path.parent.write_text("in the way")
    store = open_store()
    store.put([exchange_of()])
    until(lambda: store.failing)
    assert store.find("id-1") is None

    path.parent.unlink()
    until(is_kept(store, "id-1"))
    until(lambda: store.failing is None)
    assert ear.events == ["store_failed", "store_healed"]


def test_a_file_that_may_not_be_written_heals_when_it_may(
    open_store, exchange_of, path, ear, monkeypatch
) -> None:
    """By the database's own switch, since a test may run as root, whom no mode bits stop."""
    writing = list(files.WRITING)
    monkeypatch.setattr(files, "WRITING", [*writing, "PRAGMA query_only=ON"])
    store = open_store()
    store.put([exchange_of()])
    until(lambda: store.failing)
    monkeypatch.setattr(files, "WRITING", writing)
    until(is_kept(store, "id-1"))
    until(lambda: store.failing is None)

    assert ear.said[0][2]["reason"] == "attempt to write a readonly database"
    assert ear.events == ["store_failed", "store_healed"]


FULL = """
import resource, sys, threading, time
from pathlib import Path
from proxy.exchange import Exchange
from proxy.outcome import OUTCOMES
from proxy.diagnostics.stories.database import StoryDatabase
from proxy.diagnostics.stories.files import open_for_reading
from proxy.diagnostics.stories.reading import Reader
from proxy.diagnostics.stories.rules import StoreRule
from proxy.diagnostics.stories.store import Store

said = []
path = Path(sys.argv[1])
rule = StoreRule(path=str(path), age=1e10)
store = Store(StoryDatabase(path, rule), Reader(open_for_reading(path)), rule,
              lambda e, l, f: said.append((e, dict(f))),
              linger=0.0, pauses=(0.02,))
def put(name, n=1):
    store.put([ended(name) for _ in range(n)])
def ended(name):
    x = Exchange(1.0, 1e9, "GET", "/" + "x" * 1500, "h")
    x.request_id, x.outcome, x.ended = name, OUTCOMES["bad_request"], 2.0
    return x
def until(so):
    end = time.monotonic() + 10
    while not so():
        assert time.monotonic() < end, (said, store.failing)
        time.sleep(0.01)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store.start()
put("many", 400)
until(lambda: store.failing)
put("during")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
until(lambda: store.find("during"))
until(lambda: store.failing is None)
assert [e for e, _ in said] == ["store_failed", "store_healed"], said
assert not store.dropped, store.dropped
assert store.close(5.0)
"""


def test_a_full_disk_is_said_once_and_loses_nothing(path, tmp_path) -> None:
    """In a process of its own, whose files may not grow."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_store_of_a_newer_version_is_left_alone(open_store, exchange_of, path, ear) -> None:
    store = open_store()
    store.put([exchange_of()])
    until(is_kept(store, "id-1"))
    store.close(WAIT)
    with database(path) as db:
        db.execute("UPDATE sidelight_schema SET version = 99")
    newer = open_store()
    newer.put([exchange_of(request_id="x")])
    until(lambda: newer.failing)

    assert newer.failing == "written by a newer Sidelight (schema version 99)"
    assert newer.find("x") == []


def test_closing_does_not_wait_for_a_store_that_fails(open_store, exchange_of, path) -> None:
    path.parent.write_text("in the way")
    store = open_store()
    store.put([exchange_of()])
    until(lambda: store.failing)
    store.close(WAIT)

    assert store.dropped["closing"] == 1


def test_putting_never_waits_for_the_database(open_store, exchange_of, path) -> None:
    """Whatever the thread is doing."""
    path.parent.write_text("in the way")
    store = open_store(queue=100)
    began = time.monotonic()
    for _ in range(100):
        store.put([exchange_of()] * 10)

    assert time.monotonic() - began < 1.0
    assert store.queued <= 100
    assert threading.active_count() < 50


def test_old_stories_are_deleted(open_store, exchange_of, monkeypatch) -> None:
    monkeypatch.setattr("proxy.diagnostics.stories.database.PRUNE", 0.0)
    now = time.time()
    store = open_store(age=3600.0)
    old = exchange_of(request_id="old", started_wall=now - 3700, fields={"user": "u"})
    store.put([old, exchange_of(request_id="new", started_wall=now)])
    until(is_kept(store, "new"))
    store.put([exchange_of(request_id="newer", started_wall=now)])
    until(is_kept(store, "newer"))

    assert store.find("old") == []
    assert store.search(Query(fields={"user": "u"})) == []


def test_the_oldest_are_deleted_where_there_is_no_more_room(open_store, exchange_of, path) -> None:
    store = open_store(size=1024 * 1024)
    now = time.time()
    for n in range(12):
        batch = [
            exchange_of(request_id=f"{n}", started_wall=now, target="/" + "x" * 1000)
            for _ in range(100)
        ]
        store.put(batch)
        until(is_kept(store, str(n)))

    until(lambda: store.find("0") == [])
    assert len(store.find("11")) == 100
    assert path.stat().st_size < 3 * 1024 * 1024


def test_groups_of_errors_survive_a_restart(open_store, exchange_of) -> None:
    groups = Groups()
    groups.add(exchange_of("upstream_reset"))
    first = open_store()
    first.put_groups(groups.unsaved())
    assert first.close(WAIT)

    second = open_store()
    until(lambda: second.database.restored is not None)
    assert second.database.restored == groups.newest_first()


def test_a_group_that_was_saved_again_takes_the_place_of_the_old(open_store, exchange_of) -> None:
    groups = Groups()
    store = open_store()
    for _ in range(3):
        groups.add(exchange_of("upstream_reset"))
        store.put_groups(groups.unsaved())
    assert store.close(WAIT)

    again = open_store()
    until(lambda: again.database.restored is not None)
    assert [group.total for group in again.database.restored] == [3]


def test_what_no_column_knows_is_looked_for_inside_the_stories(
    path, open_store, exchange_of
) -> None:
    """And a row that is no story of ours costs no other."""
    store = open_store()
    store.put([exchange_of(request_id="id-1", user_agent="Widget/1")])
    store.put([exchange_of(request_id="id-2", user_agent="curl/8")])
    until(is_kept(store, "id-2"))
    with database(path) as connection:
        connection.execute("UPDATE stories SET body = 'no story' WHERE request_id = 'id-2'")

    assert ["id-1"] == [story["request_id"] for story in store.search(Query(agent="widget"))]
    assert [] == store.search(Query(agent="curl"))
    assert [] == store.find("id-2")
