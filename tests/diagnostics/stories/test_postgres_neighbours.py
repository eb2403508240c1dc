"""Instances publish rows to each other where one of them has trouble, and no longer than needed."""

import pytest
from sqlalchemy import text

from proxy import clock
from proxy.diagnostics.neighbours.published import RecentRows
from proxy.diagnostics.neighbours.rows import RowMaker
from proxy.diagnostics.stories import postgres_neighbours
from proxy.diagnostics.stories.postgres_link import engine_for_writing
from proxy.diagnostics.stories.postgres_neighbours import (
    CHUNK,
    NeighbourPublisher,
    delete_slots,
    read_slots,
)
from proxy.diagnostics.stories.postgres_tables import migrate_shared


@pytest.fixture
def engine(shared):
    made = engine_for_writing(shared)
    with made.begin() as connection:
        migrate_shared(connection)
    yield made
    made.dispose()


class Instance:
    """One that has seen some exchanges end, and publishes at once."""

    def __init__(self, name: str, engine) -> None:
        self.rows, self.troubled, self.lost_until = [], set(), 0.0
        self._publisher = NeighbourPublisher(f"writer-{name}", name, self._recent)
        self._engine = engine

    def _recent(self, routes) -> RecentRows:
        wanted = {*routes, *self.troubled}
        rows = [row for row in self.rows if row.route in wanted]
        return RecentRows(RowMaker().fields, rows, self.troubled, self.lost_until)

    def publish(self) -> None:
        self._publisher._due = 0.0
        self._publisher.publish(self._engine)


@pytest.fixture
def instance(engine, exchange_of):
    def make(name: str, *ago: float, troubled: bool = False) -> Instance:
        made, now, maker = Instance(name, engine), clock.now(), RowMaker()
        for seconds in ago:
            x = exchange_of(request_id=f"{name}-{seconds}")
            x.started, x.ended = now - seconds - 0.1, now - seconds
            made.rows.append(maker.row(x))
        if troubled:
            made.troubled.add("chat")
        return made

    return make


def found(engine) -> dict[str, set[str]]:
    """Instances, and what each has published of the last minute."""
    told: dict[str, set[str]] = {}
    for slot in read_slots(engine, "chat", clock.wall(), ""):
        told.setdefault(slot.instance, set()).update(row.request_id for row, _ in slot.rows)
    return told


def test_nobody_publishes_where_all_is_well(engine, instance) -> None:
    instance("pod-1", 1.0).publish()

    assert {} == found(engine)


def test_trouble_of_one_has_the_others_publish(engine, instance) -> None:
    one, other = instance("pod-1", 1.0, troubled=True), instance("pod-2", 2.0)
    other.publish()
    one.publish()
    other.publish()

    assert {"pod-1": {"pod-1-1.0"}, "pod-2": {"pod-2-2.0"}} == found(engine)


def test_those_that_only_joined_do_not_keep_it_going(engine, instance) -> None:
    one, other, third = (instance(f"pod-{n}", 1.0, troubled=n == 1) for n in (1, 2, 3))
    one.publish()
    other.publish()
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM neighbour_rows WHERE instance = 'pod-1'"))
    third.publish()

    assert {"pod-2"} == set(found(engine))


def test_a_piece_that_has_grown_is_published_again_and_no_other(
    engine, instance, monkeypatch
) -> None:
    one = instance("pod-1", 30.0, 1.0, troubled=True)
    one.publish()
    one.rows += instance("pod-1", 0.9).rows
    written = []
    write = NeighbourPublisher._write

    def noted(*given) -> None:
        written.append(given[3])
        write(*given)

    monkeypatch.setattr(NeighbourPublisher, "_write", noted)
    one.publish()

    assert {"pod-1": {"pod-1-30.0", "pod-1-1.0", "pod-1-0.9"}} == found(engine)
    assert len(written) <= 2  # the pieces of the last two seconds


def test_what_is_known_in_part_only_is_not_published(engine, instance) -> None:
    instance("pod-1", 95.0, 1.0, troubled=True).publish()

    assert {"pod-1": {"pod-1-1.0"}} == found(engine)


def test_a_piece_of_which_rows_were_lost_says_so(engine, instance) -> None:
    one = instance("pod-1", 1.0, troubled=True)
    one.lost_until = clock.now()
    one.publish()

    assert [True] == [slot.at_least for slot in read_slots(engine, "chat", clock.wall(), "")]


def test_a_story_that_was_written_has_it_published_sooner(engine, instance, monkeypatch) -> None:
    one, at = instance("pod-1", 1.0, troubled=True), 1000.0
    monkeypatch.setattr(clock, "now", lambda: at)
    publisher = one._publisher
    publisher.publish(engine)
    at += postgres_neighbours.SOON
    assert publisher._due > at
    publisher.hurry()

    assert publisher._due <= at


@pytest.mark.parametrize(
    ("before", "most", "left"),
    [
        pytest.param(100.0, 1 << 30, 3, id="what is old"),
        pytest.param(0.0, 1, 0, id="what is too much"),
        pytest.param(0.0, 1 << 30, 13, id="nothing else"),
    ],
)
def test_the_oldest_are_deleted(engine, before, most, left) -> None:
    row = "(:route, :slot, 'w', 'pod-1', false, 10, '{}')"
    with engine.begin() as connection:
        for slot in range(13):
            values = {"route": "chat", "slot": slot}
            connection.execute(text(f"INSERT INTO neighbour_rows VALUES {row}"), values)
        delete_slots(connection, before, most)
        found = connection.execute(text("SELECT slot FROM neighbour_rows ORDER BY slot")).all()

    assert left == len(found)
    assert CHUNK > 13
    assert left in (0, 13) or 10 == found[0][0]
