"""Keys are kept in bounded memory, and those that matter are kept longest."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from proxy.limits.arrivals import LocalArrivals


def test_what_is_kept_is_found_again():
    kept = LocalArrivals(10)
    kept.put(1, 50, at=0)
    kept.put(1, 60, at=0)

    assert (60, None, 1) == (kept.times.get(1), kept.times.get(2), len(kept))


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20), st.integers(0, 5)), max_size=300))
def test_there_are_never_more_keys_than_room_and_the_newest_is_kept(asked):
    kept, at = LocalArrivals(7), 0
    for key, ahead, pause in asked:
        at += pause
        kept.put(key, at + ahead, at)

        assert len(kept) <= 7
        assert kept.times.get(key) == at + ahead


@given(st.integers(1, 50))
def test_keys_at_rest_make_room_before_any_other(limited):
    kept = LocalArrivals(100)
    for key in range(100):
        kept.put(key, 1000 if key < limited else 10, at=0)
    for key in range(100, 200 - limited):
        kept.put(key, 1000, at=10)

    assert [1000] * limited == [kept.times.get(key) for key in range(limited)]
    assert len(kept) <= 100


def test_a_flood_of_new_keys_does_not_free_those_at_their_limit():
    kept = LocalArrivals(1000)
    for key in range(100):
        kept.put(key, 60_000, at=0)
    for key in range(1000, 101_000):
        kept.put(key, 6_000, at=0)

    assert [60_000] * 100 == [kept.times.get(key) for key in range(100)]
    assert 1000 == len(kept)


def test_keys_at_rest_go_though_there_is_room():
    kept = LocalArrivals(1_000_000)
    for key in range(1000):
        kept.put(key, 10, at=0)
    for key in range(1000, 1200):
        kept.put(key, 30, at=20)

    assert 200 == len(kept)


def test_a_million_keys_take_no_more_memory_than_there_is_room_for():
    """Some 200 bytes a key, and half as much again for a moment when the table grows."""
    tracemalloc.start()
    kept = LocalArrivals(50_000)
    for key in range(1_000_000):
        kept.put(key * 0x9E3779B97F4A7C15 % 2**64, (1 << 40) + key, at=0)
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 50_000 == len(kept)
    assert held < 12_000_000
    assert most < 18_000_000
