"""Whatever befalls PostgreSQL, traffic is answered; it is said once, it heals, nothing is doubled.

The patience of the house is scaled: half a second here are its ten.
"""

import asyncio
import contextlib
import os
import subprocess
from collections import Counter

import psycopg
import pytest

from proxy.diagnostics.stories.store import Store
from tests.house.admin import ask, stories
from tests.house.fault_upstream import status
from tests.house.raw_client import eventually, fetch
from tests.house.test_store_faults import ONCE, SOME, UNBROKEN, load
from tests.postgres import Postgres

LONG = 60.0
LINK = "proxy.diagnostics.stories.postgres_link."


@pytest.fixture(autouse=True)
def scaled(monkeypatch):
    monkeypatch.setitem(Store.__init__.__kwdefaults__, "pauses", (0.02,))
    monkeypatch.setitem(Store.__init__.__kwdefaults__, "linger", 0.01)
    monkeypatch.setattr(f"{LINK}PATIENCE", 0.5)
    monkeypatch.setattr(f"{LINK}LOOK_UP", 0.5)
    monkeypatch.setattr(f"{LINK}LOCKED", 0.1)
    monkeypatch.setattr("proxy.diagnostics.service.TICK", 0.02)


def user_of(url: str) -> str:
    return url.partition("//")[2].partition("@")[0]


def settings(url: str, **store: object) -> dict[str, object]:
    return {
        "retry": ONCE, "breaker": UNBROKEN, "instance": "pod-1", "store": {"url": url, **store},
    }  # fmt: skip


def stored(server: Postgres, url: str) -> Counter[str]:
    """How often each ID is there."""
    try:
        rows = server.run("SELECT request_id FROM stories", database=user_of(url))
    except psycopg.errors.UndefinedTable:  # the house has only just started
        return Counter()
    return Counter(row[0] for row in rows)


async def until_stored(server: Postgres, url: str, ids: set[str]) -> None:
    await until_many(server, url, len(ids))
    assert ids == stored(server, url).keys()


async def until_many(server: Postgres, url: str, count: int) -> None:
    async with asyncio.timeout(LONG):
        while (await asyncio.to_thread(stored, server, url)).total() < count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


class Fault:
    def __init__(self, server: Postgres, url: str) -> None:
        self.server, self.url, self.user = server, url, user_of(url)


class Killed(Fault):
    def harm(self) -> None:
        self.server.crash()

    def mend(self) -> None:
        self.server.start()


class Restarted(Fault):
    def harm(self) -> None:
        self.server.stop()

    def mend(self) -> None:
        self.server.start()


class Paused(Fault):
    def harm(self) -> None:
        self.server.pause()

    def mend(self) -> None:
        self.server.resume()


class NoConnectionLeft(Fault):
    def harm(self) -> None:
        self.server.run(f"ALTER ROLE {self.user} CONNECTION LIMIT 0")
        self.server.disconnect(self.user)

    def mend(self) -> None:
        self.server.run(f"ALTER ROLE {self.user} CONNECTION LIMIT -1")


class AllConnectionsTaken(Fault):
    """`max_connections` is reached: others have taken every slot that is not the superuser's."""

    def harm(self) -> None:
        name = f"greedy_{self.user}"
        self.server.run(f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")
        url, self._held = self.server.url("postgres", name), []
        names = ("max_connections", "superuser_reserved_connections")
        most, kept = (int(self.server.run(f"SHOW {name}")[0][0]) for name in names)
        while len(self._held) < most - kept:
            with contextlib.suppress(psycopg.OperationalError):
                self._held.append(psycopg.connect(url))
                continue
            self.server.disconnect(self.user)

    def mend(self) -> None:
        for connection in self._held:
            connection.close()


class Locked(Fault):
    def harm(self) -> None:
        self._holder = psycopg.connect(self.server.url(self.user))
        self._holder.execute("LOCK TABLE stories IN ACCESS EXCLUSIVE MODE")

    def mend(self) -> None:
        self._holder.close()


class PasswordChanged(Fault):
    def harm(self) -> None:
        self.server.run(f"ALTER ROLE {self.user} PASSWORD 'another'")
        self.server.disconnect(self.user)

    def mend(self) -> None:
        self.server.passfile(self.user, "another")


class TablesGone(Fault):
    """Somebody has put an older backup in place."""

    def harm(self) -> None:
        self.server.run("ALTER TABLE stories RENAME TO away", database=self.user)

    def mend(self) -> None:
        self.server.run("ALTER TABLE away RENAME TO stories", database=self.user)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        pytest.param(Killed, "", id="killed"),
        pytest.param(Restarted, "", id="restarted"),
        pytest.param(Paused, "no answer within", id="paused"),
        pytest.param(NoConnectionLeft, "", id="no connection left"),
        pytest.param(AllConnectionsTaken, "remaining connection slots", id="all are taken"),
        pytest.param(Locked, "lock timeout", id="locked"),
        pytest.param(PasswordChanged, "", id="password changed"),
        pytest.param(TablesGone, "exist", id="tables gone"),
    ],
)
async def test_traffic_goes_on_while_the_server_cannot(
    upstream, house, cluster, shared, kind, reason
):
    house = await house(**settings(shared))
    upstream.on("/x", status(500))
    before = await load(house.port, "before", 5)
    await until_stored(cluster, shared, before)
    fault = kind(cluster, shared)
    await asyncio.to_thread(fault.harm)
    try:
        during = await load(house.port, "during")
        await eventually(lambda: house.all("store_failed"), LONG)
        state = house.app.diagnostics.store_state
        await eventually(lambda: reason in str(state()["reason"]), LONG)
        listing = await ask(house.app.admin_port, "/api/requests")
        found = await stories(house.app.admin_port, "during-1")
        unknown = await ask(house.app.admin_port, "/api/requests/of-another")
    finally:
        await asyncio.to_thread(fault.mend)
    await eventually(lambda: house.all("store_healed"), LONG)
    after = await load(house.port, "after", 5)
    ids = before | during | after
    await until_many(cluster, shared, len(ids))
    failed, healed = await house.event("store_failed"), await house.event("store_healed")

    assert 200 == listing.status
    assert 1 == len(found)
    assert 503 == unknown.status
    assert 1 == len(house.all("store_failed"))
    assert failed["reason"]
    assert "during" not in failed["reason"]
    assert f"postgresql://127.0.0.1:{cluster.port}/{user_of(shared)}" == failed["url"]
    assert 0 == healed["dropped"]
    assert dict.fromkeys(ids, 1) == stored(cluster, shared)


async def test_what_finds_no_room_in_the_queue_is_counted(upstream, house, cluster, shared):
    house = await house(**settings(shared, queue=10), alerts={"every": "10ms"})
    upstream.on("/x", status(500))
    before = await load(house.port, "before", 1)
    await until_stored(cluster, shared, before)
    fault = Paused(cluster, shared)
    fault.harm()
    try:
        during = await load(house.port, "during")
        await house.event("alert_raised", rule="store_dropping")
    finally:
        fault.mend()
    dropped = house.app.diagnostics._store.dropped
    await eventually(
        lambda: stored(cluster, shared).total() + dropped.total() == len(before | during), LONG
    )

    assert {"queue_full"} == set(dropped)
    assert 1 <= dropped.total() <= SOME - 10
    assert {1} == set(stored(cluster, shared).values())


async def test_it_ends_in_time_while_the_server_is_silent(upstream, house, cluster, shared):
    house = await house(**settings(shared))
    upstream.on("/x", status(500))
    await until_stored(cluster, shared, await load(house.port, "before", 1))
    fault = Paused(cluster, shared)
    fault.harm()
    try:
        await load(house.port, "during", 5)
        async with asyncio.timeout(30):  # CLOSING is 5 s, and a machine may stand still
            await house.app.stop()
    finally:
        fault.mend()


DROPPED = [
    pytest.param("DROP TABLE stories CASCADE", id="stories"),
    pytest.param("DROP TABLE neighbour_rows, told_alerts, fleet_groups, writers", id="the others"),
    pytest.param("DROP TABLE sidelight_schema", id="the version"),
    pytest.param("DROP OWNED BY {user}; GRANT USAGE, CREATE ON SCHEMA public TO {user}; "
                 "GRANT CONNECT ON DATABASE {user} TO {user}", id="all"),
]  # fmt: skip


@pytest.mark.parametrize("statement", DROPPED)
async def test_tables_that_were_dropped_are_made_again(upstream, house, cluster, shared, statement):
    house = await house(
        **settings(shared), observe={"fields": {"user": {"header": "X-User"}}, "hash_key": None}
    )
    upstream.on("/x", status(500))
    user = user_of(shared)
    for n in range(3):
        await fetch(house.port, "/x", f"X-Request-ID: before-{n}", "X-User: ann")
    await until_many(cluster, shared, 3)
    for each in statement.format(user=user).split("; "):
        await asyncio.to_thread(cluster.run, each, database=user)
    await asyncio.to_thread(cluster.disconnect, user)
    for n in range(3):
        await fetch(house.port, "/x", f"X-Request-ID: after-{n}", "X-User: ann")
    after = {f"after-{n}" for n in range(3)}
    async with asyncio.timeout(LONG):
        while not after <= (await asyncio.to_thread(stored, cluster, shared)).keys():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await eventually(lambda: house.app.diagnostics.store_state()["state"] == "ok", LONG)
    rows = await asyncio.to_thread(
        cluster.run, "SELECT request_id FROM stories JOIN story_fields ON id = story_id "
        "WHERE value = 'ann'", database=user,
    )  # fmt: skip

    assert {} == house.app.diagnostics.store_state()["dropped"]
    assert after <= {row[0] for row in rows}


@pytest.fixture
def disk(cluster, shared):
    made = SmallDisk(cluster, shared)
    yield made
    made.remove()


async def test_a_full_disk_is_survived(upstream, house, cluster, shared, disk):
    house = await house(**settings(shared))
    upstream.on("/x", status(500))
    before = await load(house.port, "before", 1)
    await until_stored(cluster, shared, before)
    await asyncio.to_thread(disk.fill)
    during = await load(house.port, "during", 3 * SOME)
    failed = await house.event("store_failed")
    await asyncio.to_thread(disk.empty)
    await eventually(lambda: house.all("store_healed"), LONG)
    await until_many(cluster, shared, len(before | during))

    assert "No space left" in failed["reason"]
    assert dict.fromkeys(before | during, 1) == stored(cluster, shared)


class SmallDisk:
    """A tmpfs of a few MiB, and the database upon it."""

    def __init__(self, server: Postgres, url: str) -> None:
        self._server, self._name = server, user_of(url)
        self.path = server.home / f"small-{self._name}"
        self.path.mkdir()
        self._as_root("mount", "-t", "tmpfs", "-o", "size=24m,mode=0777", "tmpfs", str(self.path))
        (self.path / "space").mkdir(mode=0o700)
        server.own(self.path / "space")
        server.run(f"CREATE TABLESPACE small LOCATION '{self.path}/space'")
        server.run(f"ALTER DATABASE {self._name} SET TABLESPACE small")

    def fill(self) -> None:
        with (self.path / "filler").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                return

    def empty(self) -> None:
        (self.path / "filler").unlink()

    def remove(self) -> None:
        self._server.run(f"DROP DATABASE {self._name} WITH (FORCE)")
        self._server.run("DROP TABLESPACE small")
        self._as_root("umount", str(self.path))

    def _as_root(self, *command: str) -> None:
        root = () if os.geteuid() == 0 else ("sudo", "-n")
        made = subprocess.run((*root, *command), capture_output=True, text=True)
        if made.returncode == 0:
            return
        message = f"{' '.join(command)} needs root: {made.stderr}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
