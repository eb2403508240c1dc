"""Every timeout and every pause is cut from the one deadline."""

import math

import pytest

from proxy.resilience.deadline import Deadline


@pytest.mark.parametrize(
    ("now", "left"),
    [
        pytest.param(100.0, 60.0, id="all of it is left at the start"),
        pytest.param(159.0, 1.0, id="the last second is left"),
        pytest.param(160.0, 0.0, id="nothing is left when it is over"),
        pytest.param(999.0, 0.0, id="less than nothing is never left"),
    ],
)
def test_what_is_left(now: float, left: float) -> None:
    assert left == Deadline.after(60.0, now=100.0).left(now)


@pytest.mark.parametrize(
    ("timeout", "cut"),
    [
        pytest.param(3.0, 3.0, id="a timeout that fits stays"),
        pytest.param(30.0, 10.0, id="a longer one is cut"),
    ],
)
def test_a_timeout_is_cut_from_it(timeout: float, cut: float) -> None:
    assert Deadline.after(60.0, now=0.0).cut(timeout, now=50.0) == cut


def test_no_deadline_cuts_nothing() -> None:
    assert Deadline(math.inf).cut(30.0, now=1e9) == 30.0
