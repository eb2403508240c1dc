"""Consistent hashing."""

from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.upstream.balancing.ring import MOST_POINTS, HashRing, points

NAMES = st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=8, unique=True)
KEYS = [int.from_bytes(blake2b(b"%d" % n, digest_size=8).digest(), "big") for n in range(3000)]


def owner(names, weights, key):
    ring = HashRing(names, weights)
    return names[ring.owner(ring.start(key))]


def owners(names, weights, keys):
    ring = HashRing(names, weights)
    return [names[ring.owner(ring.start(key))] for key in keys]


@given(NAMES, st.data())
def test_a_lost_endpoint_moves_its_own_keys_only(names, data):
    weights = [data.draw(st.integers(1, 5)) for _ in names]
    lost = data.draw(st.integers(0, len(names) - 1))
    left = [name for number, name in enumerate(names) if number != lost]
    weights_left = [weight for number, weight in enumerate(weights) if number != lost]
    before = owners(names, weights, KEYS[:200])
    after = owners(left, weights_left, KEYS[:200])

    assert all(new == old for old, new in zip(before, after, strict=True) if old != names[lost])


@given(NAMES, st.integers(0, 2**64 - 1))
def test_the_order_in_which_they_are_written_plays_no_part(names, key):
    ones = [1] * len(names)

    assert owner(names, ones, key) == owner(names[::-1], ones, key)


@given(st.integers(0, 2**64 - 1))
def test_going_on_from_a_key_meets_everyone(key):
    ring = HashRing(["a", "b", "c"], [1, 1, 1])
    start = ring.start(key)

    assert {0, 1, 2} == {ring.owner(start + step) for step in range(len(ring))}


@pytest.mark.parametrize("weights", [(1, 1, 1), (1, 2, 3), (5, 1, 1)])
def test_shares_are_as_the_weights(weights):
    found = owners(["http://a", "http://b", "http://c"], weights, KEYS)
    for name, weight in zip(("http://a", "http://b", "http://c"), weights, strict=True):
        expected = len(KEYS) * weight / sum(weights)

        assert 0.7 * expected < found.count(name) < 1.3 * expected


def test_a_ring_is_bounded_and_has_everyone():
    names = [f"http://10.0.0.{n}" for n in range(256)]
    ring = HashRing(names, [1000] * 255 + [1])

    assert len(ring) <= MOST_POINTS + len(names)
    assert 255 in {ring.owner(position) for position in range(len(ring))}


def test_more_points_change_none():
    assert points("a", 9) == points("a", 20)[:9]
