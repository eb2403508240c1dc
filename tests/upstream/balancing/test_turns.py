"""Weighted round robin."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.upstream.balancing.turns import Turns


def given_turns(weights, count):
    turns = Turns(weights)
    return [turns.next() for _ in range(count)]


def test_equal_ones_take_turns():
    assert [0, 1, 2, 0, 1, 2] == given_turns([1, 1, 1], 6)


@pytest.mark.parametrize(
    ("weights", "order"), [([3, 1], [0, 0, 1, 0]), ([1, 3], [1, 0, 1, 1]), ([5], [0, 0, 0, 0])]
)
def test_a_heavier_one_has_more_turns_but_not_all_in_a_row(weights, order):
    assert order == given_turns(weights, 4)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=8))
def test_in_one_round_each_has_as_many_turns_as_it_weighs(weights):
    counts = Counter(given_turns(weights, sum(weights)))

    assert all(abs(counts[number] - weight) <= 1 for number, weight in enumerate(weights))
