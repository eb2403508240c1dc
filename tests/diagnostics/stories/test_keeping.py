"""Which exchanges are kept as failures are, and which of the others are stored."""

import pytest

from proxy.diagnostics.slow import is_slow
from proxy.diagnostics.stories.keeping import in_sample, may_be_asked_for
from tests.records import attempt


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


@pytest.mark.parametrize(
    ("code", "unusual", "kept"),
    [
        pytest.param("completed", {}, False, id="a success"),
        pytest.param("completed", {"ended": 99.0}, True, id="a slow one"),
        pytest.param(
            "completed", {"attempts": [attempt(), attempt()]}, True, id="one that was retried"
        ),
        pytest.param("upstream_error", {"upstream_status": 404}, True, id="a 4xx"),
        pytest.param("rate_limited", {}, True, id="a refusal"),
        pytest.param("upstream_reset", {}, True, id="a failure"),
    ],
)
def test_whatever_somebody_was_shown_an_id_for_is_kept(exchange_of, code, unusual, kept) -> None:
    assert may_be_asked_for(exchange_of(code, **unusual), 2.5) is kept


def test_a_sample_has_about_its_share_and_is_the_same_every_time() -> None:
    ids = [f"id-{n}" for n in range(10_000)]
    kept = [request_id for request_id in ids if in_sample(request_id, 0.1)]

    assert 800 < len(kept) < 1200
    assert kept == [request_id for request_id in ids if in_sample(request_id, 0.1)]
    assert not any(in_sample(request_id, 0.0) for request_id in ids)
    assert all(in_sample(request_id, 1.0) for request_id in ids)
