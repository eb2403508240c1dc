"""GCRA decides as its definition does in exact arithmetic."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.limits.gcra import Quota, check_arrival

QUOTAS = st.builds(Quota, st.integers(1, 500), st.integers(1, 3600), st.integers(1, 50))
PAUSES = st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=60)


class Reference:
    """The definition (ITU-T I.371), in fractions of a second."""

    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self.interval = Fraction(quota.period, quota.count)
        self.arrival: Fraction | None = None

    def ask(self, at: Fraction) -> tuple[Fraction, int, Fraction]:
        """Wait, remaining and reset."""
        due = at if self.arrival is None else max(self.arrival, at)
        wait = due - at - (self.quota.burst - 1) * self.interval
        if wait > 0:
            return wait, 0, due - at
        self.arrival = due + self.interval
        return Fraction(0), int(-wait / self.interval), self.arrival - at


@given(QUOTAS, PAUSES)
def test_it_decides_as_the_definition_does(quota, pauses):
    reference, arrival, now = Reference(quota), None, 1_000_000.0
    for pause in pauses:
        now += pause
        decision = check_arrival(quota, arrival, now)
        wait, remaining, reset = reference.ask(Fraction(int(now * 1e6 + 0.5), 10**6))
        arrival = decision.arrival if decision.wait == 0 else arrival

        assert (wait == 0, remaining) == (decision.wait == 0, decision.remaining)
        assert pytest.approx(float(wait)) == decision.wait
        assert ceil(reset) == decision.reset


@given(st.integers(1, 999_999), st.floats(0, 1e8))
def test_ticks_are_exact_however_many_there_are(count, now):
    assert int(now * 1e6 + 0.5) * count == Quota(count, 1, 1).ticks(now)


@given(QUOTAS, st.floats(0, 1e7))
def test_from_rest_exactly_the_burst_is_let_in_at_once(quota, now):
    arrival, left = None, []
    for _ in range(quota.burst):
        decision = check_arrival(quota, arrival, now)
        arrival = decision.arrival
        left.append((decision.wait, decision.remaining))

    assert [(0.0, n) for n in reversed(range(quota.burst))] == left
    assert check_arrival(quota, arrival, now).wait > 0


@given(QUOTAS, PAUSES)
def test_never_more_than_the_burst_and_the_rate(quota, pauses):
    """Within any length of time that begins at rest."""
    arrival, now, let_in = None, 0.0, 0
    for pause in pauses:
        now += pause / 10
        decision = check_arrival(quota, arrival, now)
        if decision.wait == 0:
            arrival, let_in = decision.arrival, let_in + 1

        assert let_in <= quota.burst + Fraction(now) * quota.count / quota.period


@given(QUOTAS, st.floats(0, 1e6))
def test_who_waits_as_long_as_told_is_let_in(quota, now):
    """To the microsecond: a clock in float seconds has no finer one after some days."""
    arrival = None
    while (decision := check_arrival(quota, arrival, now)).wait == 0:
        arrival = decision.arrival

    assert check_arrival(quota, arrival, now + ceil(decision.wait) + 1e-6).wait == 0


def test_a_refusal_changes_nothing():
    quota = Quota(1, 10, 1)
    arrival = check_arrival(quota, None, 0.0).arrival

    assert [10.0, 10.0, 9.0] == [check_arrival(quota, arrival, at).wait for at in (0.0, 0.0, 1.0)]
    assert arrival == check_arrival(quota, arrival, 1.0).arrival
