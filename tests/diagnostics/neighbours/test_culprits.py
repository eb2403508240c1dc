"""Who is behind a refusal: failures that opened a circuit, what spent a limit or a budget."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from proxy.clock import iso
from proxy.diagnostics.neighbours.culprits import Culprits, failures
from proxy.diagnostics.neighbours.ring import Ring
from proxy.diagnostics.neighbours.rows import RowMaker
from proxy.diagnostics.neighbours.window import RouteWindow, Slowness
from proxy.resilience.opening import FailedAttempt, Opening
from tests.diagnostics.neighbours.conftest import A, B
from tests.records import attempt

Told = dict[str, dict[str, Any]]


@pytest.fixture
def culprits_of() -> Callable[..., Told]:
    def of(happened) -> Told:
        maker, ring = RowMaker(("user_id",)), Ring()
        window = RouteWindow("chat", maker.fields, Slowness())
        for x in happened:
            row = maker.row(x)
            ring.add(row)
            window.add(row)
        told = Culprits(maker.own, ring).of(happened[-1], window, lambda at: iso(1e9 + at))
        return cast("Told", told)

    return of


def refused(happen, at, opening, **unusual):
    x = happen(at, code="circuit_open", status=None, attempts=[], **unusual)
    x.opening = opening
    return x


def test_an_open_circuit_names_the_failures_that_opened_it(happen, culprits_of, terms) -> None:
    bad = [
        happen(100.0 + n, code="head_timeout", endpoint=B, user="u9", id=f"bad-{n}")
        for n in range(2)
    ]
    good = [happen(90.0 + n, endpoint=(A, B)[n % 2], user=f"u{n}") for n in range(6)]
    failed = tuple(FailedAttempt(x.request_id, "head_timeout", None, B, x.ended) for x in bad)
    opening = Opening("consecutive", 101.0, failed)
    told = culprits_of([*good, *bad, refused(happen, 110.0, opening, terms=terms)])["circuit"]

    assert told["words"] == [
        "opened at 01:48:21 by the rule consecutive 5",
        f"bad-0: head_timeout at {B}, user_id u9",
        f"bad-1: head_timeout at {B}, user_id u9",
        (
            f"they have in common, and not with most good ones: code head_timeout, user_id u9, "
            f"endpoint {B}"
        ),
    ]
    assert told["by_hand"] is False


def test_what_most_good_ones_have_too_is_not_in_common(happen, culprits_of) -> None:
    """All come from one address and use one agent: that says nothing."""
    bad = [happen(100.0 + n, code="head_timeout", path=f"/{n}", id=f"b{n}") for n in range(3)]
    good = [happen(90.0 + n) for n in range(6)]
    failed = tuple(FailedAttempt(x.request_id, "head_timeout", None, A, x.ended) for x in bad)
    x = refused(happen, 110.0, Opening("ratio", 102.0, failed))
    told = culprits_of([*good, *bad, x])["circuit"]

    assert told["common"] == {"code": "head_timeout"}


def test_a_circuit_that_was_opened_by_hand_says_so(happen, culprits_of) -> None:
    told = culprits_of([refused(happen, 110.0, Opening("manual", 105.0))])["circuit"]

    assert (told["by_hand"], told["words"]) == (True, ["opened by hand at 01:48:25"])


def test_a_failure_that_is_not_kept_is_told_as_far_as_it_is_known(happen, culprits_of) -> None:
    opening = Opening("probe_failed", 50.0, (FailedAttempt("gone", "upstream_error", 503, A, 50),))
    told = culprits_of([refused(happen, 110.0, opening)])["circuit"]

    assert told["words"][1] == f"gone: 503 at {A}"
    assert told["common"] == {}


def test_a_rate_limit_names_those_it_let_in(happen, culprits_of) -> None:
    let_in = [happen(100.0 + n, user="u1" if n else "u2") for n in range(4)]
    before = happen(105.0, code="rate_limited", status=None, attempts=[])
    told = culprits_of([*let_in, before, happen(106.0, code="rate_limited", attempts=[])])
    spent = told["rate_limit"]

    assert (spent["count"], spent["by_user"]) == (4, {"user_id u1": 3, "user_id u2": 1})
    assert spent["words"] == [
        (
            "in the minute before, 4 requests let in on the route chat: by user_id u1 (3), "
            "user_id u2 (1)"
        ),
        f"at {A} (4)",
    ]


def test_a_spent_budget_names_the_retries_that_were_paid_from_it(happen, culprits_of) -> None:
    tries = [attempt(A, 99.0, result="reset"), attempt(B, 99.5, result="ok")]
    paid = [happen(100.0 + n, user=f"u{n % 2}", attempts=tries) for n in range(3)]
    x = happen(105.0, code="upstream_reset", status=None, retry_stopped="budget_spent")
    spent = culprits_of([*paid, happen(104.0), x])["budget"]

    assert (spent["count"], spent["after"]) == (3, {f"reset at {A}": 3})
    assert spent["words"][0] == (
        "in the minute before, 3 retries paid on the route chat: by user_id u0 (2), user_id u1 (1)"
    )


def test_the_attempts_that_failed_are_told_by_result_and_endpoint(
    happen, culprits_of, terms
) -> None:
    """As many as the breaker has counted, the newest of them."""
    happened = [happen(100.0, code="upstream_reset", endpoint=A)]
    happened += [happen(101.0 + n, code="head_timeout", endpoint=B) for n in range(3)]
    happened += [happen(110.0, code="head_timeout", terms=terms, breaker_counts=(3, 22))]
    told = culprits_of(happened)["attempts"]

    assert told["failed"] == {f"head_timeout at {B}": 2, f"head_timeout at {A}": 1}


@pytest.mark.parametrize(
    ("unusual", "failed"),
    [
        ({"code": "head_timeout"}, [(A, "head_timeout")]),
        ({"code": "stream_stalled"}, [(A, "stream_stalled")]),
        ({"code": "upstream_error", "status": 404,
          "attempts": [attempt(A, 1.0, result="status_4xx")]}, []),
        ({"code": "client_closed_request"}, []),
        ({}, []),
    ],
    ids=["no head", "within the body", "an answer is no failure", "the client left", "good"],
)  # fmt: skip
def test_only_what_a_breaker_counts_is_a_failed_attempt(happen, unusual, failed) -> None:
    assert failures(RowMaker().row(happen(1.0, **unusual))) == failed


def test_an_address_by_which_a_user_is_known_is_in_common_once(happen, culprits_of) -> None:
    bad = [happen(100.0 + n, code="head_timeout", user="", id=f"bad-{n}") for n in range(2)]
    good = [happen(90.0 + n, user=f"u{n}") for n in range(6)]
    for x in good:
        x.client_ip = "192.0.2.99"
    failed = tuple(FailedAttempt(x.request_id, "head_timeout", None, A, x.ended) for x in bad)
    opening = Opening("consecutive", 101.0, failed)
    told = culprits_of([*good, *bad, refused(happen, 110.0, opening, user="")])["circuit"]

    assert told["common"] == {"code": "head_timeout", "user": "client 192.0.2.1"}


LIMIT = "rate_limit chat: no leave for 0.6 s (60/1m, burst 30, by {})"


@pytest.mark.parametrize(
    ("by", "user", "likely", "count"),
    [
        pytest.param(
            "address 192.0.2.1", "u1",
            "Another one spent what both share: 5 of the 7 let in in the minute before were those "
            "of user_id u9.", 7, id="another one",
        ),
        pytest.param(
            "user_id 63dff5f4", "u9",
            "It spent the limit itself: 5 of the 5 let in in the minute before were its own "
            "(user_id u9).", 5, id="its own",
        ),
        pytest.param("header X-Key 63dff5f4", "u1", None, 7, id="nobody can tell"),
    ],
)  # fmt: skip
def test_who_spent_a_limit_is_told(happen, culprits_of, by, user, likely, count) -> None:
    happened = [happen(100.0 + n, user="u9") for n in range(5)]
    happened += [happen(106.0 + n, user="u1") for n in range(2)]
    happened.append(happen(110.0, code="rate_limited", status=None, attempts=[], user=user))
    happened[-1].detail = LIMIT.format(by)
    told = culprits_of(happened)["rate_limit"]

    assert told["count"] == count
    if likely is not None:
        assert told["likely"] == likely
        assert "user_id u9" in told["check"]
