"""Repeats to a collector wait longer and longer, as it asks, and are spread: replicas that it has
left all at once do not come back all at once.
"""

import pytest

from proxy.tracing.exporter import pause_after


@pytest.mark.parametrize(("chance", "pause"), [(0.0, 2.0), (0.5, 2.25), (1.0, 2.5)])
def test_a_pause_is_never_shorter_and_up_to_a_quarter_longer(chance: float, pause: float) -> None:
    assert pause == pause_after(2, None, lambda: chance)


def test_pauses_grow_to_the_longest() -> None:
    assert [0.5, 1, 2, 5, 10, 10] == [pause_after(n, None, lambda: 0.0) for n in range(6)]


@pytest.mark.parametrize(("asked", "pause"), [(7.0, 7.0), (0.1, 0.5)])
def test_a_collector_may_ask_for_a_longer_pause(asked: float, pause: float) -> None:
    assert pause == pause_after(0, asked, lambda: 0.0)
