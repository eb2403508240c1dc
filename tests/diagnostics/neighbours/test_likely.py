"""What others did is an inference only where the record does not say the cause."""

import pytest

from proxy.diagnostics.neighbours import patterns
from proxy.diagnostics.neighbours.likely import BY_REQUEST, CAUSE_KNOWN
from proxy.diagnostics.neighbours.patterns import PATTERNS
from proxy.outcome import OUTCOMES
from tests.diagnostics.neighbours.test_compare import traffic
from tests.diagnostics.neighbours.test_telling import told_of

REFUSED = {"attempts": [], "status": None}


@pytest.mark.parametrize("code", sorted(CAUSE_KNOWN))
def test_one_endpoint_or_user_is_no_cause_of_what_is_refused_by_a_limit(
    happen, window_of, code
) -> None:
    told = told_of(window_of, traffic(happen, 30, 6, code=code, user="u9", **REFUSED))

    assert "likely" not in told
    assert told["findings"]


@pytest.mark.parametrize("code", sorted(BY_REQUEST))
def test_a_request_that_is_refused_for_itself_is_no_fault_of_an_item(
    happen, window_of, code
) -> None:
    told = told_of(window_of, traffic(happen, 30, 6, code=code, path="/api/c-7", **REFUSED))

    assert "likely" not in told


def test_of_requests_that_are_refused_it_is_told_who_alone_sends_them(happen, window_of) -> None:
    unusual = {"code": "method_not_allowed", "agent": "bot/2", "path": "/api/c-7"}
    told = told_of(window_of, traffic(happen, 30, 6, **unusual, **REFUSED))

    assert told["likely"] == (
        "only some send such requests: agent bot/2. Others of the route seldom or never do."
    )
    assert "check" not in told


def test_that_a_request_names_no_user_says_nothing_of_who_sends_it(happen, window_of) -> None:
    unusual = {"code": "preflight_refused", "user": "", "path": "/api/c-7"}
    told = told_of(window_of, traffic(happen, 30, 6, **unusual, **REFUSED))

    assert "likely" not in told


def test_new_settings_are_told_of_what_they_refuse(happen, window_of) -> None:
    unusual = {"code": "body_too_large", "config_hash": "new"}
    well = [happen(150.0 + n / 100, config_hash="new") for n in range(5)]
    happened = [*traffic(happen, 30, 0, config_hash="old"), *well]
    happened += [happen(151.0 + n / 10, **unusual, **REFUSED) for n in range(4)]
    told = told_of(window_of, happened)

    assert told["likely"].startswith("it is about the settings new")


def test_one_user_is_not_everybody(happen, window_of) -> None:
    """That nobody else asked proves nothing of the upstream."""
    told = told_of(window_of, [happen(100.0 + n, code="head_timeout") for n in range(6)])

    assert "likely" not in told


def test_a_client_that_leaves_what_takes_long_is_told_what_that_is(happen, window_of) -> None:
    left = {"code": "client_closed_request", "status": None, "took": 1.5, "path": "/api/report"}
    told = told_of(window_of, traffic(happen, 30, 4, user="u1", **left))

    assert told["likely"] == (
        "the client has a limit of its own, of about 1.5 s, and what it asked for takes longer: "
        "/api/report."
    )


def test_codes_are_sorted_into_one_kind_at_most() -> None:
    assert not CAUSE_KNOWN & BY_REQUEST
    assert set(OUTCOMES) > CAUSE_KNOWN | BY_REQUEST
    assert {patterns.ASKER, patterns.IDLE, patterns.CLIENT_WAITED} <= set(PATTERNS)


def test_an_error_answer_is_plain_because_it_is_an_error(happen, window_of) -> None:
    bad = {"code": "upstream_error", "status": 429, "streamed": False}
    happened = [happen(100.0 + n / 10, streamed=True, user=f"u{n % 5}") for n in range(20)]
    happened += [happen(150.0 + n / 10, **bad, user=f"u{n % 5}") for n in range(8)]
    told = told_of(window_of, happened)

    assert told["findings"] == []
    assert "something changed at" in told["likely"]
