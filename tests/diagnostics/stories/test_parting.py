"""Two stories part at the first step of the way in which something differs."""

import pytest

from proxy.diagnostics.stories.parting import part_stories, shown
from proxy.diagnostics.stories.story import story_of
from tests.records import attempt

A, B = "http://a:1", "http://b:1"


def good(exchange_of, **unusual):
    return story_of(exchange_of(**unusual))


def test_the_same_part_nowhere(exchange_of) -> None:
    parting = part_stories(good(exchange_of), good(exchange_of))

    assert parting.step is None
    assert not any(fact.differs for fact in parting.facts)
    assert parting.words().startswith("The two stories part nowhere")


def test_what_was_asked_differs_without_parting_them(exchange_of) -> None:
    parting = part_stories(
        good(exchange_of, target="/a", fields={"user_id": "u1"}),
        good(exchange_of, target="/b", fields={"user_id": "u2"}),
    )

    assert {f.name for f in parting.facts if f.differs} == {"path", "user_id"}
    assert parting.step is None


@pytest.mark.parametrize(
    ("code", "unusual", "step", "named"),
    [
        pytest.param("completed", {"route": "other"}, "route", "name other, not chat", id="route"),
        pytest.param(
            "rate_limited", {"attempts": []}, "guards", "rate_limit refused, not passed", id="guard"
        ),
        pytest.param(
            "completed",
            {"attempts": [attempt(B, 10.0, connect=0.002, head=0.02, sent=True, status=200)]},
            "attempt 1",
            f"endpoint {B}, not http://127.0.0.1:8000",
            id="endpoint",
        ),
        pytest.param(
            "completed", {"breaker_before": "half_open"}, "circuit",
            "before half_open, not closed", id="circuit",
        ),
        pytest.param("stream_stalled", {}, "end", "code stream_stalled, not completed", id="end"),
    ],
)  # fmt: skip
def test_they_part_where_something_differs_first(exchange_of, code, unusual, step, named) -> None:
    parting = part_stories(story_of(exchange_of(code, **unusual)), good(exchange_of))

    assert parting.step == step
    assert named in parting.words()


def test_lengths_differ_where_one_is_twice_the_other_and_worth_a_word(exchange_of) -> None:
    def head(seconds):
        tried = attempt(A, 10.0, head=seconds, status=200, result="ok")
        return good(exchange_of, attempts=[tried])

    assert part_stories(head(0.5), head(0.1)).step == "attempt 1"
    assert part_stories(head(0.15), head(0.1)).step is None
    assert part_stories(head(0.02), head(0.001)).step is None


def test_the_number_of_bytes_is_no_place_to_part(exchange_of) -> None:
    parting = part_stories(good(exchange_of, bytes_out=7), good(exchange_of))

    assert parting.step is None
    assert parting.body()["parts_at"] is None


def test_values_are_shown_for_people() -> None:
    assert shown("head_ms", 1400.0) == "1.4 s"
    assert shown("reused", value=True) == "true"
    assert shown("detail", None) == "none"
