"""What was found is told in sentences, and what it makes likely by a table of rules."""

import pytest

from proxy.clock import iso
from proxy.diagnostics.neighbours import patterns
from proxy.diagnostics.neighbours.patterns import PATTERNS
from proxy.diagnostics.neighbours.rows import FIELDS
from proxy.diagnostics.neighbours.telling import tell, verb
from tests.diagnostics.neighbours.conftest import A, B
from tests.diagnostics.neighbours.test_compare import FAILED, traffic


def told_of(window_of, happened, **how):
    window, row = window_of(happened)
    told = tell(window, row, lambda at: iso(1e9 + at), at_least=how.get("at_least", False))
    assert told is not None
    return told


def test_every_field_of_a_row_has_a_rule() -> None:
    ruled = {key.partition("=")[0] for key in PATTERNS}

    assert set(FIELDS) - ruled == set()


def test_a_good_one_says_nothing_of_others(happen, window_of) -> None:
    window, row = window_of(traffic(happen, 30, 0))

    assert tell(window, row, iso, at_least=False) is None


def test_the_item_of_the_example(happen, window_of) -> None:
    bad = {"path": "/api/conversations/c-7781", "code": "upstream_error", "status": 500}
    told = told_of(window_of, traffic(happen, 80, 6, **bad))

    assert told["words"][:2] == [
        (
            "6 of 86 on the route chat answered 500 in the minute up to its end; "
            "the first at 01:49:10, 500 ms before"
        ),
        (
            "GET /api/conversations/c-7781: 6 of 6 answered 500, at both endpoints; "
            "all else on the route: 0 of 80"
        ),
    ]
    assert told["likely"].startswith("it is about this item, /api/conversations/c-7781")
    assert (told["alike"], told["all"]) == (6, 86)


def test_the_endpoint_of_the_example(happen, window_of) -> None:
    told = told_of(window_of, traffic(happen, 22, 5, endpoint=B))

    assert (
        f"endpoint {B}: 5 of 16 ended as head_timeout; {A}: 0 of 11" == told["findings"][0]["words"]
    )
    assert told["likely"] == (
        f"it is this endpoint, {B}: elsewhere the route seldom or never ends so."
    )


def test_a_finding_that_the_story_itself_has_not_makes_nothing_likely(happen, window_of) -> None:
    well = [happen(151.0 + n / 10, endpoint=A) for n in range(10)]
    happened = [*traffic(happen, 40, 8, endpoint=B), *well, happen(155.0, endpoint=A, **FAILED)]
    told = told_of(window_of, happened)

    assert not told["findings"][0]["is_this"]
    assert "(not this one's)" in told["findings"][0]["words"]
    assert "likely" not in told


def test_two_that_the_same_requests_have_are_not_told_apart(happen, window_of) -> None:
    told = told_of(window_of, traffic(happen, 40, 6, user="u9", agent="bot/2"))

    assert "cannot be told apart: agent bot/2 or user_id u9." in told["likely"]


def test_everybody_since_then(happen, window_of) -> None:
    told = told_of(window_of, traffic(happen, 30, 8))

    assert told["findings"] == []
    assert "something changed at 01:49:10, for everybody on the route" in told["likely"]


def test_a_connection_is_new_because_the_one_before_failed(happen, window_of) -> None:
    told = told_of(window_of, traffic(happen, 30, 8, reused=False))

    assert "something changed at" in told["likely"]


def test_everybody_where_nobody_was_well(happen, window_of) -> None:
    told = told_of(window_of, traffic(happen, 0, 8))

    assert told["likely"] == PATTERNS[patterns.EVERYBODY].likely
    assert "there is no other to compare with" in told["words"][0]


def test_too_few_are_said_to_be_too_few(happen, window_of) -> None:
    told = told_of(window_of, traffic(happen, 30, 2, user="u9"))

    assert told["words"][0].endswith("in the minute up to its end: too few to compare")
    assert (told["findings"], "likely" in told) == ([], False)


def test_a_client_that_always_leaves_after_the_same_time_has_a_limit(happen, window_of) -> None:
    left = {"code": "client_closed_stream", "streamed": True, "first_event": 0.1, "took": 1.5}
    told = told_of(window_of, traffic(happen, 30, 3, user="u9", **left))

    assert told["exits"] == {
        "field": "user_id", "value": "u9", "left": 3, "all": 3,
        "after_ms": [1500.0, 1500.0, 1500.0],
        "words": "this client (user_id u9) left 3 of its 3 streams, after 1.50 s",
    }  # fmt: skip
    assert told["likely"] == "the client has a limit of its own, of about 1.5 s."


def test_who_leaves_now_and_then_has_none(happen, window_of) -> None:
    happened = traffic(happen, 30, 0)
    for at, took in ((150.0, 0.5), (151.0, 4.0), (152.0, 9.0)):
        happened.append(happen(at, user="u9", took=took, code="client_closed_request", status=None))
    told = told_of(window_of, happened)

    assert told["exits"]["words"].endswith("left 3 of its 3 requests, after 0.50 to 9.00 s")
    assert "limit of its own" not in told["likely"]


def test_what_was_cut_is_said(happen, window_of) -> None:
    told = told_of(window_of, traffic(happen, 30, 6, path="/x" * 100), at_least=True)

    assert told["cut"] is True
    assert told["at_least"] is True
    assert told["words"][0].startswith("at least 6 of 36")
    assert "at least 6 of 6 ended as head_timeout" in told["words"][1]


def test_a_refusal_whose_cause_is_known_makes_nothing_likely(happen, window_of) -> None:
    told = told_of(window_of, traffic(happen, 30, 6, code="circuit_open", attempts=[]))

    assert "likely" not in told


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("upstream_error 503", "answered 503"),
        ("slow", "were as slow"),
        ("client_closed_stream", "were left by the client"),
        ("stream_stalled", "ended as stream_stalled"),
    ],
)
def test_a_kind_has_a_verb(kind, words) -> None:
    assert verb(kind) == words


def test_the_sentences_take_what_they_name() -> None:
    for pattern in PATTERNS.values():
        named = dict.fromkeys(("value", "field", "since", "after", "well", "ill"), "v")
        assert "{" not in pattern.likely.format(**named) + pattern.check.format(**named)
