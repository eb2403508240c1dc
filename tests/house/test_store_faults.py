"""Whatever befalls the store's file, traffic is answered; it is said once, and it heals.

The store's pauses are scaled: 20 ms here are the seconds of the house.
"""

import resource
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from proxy.diagnostics.stories.store import Store
from tests.house.admin import ask, listed, stories
from tests.house.fault_upstream import status
from tests.house.raw_client import eventually, fetch

ONCE = {"attempts": 1}
UNBROKEN = {"enabled": False}
SOME = 40


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Where the store is; what waits for the disk waits not long."""
    monkeypatch.setitem(Store.__init__.__kwdefaults__, "pauses", (0.02,))
    monkeypatch.setitem(Store.__init__.__kwdefaults__, "linger", 0.01)
    monkeypatch.setattr("proxy.diagnostics.stories.files.BUSY", 0.05)
    monkeypatch.setattr("proxy.diagnostics.service.TICK", 0.02)
    return tmp_path / "store" / "stories.db"


def stored(path: Path) -> set[str]:
    """IDs in the file."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return {row[0] for row in connection.execute("SELECT request_id FROM stories")}
    except sqlite3.Error:
        return set()


async def load(port: int, mark: str, count: int = SOME) -> set[str]:
    """Failing exchanges, one after the other, each of which is answered; their IDs.

    One that waited until the store works would wait for ever: it is mended afterwards.
    """
    ids = {f"{mark}-{number}" for number in range(count)}
    for reference in sorted(ids):
        answer = await fetch(port, "/x", f"X-Request-ID: {reference}")

        assert (500, reference) == (answer.status, answer.header("X-Request-ID"))
    return ids


def settings(path: Path, **store: object) -> dict[str, object]:
    return {"retry": ONCE, "breaker": UNBROKEN, "store": {"path": str(path), **store}}


class Locked:
    """Another process holds the file."""

    def harm(self, path: Path) -> None:
        self._holder = sqlite3.connect(path, isolation_level=None)
        self._holder.execute("BEGIN EXCLUSIVE")

    def mend(self, path: Path) -> None:
        self._holder.execute("ROLLBACK")
        self._holder.close()


class Replaced:
    """A directory stands where the file was: it cannot be opened, by nobody."""

    def harm(self, path: Path) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        path.mkdir()

    def mend(self, path: Path) -> None:
        path.rmdir()


class Unreachable:
    """A file stands where the directory was."""

    def harm(self, path: Path) -> None:
        path.parent.rename(path.parent.with_name("away"))
        path.parent.write_bytes(b"")

    def mend(self, path: Path) -> None:
        path.parent.unlink()
        path.parent.with_name("away").rename(path.parent)


@pytest.mark.parametrize(
    ("harm", "kept"),
    [
        pytest.param(Locked, True, id="locked"),
        pytest.param(Replaced, False, id="replaced"),
        pytest.param(Unreachable, True, id="unreachable"),
    ],
)
async def test_traffic_goes_on_while_the_store_cannot(upstream, house, path, harm, kept):
    house = await house(**settings(path))
    upstream.on("/x", status(500))
    before = await load(house.port, "before", 5)
    await eventually(lambda: before <= stored(path))
    fault = harm()
    fault.harm(path)
    during = await load(house.port, "during")
    await eventually(lambda: house.all("store_failed"))
    listing = await ask(house.app.admin_port, "/api/requests")
    found = await stories(house.app.admin_port, "during-1")
    fault.mend(path)
    await eventually(lambda: house.all("store_healed"))
    after = await load(house.port, "after", 5)
    await eventually(lambda: during | after <= stored(path))
    told = await house.event("store_healed")
    failed = await house.event("store_failed")

    assert 200 == listing.status
    assert 1 == len(found)
    assert ("ERROR", "INFO") == (failed["level"], told["level"])
    assert failed["reason"]
    assert "during" not in failed["reason"]
    assert 0 == told["dropped"]
    assert not kept or before <= stored(path)


def corrupt(path: Path) -> None:
    for suffix in ("", "-wal"):
        Path(f"{path}{suffix}").write_bytes(b"no database at all" * 1000)


async def test_a_corrupt_file_is_set_aside_and_begun_anew(upstream, house, path):
    house = await house(**settings(path))
    upstream.on("/x", status(500))
    before = await load(house.port, "before", 5)
    await eventually(lambda: before <= stored(path))
    corrupt(path)
    during = await load(house.port, "during")
    assert SOME + 5 == len(await listed(house.app.admin_port))
    after = await load(house.port, "after", 1)
    await eventually(lambda: house.all("store_healed"))
    await eventually(lambda: after <= stored(path))

    assert 1 == len(house.all("store_failed"))
    assert 1 == len(house.all("store_healed"))
    assert path.with_name("stories.db.corrupt").exists()
    assert all([await stories(house.app.admin_port, reference) for reference in before | during])


async def test_what_finds_no_room_is_counted_and_an_alert(upstream, house, path):
    house = await house(**settings(path, queue=10), alerts={"every": "10ms"})
    upstream.on("/x", status(500))
    await load(house.port, "before", 1)
    await eventually(lambda: stored(path))
    fault = Locked()
    fault.harm(path)
    await load(house.port, "during")
    await house.event("alert_raised", rule="store_dropping")
    await house.event("store_failed")
    metrics = (await house.admin("/metrics")).body.decode().splitlines()
    fault.mend(path)
    await eventually(lambda: house.all("store_healed"))
    lines = [line for line in metrics if line.startswith("sidelight_store_dropped_total{")]
    dropped = {line.partition(" ")[0]: float(line.partition(" ")[2]) for line in lines}

    lost = {line for line, n in dropped.items() if n}
    assert {'sidelight_store_dropped_total{cause="queue_full"}'} == lost
    assert 1 <= sum(dropped.values()) <= SOME - 10
    assert sum(dropped.values()) == (await house.event("store_healed"))["dropped"]


async def test_a_full_disk_is_survived_and_the_process_writes_on_when_there_is_room(
    upstream, process, tmp_path
):
    path = tmp_path / "stories.db"
    running = await process(**settings(path))
    upstream.on("/x", status(500))
    await eventually(path.exists)
    limit(running, path, 100_000)
    ids = await load(running.port, "full", 100)
    await eventually(lambda: running.events("store_failed"))
    limit(running, path, resource.RLIM_INFINITY)
    await eventually(lambda: running.events("store_healed"), 15)
    await eventually(lambda: ids <= stored(path))
    failed, healed = running.events("store_failed"), running.events("store_healed")
    told = [event["event"] for event in sorted(failed + healed, key=lambda each: each["timestamp"])]

    # each time once; a small piece may fit between two that do not
    assert ["store_failed", "store_healed"] * len(failed) == told
    assert all(0 == event["dropped"] for event in healed)


def limit(running, path: Path, room: int) -> None:
    """No file of that process may grow beyond what the store's have now, and `room`."""
    if room != resource.RLIM_INFINITY:
        room += path.stat().st_size
    pid = running.process.pid
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))


async def test_a_story_and_its_error_survive_a_restart(upstream, house, path):
    first = await house(**settings(path, sample=1))
    upstream.on("/x", status(500))
    await load(first.port, "old", 3)
    well = (await first.fetch("/well")).header("X-Request-ID")
    (before,) = await stories(first.app.admin_port, "old-1")
    await first.app.stop()
    second = await house(**settings(path))
    (after,) = await stories(second.app.admin_port, "old-1")
    await eventually(lambda: second.app.diagnostics.errors(0)["groups"])
    (group,) = (await ask(second.app.admin_port, "/api/errors")).json()["groups"]
    (whole,) = await stories(second.app.admin_port, well)

    assert before == after
    assert "completed" == whole["code"]
    assert (3, "upstream_error") == (group["total"], group["code"])
    assert {"old-0", "old-1", "old-2"} == set(group["samples"])


async def test_a_store_that_never_worked_harms_nobody(upstream, house, path):
    path.parent.write_bytes(b"in the way")
    house = await house(**settings(path))
    upstream.on("/x", status(500))
    await load(house.port, "x", 10)
    await house.event("store_failed")
    found = (await ask(house.app.admin_port, "/api/requests/x-1")).json()
    path.parent.unlink()
    await eventually(lambda: len(stored(path)) == 10)
    await house.event("store_healed")

    assert ("failing", 1) == (found["store"], len(found["stories"]))
