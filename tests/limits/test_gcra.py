"""GCRA decides as its definition does in exact arithmetic."""

from copy import copy
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http.request_head import read_request
from proxy.limits.arrivals import LocalArrivals
from proxy.limits.gcra import Quota
from proxy.limits.keys import ClientKeys
from proxy.limits.rate import RateLimit, RateLimits
from tests.records import exchange

QUOTAS = st.builds(Quota, st.integers(1, 500), st.integers(1, 3600), st.integers(1, 50))
PAUSES = st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=60)
ASKED = read_request("GET", "/", (1, 1), ((b"Host", b"a"),), should_close=False)
X = exchange()


class Limits:
    """One limit for all requests."""

    def __init__(self, *quotas: Quota) -> None:
        limits = [RateLimit("all", one, None, LocalArrivals(9), rate="") for one in quotas]
        self.limits = RateLimits(limits, ClientKeys(b""))

    def ask(self, now: float) -> tuple[float, int, int]:
        """Wait, remaining and reset."""
        verdict = self.limits.judge(ASKED, X, now)
        told = verdict.fields.split(b'"all";r=')[1].decode().removesuffix("\r\n")
        remaining, reset = told.split(";t=")
        return verdict.wait, int(remaining), int(reset)

    def wait(self, now: float) -> float:
        return self.limits.judge(ASKED, X, now).wait


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
    limits, reference, now = Limits(quota), Reference(quota), 1_000_000.0
    for pause in pauses:
        now += pause
        told = limits.ask(now)
        wait, remaining, reset = reference.ask(Fraction(int(now * 1e6 + 0.5), 10**6))

        assert (wait == 0, remaining, ceil(reset)) == (told[0] == 0, *told[1:])
        assert pytest.approx(float(wait)) == told[0]


@given(st.lists(QUOTAS, min_size=2, max_size=3), PAUSES)
def test_several_let_in_what_each_of_them_would_however_long_their_ticks_are(quotas, pauses):
    limits, references, now = Limits(*quotas), [Reference(quota) for quota in quotas], 1_000_000.0
    for pause in pauses:
        now += pause
        at = Fraction(int(now * 1e6 + 0.5), 10**6)
        wait = max(copy(reference).ask(at)[0] for reference in references)
        if wait == 0:
            for reference in references:
                reference.ask(at)

        assert pytest.approx(float(wait)) == limits.wait(now)


@given(st.integers(1, 999_999), st.integers(1, 30 * 86400))
def test_an_interval_is_a_whole_number_of_ticks(count, period):
    quota = Quota(count, period, 1)

    assert Fraction(period, count) == Fraction(quota.interval, quota.second)
    assert quota.second == 1_000_000 * quota.scale


@given(QUOTAS, st.floats(0, 1e7))
def test_from_rest_exactly_the_burst_is_let_in_at_once(quota, now):
    limits = Limits(quota)
    left = [limits.ask(now)[:2] for _ in range(quota.burst)]

    assert [(0.0, n) for n in reversed(range(quota.burst))] == left
    assert limits.ask(now)[0] > 0


@given(QUOTAS, PAUSES)
def test_never_more_than_the_burst_and_the_rate(quota, pauses):
    """Within any length of time that begins at rest."""
    limits, now, let_in = Limits(quota), 0.0, 0
    for pause in pauses:
        now += pause / 10
        if limits.ask(now)[0] == 0:
            let_in += 1

        assert let_in <= quota.burst + Fraction(now) * quota.count / quota.period


@given(QUOTAS, st.floats(0, 1e6))
def test_who_waits_as_long_as_told_is_let_in(quota, now):
    """To the microsecond: a clock in float seconds has no finer one after some days."""
    limits = Limits(quota)
    while (wait := limits.ask(now)[0]) == 0:
        pass

    assert limits.ask(now + ceil(wait) + 1e-6)[0] == 0


def test_a_refusal_changes_nothing():
    limits = Limits(Quota(1, 10, 1))
    limits.ask(0.0)

    assert [10.0, 10.0, 9.0, 1.0] == [limits.ask(at)[0] for at in (0.0, 0.0, 1.0, 9.0)]
    assert 0.0 == limits.ask(10.0)[0]
