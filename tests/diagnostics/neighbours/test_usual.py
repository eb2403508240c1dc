"""A sketch says what is usual within 5 %, for the last hour, in bounded memory."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.diagnostics.neighbours.usual import LEAST, SLOT, SLOTS, Usual, bucket, middle

NOW = 1e9


def usual_of(*values, measure="head", wall=NOW):
    usual = Usual()
    for value in values:
        usual.add(measure, value, wall)
    return usual


@given(st.floats(1e-3, 1e9))
def test_a_bucket_stands_for_its_values_within_five_percent(value) -> None:
    assert middle(bucket(value)) == pytest.approx(value, rel=0.051)


def test_half_lie_below_the_median_and_nineteen_of_twenty_below_p95() -> None:
    usual = usual_of(*(n / 100 for n in range(1, 101)))
    found = usual.quantiles("head", NOW, 0.5, 0.95)

    assert found == [pytest.approx(0.5, rel=0.06), pytest.approx(0.95, rel=0.06)]


def test_too_few_say_nothing() -> None:
    assert usual_of(*[0.1] * (LEAST - 1)).quantiles("head", NOW, 0.5) is None


def test_what_is_older_than_an_hour_counts_no_more() -> None:
    usual = usual_of(*[0.1] * LEAST)

    assert usual.quantiles("head", NOW + SLOT * (SLOTS - 1), 0.5) is not None
    assert usual.quantiles("head", NOW + SLOT * SLOTS, 0.5) is None


def test_slots_are_bounded() -> None:
    usual = Usual()
    for n in range(100):
        usual.add("head", 0.1, NOW + n * SLOT)

    assert len(usual.saved()["head"]) == SLOTS


def test_what_was_saved_goes_on_after_a_restart() -> None:
    saved = json.loads(json.dumps(usual_of(*[0.1] * LEAST).saved()))
    after = Usual()
    after.restore(saved)

    assert after.quantiles("head", NOW, 0.5) == [pytest.approx(0.1, rel=0.06)]


@pytest.mark.parametrize(
    "saved", [{}, {"head": 3}, {"head": {"a": {"1": 2}}}, {"head": {"1": {"99999": 2}}}]
)
def test_what_somebody_else_has_written_is_passed_over(saved) -> None:
    usual = Usual()
    usual.restore(saved)

    assert usual.quantiles("head", NOW, 0.5) is None
