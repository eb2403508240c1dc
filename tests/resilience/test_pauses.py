"""Waits double up to a cap, and jitter never lifts them over it."""

from collections.abc import Iterator
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.resilience.pauses import growing


def first(count: int, waits: Iterator[float]) -> list[float]:
    return list(islice(waits, count))


def test_they_double_up_to_the_longest() -> None:
    waits = growing(0.1, 2.0, 0.0, rng=lambda: 0.5)

    assert first(7, waits) == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0])


@pytest.mark.parametrize(
    ("drawn", "wait"),
    [
        pytest.param(0.0, 0.75, id="a quarter less"),
        pytest.param(0.5, 1.0, id="as it is"),
        pytest.param(1.0, 1.25, id="a quarter more"),
    ],
)
def test_jitter_goes_both_ways(drawn: float, wait: float) -> None:
    assert next(growing(1.0, 10.0, 0.25, rng=lambda: drawn)) == pytest.approx(wait)


def test_waits_at_the_cap_are_still_spread() -> None:
    """A herd that has reached the cap does not return as one."""
    early = first(9, growing(1.0, 10.0, 0.25, lambda: 0.0))[-1]
    late = first(9, growing(1.0, 10.0, 0.25, lambda: 1.0))[-1]

    assert (early, late) == pytest.approx((6.0, 10.0))


@settings(max_examples=40, deadline=None, database=None)
@given(st.floats(0.001, 100), st.floats(0, 1), st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_no_wait_is_longer_than_the_longest(
    longest: float, jitter: float, drawn: list[float]
) -> None:
    rng = iter(drawn).__next__
    waits = first(len(drawn), growing(longest / 7, longest, jitter, rng))

    assert all(0 <= wait <= longest for wait in waits)
