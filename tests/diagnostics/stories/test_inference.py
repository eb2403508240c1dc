"""What is likely is told apart from what is proven, and what is about this one goes first."""

import pytest

from proxy.diagnostics.stories.circumstance_runbooks import CIRCUMSTANCES
from proxy.diagnostics.stories.inference import INFERENCES, UNKNOWN, infer
from proxy.diagnostics.stories.runbooks import CLOCKS, CODES


def test_every_runbook_of_an_end_has_an_inference() -> None:
    assert set(INFERENCES) == set(CODES | CLOCKS | CIRCUMSTANCES)


@pytest.mark.parametrize("inference", INFERENCES.values(), ids=INFERENCES)
def test_each_has_a_next_check_and_whole_sentences(inference) -> None:
    assert inference.check[0].isupper()
    assert inference.check[-1] in ".?"
    assert not inference.likely or inference.likely[0].isupper()


def test_the_neighbours_say_it_of_this_one() -> None:
    around = {"neighbours": {"likely": "it is this endpoint.", "check": "Compare them."}}

    assert infer("head_timeout", around) == ("It is this endpoint.", "Compare them.")


def test_the_failures_that_opened_a_circuit_say_it_of_this_one() -> None:
    common = {"status": 503, "user": "user_id u9", "endpoint": "http://b"}
    around = {"culprits": {"circuit": {"common": common}}}
    likely, _ = infer("circuit_open", around)

    assert likely == (
        "It is about what the failures that opened it have in common: user_id u9, "
        "endpoint http://b."
    )


def test_where_they_share_only_how_they_ended_the_usual_stands() -> None:
    around = {"culprits": {"circuit": {"common": {"status": 503}}}}

    assert infer("circuit_open", around)[0] == INFERENCES["circuit_open"].likely


def test_what_is_known_is_not_explained_by_others() -> None:
    around = {"neighbours": {"likely": "it is this endpoint.", "check": "Compare them."}}

    assert infer("circuit_by_hand", around)[0] == INFERENCES["circuit_by_hand"].likely


def test_where_nothing_points_to_a_cause_that_is_said() -> None:
    assert infer("upstream_error", {})[0] == UNKNOWN
