"""What counts as slow."""

import pytest

from proxy.observation.slowness import is_slow


@pytest.mark.parametrize(
    ("unusual", "slow"),
    [
        ({"ended": 12.4}, False),
        ({"ended": 12.6}, True),
        ({"ended": 60.0, "streamed": True, "first_event": 2.4}, False),
        ({"ended": 60.0, "streamed": True, "first_event": 2.6}, True),
        ({"ended": 60.0, "streamed": True}, False),
    ],
)
def test_a_stream_is_slow_by_its_first_event_not_by_its_length(exchange_of, unusual, slow) -> None:
    assert is_slow(exchange_of(**unusual), 2.5) is slow
