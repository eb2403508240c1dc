"""The SERVER span of an exchange is an error where the client was given none, or half an answer."""

import pytest

from proxy import outcome as o
from proxy.outcome import OUTCOMES
from proxy.tracing.span_status import is_failure
from tests.records import exchange

BODIES = sorted(code for code, row in OUTCOMES.items() if row.term[1] == "S")


@pytest.mark.parametrize("code", BODIES)
def test_a_200_that_was_not_given_whole_is_one_whoever_broke_it(code: str) -> None:
    """But not where that was its client."""
    x = exchange(outcome=OUTCOMES[code], status=200, upstream_status=200, phase="S")

    assert is_failure(x) == (code not in ("client_closed_stream", "client_too_slow"))


@pytest.mark.parametrize(
    ("unusual", "failed"),
    [
        pytest.param({"outcome": o.RATE_LIMITED, "status": 429}, False, id="refused by a 4xx"),
        pytest.param({"outcome": o.CIRCUIT_OPEN, "status": 503}, True, id="refused by a 5xx"),
        pytest.param({"outcome": o.PREFLIGHT_REFUSED, "status": 204}, False, id="refused whole"),
        pytest.param({"outcome": None, "status": None}, True, id="a fault of ours"),
        pytest.param({"outcome": o.STREAM_RESET, "status": None}, True, id="before a head"),
    ],
)
def test_what_is_a_failure(unusual: dict[str, object], failed: bool) -> None:
    assert failed == is_failure(exchange(**unusual))
