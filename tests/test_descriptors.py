"""Some descriptors stay free for what must work when nothing else does."""

import resource
from collections import Counter

import pytest

from proxy.descriptors import QUIET, Descriptors, raise_limit


class Watcher:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def descriptors_short(self, limit: int, kept: int) -> None:
        self.told.append(("short", limit, kept))

    def descriptors_free(self, refused: int) -> None:
        self.told.append(("free", refused))


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


@pytest.fixture
def shed() -> Counter[tuple[str, str]]:
    return Counter()


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def descriptors(watcher, shed, now) -> Descriptors:
    return Descriptors(100, watcher, shed, 1100, now=lambda: now[0])


@pytest.mark.parametrize(
    ("fd", "client", "upstream"),
    [
        (3, True, True), (749, True, True), (750, False, True), (999, False, True),
        (1000, False, False), (1099, False, False),
    ],
)  # fmt: skip
def test_clients_may_take_most_and_upstreams_a_part_more(descriptors, fd, client, upstream) -> None:
    assert (client, upstream) == (descriptors.admit_client(fd), descriptors.admit_upstream(fd))


def test_where_there_are_few_no_more_than_a_quarter_is_kept(watcher, shed) -> None:
    assert 16 == Descriptors(100, watcher, shed, 64).kept


def test_that_they_ran_out_is_said_once_and_counted(descriptors, watcher, shed) -> None:
    for fd in (750, 3, 760, 1000):
        descriptors.admit_client(fd)
    descriptors.admit_upstream(1001)
    descriptors.ran_out()

    assert [("short", 1100, 100)] == watcher.told
    assert {
        ("traffic", "descriptors"): 3,
        ("upstream", "descriptors"): 1,
        ("listener", "descriptors"): 1,
    } == shed


def test_that_there_are_enough_again_is_said_after_a_while(descriptors, watcher, now) -> None:
    descriptors.admit_client(750)
    descriptors.admit_client(751)
    now[0] = QUIET / 2
    descriptors.admit_client(3)
    assert 1 == len(watcher.told)
    now[0] = QUIET
    descriptors.admit_client(3)
    descriptors.admit_client(3)
    assert [("free", 2)] == watcher.told[1:]
    descriptors.admit_client(999)

    assert ("short", 1100, 100) == watcher.told[-1]


def test_by_default_the_limit_is_that_of_the_process(watcher, shed) -> None:
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == Descriptors(1, watcher, shed).limit


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [
        ((1024, 4096), 4096), ((1024, 1 << 30), 1 << 20), ((4096, 4096), None),
        ((1024, resource.RLIM_INFINITY), 1 << 20), ((1 << 21, 1 << 22), None),
    ],
)  # fmt: skip
def test_as_many_are_asked_for_as_may_be_had(monkeypatch, limits, wanted) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _, new: asked.append(new))
    raise_limit()

    assert ([] if wanted is None else [(wanted, limits[1])]) == asked
