"""Repeats to a collector are spread, so that replicas do not come back to it all at once."""

import pytest

from proxy.tracing.exporter import with_jitter


@pytest.mark.parametrize(("chance", "pause"), [(0.0, 2.0), (0.5, 2.25), (1.0, 2.5)])
def test_a_pause_is_never_shorter_and_up_to_a_quarter_longer(chance: float, pause: float) -> None:
    assert pause == with_jitter(2.0, chance)
