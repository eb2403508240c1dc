"""How points in time are written."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy import clock

SINCE_1970 = st.floats(0, 4e9)
few = settings(max_examples=50, deadline=None, database=None)


def test_lengths_come_from_the_clock_that_never_jumps() -> None:
    assert time.monotonic is clock.now


@pytest.mark.parametrize(
    ("at", "text"),
    [
        pytest.param(0.0, "1970-01-01T00:00:00.000Z", id="the epoch"),
        pytest.param(784111777.5, "1994-11-06T08:49:37.500Z", id="half a second"),
        pytest.param(1.001, "1970-01-01T00:00:01.001Z", id="no thousandth is lost to binary"),
        pytest.param(59.9996, "1970-01-01T00:01:00.000Z", id="rounding carries into the minute"),
    ],
)
def test_iso_writes_milliseconds_in_utc(at: float, text: str) -> None:
    assert text == clock.iso(at)


@few
@given(SINCE_1970)
def test_iso_is_within_half_a_millisecond(at: float) -> None:
    written = datetime.fromisoformat(clock.iso(at)) - datetime(1970, 1, 1, tzinfo=UTC)

    assert abs(written / timedelta(seconds=1) - at) < 0.0006


@few
@given(SINCE_1970, SINCE_1970)
def test_iso_sorts_as_time_does(one: float, other: float) -> None:
    first, second = sorted((one, other))

    assert clock.iso(first) <= clock.iso(second)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        pytest.param(784111777.0, b"Sun, 06 Nov 1994 08:49:37 GMT", id="the example of RFC 9110"),
        pytest.param(784111777.9, b"Sun, 06 Nov 1994 08:49:37 GMT", id="the second that runs"),
        pytest.param(784111778.0, b"Sun, 06 Nov 1994 08:49:38 GMT", id="the next second"),
    ],
)
def test_http_dates_are_in_the_preferred_format(at: float, text: bytes) -> None:
    assert text == clock.http_date(at)
