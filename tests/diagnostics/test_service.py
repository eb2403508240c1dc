"""The desk answers for memory and store together, and is told by nobody but the observer."""

import asyncio
import builtins
import sqlite3
import subprocess
import sys
import time

import pytest

from proxy.diagnostics.alerts.rules import AlertsRule
from proxy.diagnostics.rules import DiagnosticsRules
from proxy.diagnostics.service import Diagnostics
from proxy.diagnostics.stories.opening import StoreMissingError
from proxy.diagnostics.stories.query import Query
from proxy.diagnostics.stories.rules import StoreRule, StoriesRule
from proxy.observation.fault import fault_of
from tests.records import attempt

WALL = 1e9 + 100
AGES = 1e10
"""The exchanges of these tests ended long ago."""
SAMPLED, UNSAMPLED = "good-2", "good-0"
"""Of a sample of one half."""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "stories.db"


@pytest.fixture
async def make_desk(path):
    desks = []

    def make(*, store=False, sample=1.0, queue=100, **knobs):
        rule = StoreRule(path=str(path) if store else None, sample=sample, age=AGES, queue=queue)
        rules = DiagnosticsRules(StoriesRule(), rule, AlertsRule(**knobs))
        said = []
        desk = Diagnostics(
            rules,
            tell=lambda event, _, fields: said.append((event, fields)),
        )
        desk.said = said  # type: ignore[attr-defined]
        desks.append(desk)
        return desk

    yield make
    for desk in desks:
        await desk.stop()


async def until(is_so):
    async with asyncio.timeout(5):
        while not await is_so():  # noqa: ASYNC110  # of another thread
            await asyncio.sleep(0.01)


def desk_is_open(desk):
    async def is_so():
        return desk._store.database.restored is not None

    return is_so


def stored(desk, request_id):
    async def is_so():
        return bool(await asyncio.to_thread(desk._store.find, request_id))

    return is_so


async def test_without_a_store_memory_answers(make_desk, exchange_of) -> None:
    desk = make_desk()
    desk.closed([exchange_of(config_hash="c0ffee"), exchange_of(request_id="id-2")])

    found = await desk.story("id-1")
    assert (found.store, [s["config_hash"] for s in found.stories]) == ("off", ["c0ffee"])
    assert len((await desk.stories(Query())).stories) == 2
    assert desk.store_state()["state"] == "off"


async def test_memory_and_store_answer_together_without_doubles(make_desk, exchange_of) -> None:
    first = make_desk(store=True)
    await first.start()
    first.closed([exchange_of(ended=11.0)])
    await first.stop()
    desk = make_desk(store=True)
    await desk.start()
    desk.closed([exchange_of(ended=12.0)])
    await until(stored(desk, "id-1"))

    found = await desk.story("id-1")
    assert [story["ended"] for story in found.stories] == [1e9 + 2, 1e9 + 1]
    assert found.store == "ok"
    assert len((await desk.stories(Query(limit=1))).stories) == 1


async def test_what_somebody_may_ask_for_is_stored_and_a_sample_of_the_rest(
    make_desk, exchange_of
) -> None:
    desk = make_desk(store=True, sample=0.5)
    await desk.start()
    desk.closed(
        [
            exchange_of(request_id=UNSAMPLED),
            exchange_of(request_id=SAMPLED),
            exchange_of("upstream_error", request_id="theirs", upstream_status=404),
            exchange_of("rate_limited", request_id="refused"),
            exchange_of(request_id="slow", ended=13.0),
            exchange_of(request_id="retried", attempts=[attempt(), attempt()]),
            exchange_of("upstream_reset", request_id="lost"),
        ]
    )
    await until(stored(desk, "lost"))

    summaries = await asyncio.to_thread(desk._store.search, Query())
    kept = {"theirs", "refused", "slow", "retried", "lost", SAMPLED}
    assert {story["request_id"] for story in summaries} == kept
    assert (await desk.story(UNSAMPLED)).stories


async def test_a_restart_loses_nothing_that_the_store_has_room_for(make_desk, exchange_of) -> None:
    first = make_desk(store=True, sample=0.0)
    await first.start()
    first.closed([exchange_of(request_id="good"), exchange_of("upstream_reset", request_id="bad")])
    await first.stop()
    desk = make_desk(store=True)
    await desk.start()

    for request_id in ("good", "bad"):
        assert len((await desk.story(request_id)).stories) == 1


async def test_what_is_usual_outlives_a_restart(make_desk, exchange_of) -> None:
    first = make_desk(store=True)
    await first.start()
    first.closed([exchange_of()])
    await first.stop()
    desk = make_desk(store=True)
    await desk.start()
    await until(desk_is_open(desk))

    assert list(desk._store.database.usual) == ["chat"]


async def test_what_the_store_queues_no_room_for_is_left_and_not_counted_as_lost(
    make_desk, exchange_of
) -> None:
    desk = make_desk(store=True, sample=0.0, queue=2)
    await desk.start()
    await until(desk_is_open(desk))
    desk.closed([exchange_of(request_id=f"good-{n}", ended=11.0 + n / 10) for n in range(5)])
    await desk.stop()
    found = await asyncio.to_thread(desk._store.search, Query())

    assert [story["request_id"] for story in found] == ["good-4", "good-3"]
    assert desk.store_state()["dropped"] == {}


async def test_a_store_that_cannot_be_read_leaves_what_is_in_memory(
    make_desk, exchange_of, path
) -> None:
    path.mkdir()
    desk = make_desk(store=True)
    desk.closed([exchange_of()])

    found = await desk.story("id-1")
    assert (found.store, len(found.stories)) == ("failing", 1)


async def test_a_locked_store_holds_up_nobody(make_desk, exchange_of, path, monkeypatch) -> None:
    monkeypatch.setattr("proxy.diagnostics.stories.files.BUSY", 30.0)  # seconds, for whoever waits
    desk = make_desk(store=True)
    await desk.start()
    desk.closed([exchange_of()])
    await until(stored(desk, "id-1"))
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    for _ in range(100):
        desk.closed([exchange_of("upstream_reset")] * 10)
    took = time.monotonic() - began
    lock.close()

    assert took < 10


async def test_errors_are_grouped_and_survive_a_restart(make_desk, exchange_of) -> None:
    first = make_desk(store=True)
    await first.start()
    await until(lambda: asyncio.sleep(0, first._store.database.restored is not None))
    first.closed([exchange_of("upstream_reset")])
    await first.stop()
    desk = make_desk(store=True)
    await desk.start()
    await until(lambda: asyncio.sleep(0, desk._store.database.restored is not None))
    desk.closed([exchange_of("upstream_reset")])
    desk.tick(0.0, WALL)

    (group,) = desk.errors(WALL)["groups"]
    assert (group["code"], group["total"]) == ("upstream_reset", 2)
    assert desk.errors(WALL)["summary"]["last_24h"]["error"] == 2
    assert desk.error(group["fingerprint"], WALL) == group
    assert desk.error("unknown", WALL) is None


async def test_a_fault_keeps_its_place_and_trace_but_not_its_frames(make_desk, exchange_of) -> None:
    desk = make_desk()
    try:
        raise KeyError("a user's secret")
    except KeyError as fault:
        desk.closed([exchange_of("internal_error", fault=fault_of(fault))])

    (story,) = (await desk.story("id-1")).stories
    assert story["fault"].startswith("KeyError at test_service.py:")
    (group,) = desk.errors(WALL)["groups"]
    assert desk.error(group["fingerprint"], WALL)["trace"].endswith("KeyError")


async def test_alerts_are_raised_logged_and_counted(make_desk, exchange_of) -> None:
    desk = make_desk()
    desk.closed([exchange_of("internal_error")])
    desk.tick(20.0, WALL)

    assert [alert["rule"] for alert in desk.alerts(WALL)] == ["critical_errors"]
    assert desk.said[0][0] == "alert_raised"
    assert list(desk.readings()) == [("sidelight_alerts_total", ("critical_errors", "logged"), 1)]
    assert desk.silence("critical_errors", WALL + 10)


async def test_dropped_stories_are_counted_and_raise_an_alert(make_desk, exchange_of) -> None:
    desk = make_desk(store=True)
    desk.tick(0.0, WALL)
    desk._store.dropped["queue_full"] += 3
    desk.tick(10.0, WALL)

    assert ("sidelight_store_dropped_total", ("queue_full",), 3) in list(desk.readings())
    assert [alert["summary"] for alert in desk.alerts(WALL)] == ["3 stories lost"]
    assert desk.store_state() == {
        "state": "ok",
        "reason": None,
        "dropped": {"queue_full": 3},
        "queued": 0,
    }


async def test_other_fields_of_the_team_are_taken_with_other_rules(make_desk) -> None:
    desk = make_desk()
    desk.take(DiagnosticsRules(StoriesRule(), StoreRule(), AlertsRule(), own_fields=("user",)), ())
    desk._desk.settle()

    assert ("user",) == desk._desk._maker.own


async def test_a_test_of_alerts_names_nobody_where_there_is_nobody(make_desk) -> None:
    assert await make_desk().alert_test() == []


@pytest.mark.parametrize(
    ("library", "store", "remedy"),
    [
        ("sqlalchemy", {"path": "/nowhere"}, r"store\.path is set.*pip install '\.\[store\]'"),
        ("sqlalchemy", {"url": "postgresql://db/s"}, r"pip install '\.\[postgres\]'"),
        ("psycopg", {"url": "postgresql://db/s"}, r"needs psycopg.*pip install '\.\[postgres\]'"),
    ],
)
def test_a_store_without_its_library_says_what_to_install(
    library, store, remedy, monkeypatch
) -> None:
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith(library):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest)

    for name in [n for n in sys.modules if n.startswith("proxy.diagnostics.stories.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    rule = StoreRule.model_validate(store)
    rules = DiagnosticsRules(StoriesRule(), rule, AlertsRule())

    with pytest.raises(StoreMissingError, match=remedy):
        Diagnostics(rules, tell=lambda *_: None)


def test_importing_the_desk_does_not_import_the_library() -> None:
    code = "import sys, proxy.diagnostics.service; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
