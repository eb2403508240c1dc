"""Which two are looked at."""

from collections import Counter
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.upstream.balancing.two_choices import TwoChoices

DRAWS = st.floats(0, 1, exclude_max=True)


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=100), DRAWS, DRAWS)
def test_they_are_always_two_that_there_are(weights, one, other):
    draws = iter((one, other))
    two = TwoChoices(weights, lambda: next(draws))
    first = two.first()
    second = two.second(first)

    assert first != second
    assert {first, second} <= set(range(len(weights)))


@pytest.mark.parametrize(
    ("weights", "shares"), [([1, 1], [50, 50]), ([3, 1], [75, 25]), ([1, 2, 1], [25, 50, 25])]
)
def test_the_first_is_drawn_by_weight(weights, shares):
    draws = cycle((n + 0.5) / 100 for n in range(100))
    two = TwoChoices(weights, lambda: next(draws))
    counts = Counter(two.first() for _ in range(100))

    assert shares == [counts[number] for number in range(len(weights))]


def test_every_other_one_may_be_the_second():
    draws = cycle((n + 0.5) / 9 for n in range(9))
    two = TwoChoices([1] * 10, lambda: next(draws))

    assert set(range(10)) - {4} == {two.second(4) for _ in range(9)}
