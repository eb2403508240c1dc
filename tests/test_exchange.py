"""What the record of an exchange works out by itself."""

import pytest

from proxy import outcome as o
from proxy.outcome import Outcome
from tests.records import exchange


def test_the_duration_is_from_beginning_to_end() -> None:
    assert 2.5 == exchange(started=100.0, ended=102.5).duration


@pytest.mark.parametrize(
    ("waited", "overhead"),
    [
        pytest.param({}, 10.0, id="nothing was waited for"),
        pytest.param({"upstream_wait": 4.0}, 6.0, id="the upstream"),
        pytest.param({"client_wait": 3.0}, 7.0, id="the client"),
        pytest.param({"queued": 2.0}, 8.0, id="a connection slot"),
        pytest.param({"paused": 1.0}, 9.0, id="a pause"),
        pytest.param({"upstream_wait": 8.0, "client_wait": 8.0}, 0.0, id="waits that overlap"),
    ],
)
def test_overhead_is_the_time_in_which_nothing_was_waited_for(
    waited: dict[str, float], overhead: float
) -> None:
    assert overhead == exchange(started=100.0, ended=110.0, **waited).overhead


@pytest.mark.parametrize(
    ("outcome", "phase", "term"),
    [
        pytest.param(o.UPSTREAM_RESET, "H", "UH", id="an outcome with a phase of its own"),
        pytest.param(o.CLIENT_CLOSED_REQUEST, "W", "CW", id="one that ends anywhere"),
        pytest.param(o.COMPLETED, "S", "--", id="a good end"),
        pytest.param(None, "R", "??", id="no end yet"),
    ],
)
def test_the_term_names_who_and_phase(outcome: Outcome | None, phase: str, term: str) -> None:
    assert term == exchange(outcome=outcome, phase=phase).term
