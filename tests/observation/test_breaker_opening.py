"""What opened a circuit, as it may be shown."""

from proxy.observation.breaker_opening import opened
from proxy.resilience.opening import FailedAttempt, Opening


def test_rule_time_and_failures_are_told_redacted() -> None:
    failures = (
        FailedAttempt("id-1", "upstream_error", 503, "http://a:1", 1.0),
        FailedAttempt("sk-CANARY9", "upstream_reset", None, "http://b:1", 2.0),
    )
    told = opened(Opening("consecutive", 2.0, failures), dated=lambda at: f"at {at:g}")

    assert {
        "rule": "consecutive",
        "at": "at 2",
        "failures": [
            {"request_id": "id-1", "code": "upstream_error", "status": 503,
             "endpoint": "http://a:1", "at": "at 1"},
            {"request_id": "[redacted]", "code": "upstream_reset", "endpoint": "http://b:1",
             "at": "at 2"},
        ],
    } == told  # fmt: skip
