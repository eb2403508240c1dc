"""Why there is no story."""

import pytest

from proxy.diagnostics.stories.missing import Kept, OldestStory, why_missing

OLD, GOOD = OldestStory("old-1", 1e9), OldestStory("good-1", 1e9 + 60)
KEPT = Kept(OLD, GOOD, 0.01)


@pytest.mark.parametrize(
    ("asked", "alike", "kept", "said"),
    [
        pytest.param("nowhere-1", [], KEPT,
                     "The oldest story kept is old-1, which ended at 2001-09-09T01:46:40.000Z; "
                     "what ended before that is gone.", id="the oldest is named"),
        pytest.param("nowhere-1", [], KEPT, "went well 1 of 100 are stored", id="the sample"),
        pytest.param("nowhere-1", [], KEPT, "The oldest of those in memory is good-1", id="memory"),
        pytest.param("nowhere-1", [], Kept(OLD, GOOD, 0.0), "none are stored", id="no sample"),
        pytest.param("nowhere-1", [], Kept(OLD, None, None), "store.url keeps", id="no store"),
        pytest.param("nowhere-1", [], Kept(None, None, None), "No story is kept at all", id="none"),
        pytest.param("nowhere-1", [], Kept(OLD, None, 1.0, is_failing=True), "cannot be read",
                     id="a broken store"),
        pytest.param("abc", [], KEPT, "the beginning of one needs 8 characters", id="too short"),
        pytest.param("x" * 1025, [], KEPT, "no form of ID that is kept", id="too long"),
        pytest.param("a\0b-nowhere", [], KEPT, "no form of ID that is kept", id="no ID at all"),
        pytest.param("3f2a1b0c", ["3f2a1b0c-1", "3f2a1b0c-2"], KEPT,
                     "Several IDs begin so: 3f2a1b0c-1, 3f2a1b0c-2. Give more of it.",
                     id="not unique"),
    ],
)  # fmt: skip
def test_the_reason_is_said(asked, alike, kept, said) -> None:
    assert said in why_missing(asked, alike, kept)


def test_the_oldest_is_named_once() -> None:
    assert why_missing("nowhere-1", [], Kept(OLD, OLD, 0.01)).count("old-1") == 1


def test_where_everything_is_stored_nothing_is_said_of_a_sample() -> None:
    assert "sample" not in why_missing("nowhere-1", [], Kept(OLD, GOOD, 1.0))


@pytest.mark.parametrize("asked", ["CANARY", "CANARY12345", "CANARY\0", "CANARY" * 200])
def test_what_was_asked_is_not_repeated(asked) -> None:
    assert "CANARY" not in why_missing(asked, [], KEPT)
