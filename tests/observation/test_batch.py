"""What has ended waits a moment, and not more."""

import asyncio
from collections.abc import Callable

import pytest

from proxy.observation.batch import DELAY, MOST, MOST_WAITING, Batch


class Moment:
    """A timer that goes off when it is told to."""

    def __init__(self) -> None:
        self.set: list[tuple[float, Callable[[], None]]] = []

    def __call__(self, delay: float, call: Callable[[], None]) -> None:
        self.set.append((delay, call))

    def passes(self) -> None:
        for _, call in [self.set.pop() for _ in list(self.set)]:
            call()


@pytest.fixture
def moment() -> Moment:
    return Moment()


@pytest.fixture
def recorded() -> list[list[int]]:
    return []


@pytest.fixture
def batch(moment: Moment, recorded: list[list[int]]) -> Batch[int]:
    return Batch(recorded.append, moment)


def test_what_is_added_is_recorded_together_and_in_order(batch, moment, recorded) -> None:
    for n in (1, 2, 3):
        batch.add(n)
    assert [DELAY] == [delay for delay, _ in moment.set]
    assert [] == recorded
    moment.passes()

    assert [[1, 2, 3]] == recorded


def test_the_next_one_waits_for_a_moment_of_its_own(batch, moment, recorded) -> None:
    batch.add(1)
    moment.passes()
    batch.add(2)
    moment.passes()

    assert [[1], [2]] == recorded


def test_a_flush_does_not_wait(batch, moment, recorded) -> None:
    batch.add(1)
    batch.flush()
    assert [[1]] == recorded
    moment.passes()

    assert [[1]] == recorded


def test_what_comes_after_a_flush_is_not_overlooked(batch, moment, recorded) -> None:
    batch.add(1)
    batch.flush()
    batch.add(2)
    moment.passes()

    assert [[1], [2]] == recorded


def test_a_batch_is_bounded(batch, moment, recorded) -> None:
    """What fills one is recorded as soon as the loop comes to it, and not by who adds."""
    for n in range(2 * MOST + 1):
        batch.add(n)
    assert ([], [DELAY, 0.0, 0.0]) == (recorded, [delay for delay, _ in moment.set])
    moment.passes()

    assert [MOST, MOST, 1] == [len(some) for some in recorded]


def test_what_is_added_meanwhile_is_recorded_next(moment) -> None:
    recorded: list[list[int]] = []

    def record(some: list[int]) -> None:
        recorded.append(some)
        if some == [1]:
            growing.add(2)

    growing = Batch(record, moment)
    growing.add(1)
    growing.flush()
    growing.flush()

    assert [[1], [2]] == recorded


def test_between_what_is_heavy_the_loop_has_its_turn(moment, recorded) -> None:
    batch = Batch(recorded.append, moment, weight=lambda n: n)
    for n in (1, 2, MOST, 1, 2 * MOST, 3):
        batch.add(n)
    moment.passes()
    assert [[1, 2, MOST]] == recorded
    assert [0.0] == [delay for delay, _ in moment.set]
    moment.passes()
    moment.passes()
    moment.passes()

    assert [[1, 2, MOST], [1, 2 * MOST], [3]] == recorded
    assert [] == moment.set


def test_who_adds_beyond_the_bound_pays_for_one_at_least(moment, recorded) -> None:
    batch = Batch(recorded.append, moment, weight=lambda _: MOST)
    for n in range(MOST_WAITING + 3):
        batch.add(n)

    assert [[0], [1], [2]] == recorded


async def test_the_loop_is_the_timer(monkeypatch) -> None:
    recorded: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
    monkeypatch.setattr("proxy.observation.batch.DELAY", 0.0)
    Batch(recorded.set_result).add(1)

    assert [1] == await recorded
