"""What a row of checks says of an endpoint."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.upstream.health.tally import CheckResult, Tally, observed

GOOD = CheckResult(True, "status 200")
BAD = CheckResult(False, "status 500")
NOTHING = CheckResult(None, "no room")

RESULTS = {"+": GOOD, "-": BAD, "?": NOTHING}


def after(row: str, up_after: int = 2, down_after: int = 3) -> tuple[bool | None, int]:
    """What it is after a row of checks, and how often it became another."""
    tally = Tally(up_after, down_after)
    changes = sum(tally.add(RESULTS[each]) for each in row)
    return tally.healthy, changes


@pytest.mark.parametrize(
    ("row", "healthy", "changes"),
    [
        pytest.param("", None, 0, id="nothing is known before a check"),
        pytest.param("+", True, 1, id="the first good one is enough"),
        pytest.param("--", None, 0, id="a few failures say nothing yet"),
        pytest.param("---", False, 1, id="as many as the threshold do"),
        pytest.param("--+", True, 1, id="a good one between them"),
        pytest.param("+--+--+--", True, 1, id="who fails now and then stays up"),
        pytest.param("---+", False, 1, id="one good check brings nobody back"),
        pytest.param("---++", True, 2, id="as many as the threshold do"),
        pytest.param("---+-+-", False, 1, id="who recovers now and then stays down"),
        pytest.param("-?-?-", False, 1, id="what shows nothing neither counts nor ends a row"),
        pytest.param("---+?+", True, 2, id="in neither direction"),
        pytest.param("------", False, 1, id="a change is one change"),
    ],
)
def test_thresholds(row: str, healthy: bool | None, changes: int) -> None:
    assert (healthy, changes) == after(row)


@given(
    st.text(st.sampled_from("+-?"), max_size=30),
    st.integers(1, 4),
    st.integers(1, 4),
)
def test_a_row_as_long_as_the_threshold_decides_whatever_was_before(
    before: str, up_after: int, down_after: int
) -> None:
    up, _ = after(before + "+" * up_after, up_after, down_after)
    down, _ = after(before + "-" * down_after, up_after, down_after)

    assert (True, False) == (up, down)


def test_the_words_say_how_many_checks_and_what_the_last_one_showed() -> None:
    tally = Tally(2, 2)
    tally.add(GOOD)
    tally.add(BAD)
    one = tally.words
    tally.add(CheckResult(False, "no answer within 1 s"))
    tally.add(NOTHING)

    assert "1 check in a row: status 500" == one
    assert "2 checks in a row: no answer within 1 s" == tally.words


@pytest.mark.parametrize(
    ("result", "stalled", "ok"),
    [
        pytest.param(BAD, 0.0, False, id="watched all the time"),
        pytest.param(BAD, 0.9, False, id="and for most of it"),
        pytest.param(BAD, 1.0, None, id="nobody was there to take the answer"),
        pytest.param(GOOD, 9.0, True, id="a good answer was taken all the same"),
    ],
)
def test_a_failure_that_nobody_watched_shows_nothing(
    result: CheckResult, stalled: float, ok: bool | None
) -> None:
    assert ok is observed(result, stalled, timeout=1.0).ok
