"""Whom a limit refuses most, in bounded memory."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from proxy.limits.refused_keys import RefusedKeys

ROOM = 5


def test_those_refused_most_come_first():
    kept = RefusedKeys()
    for client in ("a", "b", "b", "c", "b", "c"):
        kept.count(client, 1.0)

    assert [("b", 3), ("c", 2), ("a", 1)] == [(one.client, one.count) for one in kept.most()]
    assert ["b"] == [one.client for one in kept.most(1)]


def test_who_waits_longest_is_limited_first_and_who_may_come_is_not():
    kept = RefusedKeys()
    for client, until in (("a", 5.0), ("b", 9.0), ("c", 2.0), ("a", 6.0)):
        kept.count(client, until)

    assert ["b", "a"] == [one.client for one in kept.now(2.0)]


def test_a_flood_of_clients_takes_no_more_room():
    kept = RefusedKeys(ROOM)
    for number in range(1000):
        kept.count(f"client {number}", 1.0)

    assert ROOM == len(kept)


@given(st.lists(st.sampled_from("abcdefghijkl"), max_size=200))
def test_who_is_refused_often_is_never_lost_and_a_count_is_at_most_too_high_by_what_is_said(asks):
    kept, truth = RefusedKeys(ROOM), Counter(asks)
    for client in asks:
        kept.count(client, 1.0)
    found = {one.client: one for one in kept.most(ROOM)}

    for client, times in truth.items():
        assert client in found or times <= len(asks) / ROOM
    for client, one in found.items():
        assert one.count - one.over <= truth[client] <= one.count
