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


def test_without_a_deadline_there_is_always_time_left() -> None:
    assert math.inf == Deadline(math.inf).left(1e9)
