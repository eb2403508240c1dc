"""A bad exchange is compared with those of all instances, by what they have published."""

import pytest

from proxy.diagnostics.neighbours.across import NOT_BAD, NOT_THERE, told_across
from proxy.diagnostics.neighbours.published import from_texts, slot_of, to_text
from proxy.diagnostics.neighbours.rows import RowMaker
from tests.diagnostics.neighbours.conftest import A, B

WALL = 1e9
BAD = {"code": "head_timeout", "status": None}


@pytest.fixture
def pieces(happen):
    """What an instance has published of exchanges, each its end and what is unusual."""

    def make(instance, happened, *, own=("user_id",), at_least=False):
        maker, by_slot = RowMaker(own), {}
        for at, unusual in happened:
            by_slot.setdefault(slot_of(WALL + at), []).append(maker.row(happen(at, **unusual)))
        texts = [to_text(maker.fields, rows, WALL, at_least=at_least) for rows in by_slot.values()]
        return from_texts("chat", [(instance, text) for text in texts], "asked")

    return make


def story(ended: float, **known: object) -> dict:
    neighbours = {"kind": "head_timeout"} | known
    return {"request_id": "asked", "ended": WALL + ended, "neighbours": neighbours}


def good(since: float, many: int, **unusual):
    return [(since + n / 10, unusual) for n in range(many)]


def test_the_instance_on_which_alone_it_happens_is_named(pieces) -> None:
    bad = [(130 + n, BAD) for n in range(4)] + [(135.0, BAD | {"id": "asked"})]
    slots = [
        *pieces("pod-1", [*good(120, 20), *bad]), *pieces("pod-2", good(110, 30)),
        *pieces("pod-3", good(125, 25)),
    ]  # fmt: skip
    told = told_across(story(135.0), slots)

    assert (5, 80) == (told["alike"], told["all"])
    assert {
        "pod-1": {"alike": 5, "all": 25}, "pod-2": {"alike": 0, "all": 30},
        "pod-3": {"alike": 0, "all": 25},
    } == told["instances"]  # fmt: skip
    assert told["words"][0] == (
        "on 3 instances: 5 of 80 on the route chat ended as head_timeout in the minute up to its "
        "end: pod-1 5 of 25, pod-2 0 of 30, pod-3 0 of 25"
    )
    assert str(told["likely"]).startswith("it is this instance, pod-1")


def test_what_they_have_in_common_on_all_instances_is_found(pieces) -> None:
    """On either alone they are too few."""
    at_b = BAD | {"endpoint": B}
    slots = [
        *pieces("pod-1", [*good(100, 20, endpoint=A), (130, at_b), (131, at_b)]),
        *pieces("pod-2", [*good(100, 20, endpoint=A), (132, at_b), (135, at_b | {"id": "asked"})]),
    ]
    told = told_across(story(135.0), slots)

    assert f"endpoint {B}: 4 of 4 ended as head_timeout; {A}: 0 of 40" in told["words"]
    assert str(told["likely"]).startswith(f"it is this endpoint, {B}")


def test_only_the_minute_up_to_its_end_counts(pieces) -> None:
    slots = pieces("pod-1", [*good(60, 5), *good(100, 7), (135, BAD | {"id": "asked"}), (136, BAD)])
    told = told_across(story(135.0), slots)

    assert (1, 8) == (told["alike"], told["all"])


def test_where_some_are_kept_of_very_many_all_are_counted_and_that_is_said(pieces) -> None:
    many = [(121 + n / 100, {}) for n in range(500)]
    slots = pieces("pod-1", [*many, *((127 + n / 10, BAD) for n in range(3)),
                             (128.0, BAD | {"id": "asked"})])  # fmt: skip
    told = told_across(story(128.0), slots)

    assert (4, 504) == (told["alike"], told["all"])
    assert told["words"][1] == "of these 68, chosen at random, are compared:"


def test_fields_that_one_instance_does_not_know_are_none_there(pieces) -> None:
    own = BAD | {"user": "u9"}
    slots = [
        *pieces("pod-1", [*good(100, 9), *((130 + n, own) for n in range(3)),
                          (135, own | {"id": "asked"})]),
        *pieces("pod-2", good(100, 9), own=()),
    ]  # fmt: skip
    told = told_across(story(135.0), slots)

    assert "user_id u9: 4 of 4" in str(told["words"])


def test_a_slow_one_is_compared_by_what_was_slow_for_its_story(pieces) -> None:
    slow = {"took": 3.0}
    slots = pieces("pod-1", [*good(120, 9), (130, slow), (135, slow | {"id": "asked"})])
    told = told_across(story(135.0, kind="slow", slow_above_ms=400.0), slots)

    assert (2, 11) == (told["alike"], told["all"])


def test_one_of_too_many_is_told_of_another(pieces) -> None:
    told = told_across(story(135.0), pieces("pod-1", [*good(120, 9), (130, BAD | {"id": "other"})]))

    assert "other" == told["see"]
    assert "this one is not kept" in told["words"][-1]


def test_that_there_were_more_is_said(pieces) -> None:
    slots = pieces("pod-1", [*good(120, 9), (135, BAD | {"id": "asked"})], at_least=True)

    assert "at least 1 of 10" in told_across(story(135.0), slots)["words"][0]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        pytest.param({"request_id": "asked", "ended": WALL}, NOT_BAD, id="it was good"),
        pytest.param(story(135.0), NOT_THERE, id="nobody has published anything"),
    ],
)
def test_why_nothing_is_compared_is_said(asked, why) -> None:
    assert {"words": [why]} == told_across(asked, [])
