"""Which two are looked at."""

from collections import Counter
from itertools import cycle

from hypothesis import given
from hypothesis import strategies as st

from proxy.upstream.balancing.two_choices import TwoChoices

DRAWS = st.floats(0, 1, exclude_max=True)


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=100), DRAWS)
def test_they_are_always_two_that_there_are(weights, drawn):
    two = TwoChoices(weights, lambda: drawn)
    first = two.first()
    second = two.second(first)

    assert first != second
    assert {first, second} <= set(range(len(weights)))


def test_the_first_goes_by_turns():
    two = TwoChoices([3, 1])

    assert [0, 0, 1, 0] == [two.first() for _ in range(4)]


def test_the_second_is_drawn_by_weight():
    draws = cycle((n + 0.5) / 100 for n in range(100))
    two = TwoChoices([1, 6, 3], lambda: next(draws))
    counts = Counter(two.second(0) for _ in range(100))

    assert {1: 70, 2: 30} == counts, "who is drawn again hands over to the next"


def test_every_other_one_may_be_the_second():
    draws = cycle((n + 0.5) / 9 for n in range(9))
    two = TwoChoices([1] * 10, lambda: next(draws))

    assert set(range(10)) - {4} == {two.second(4) for _ in range(9)}
