"""What opened a circuit, as a JSON object for stories, API and log; redacted."""

from collections.abc import Callable

from proxy.observation.redaction import redact
from proxy.resilience.opening import FailedAttempt, Opening


def opened(opening: Opening, dated: Callable[[float], str]) -> dict[str, object]:
    """As JSON; `dated` makes text of a point on the clock that never jumps."""
    return {
        "rule": opening.rule,
        "at": dated(opening.at),
        "failures": [_failure(each, dated) for each in opening.failures],
    }


def _failure(failed: FailedAttempt, dated: Callable[[float], str]) -> dict[str, object]:
    view: dict[str, object] = {
        "request_id": redact(failed.request_id),
        "code": failed.code,
        "status": failed.status,
        "endpoint": failed.endpoint,
        "at": dated(failed.at),
    }
    return {key: value for key, value in view.items() if value is not None}
