"""Guards and their decisions, and why a route fits."""

from types import SimpleNamespace

import pytest

from proxy.diagnostics.stories.guards import GUARDS, guards_of, why
from proxy.outcome import OUTCOMES

ALL = list(GUARDS)


def decided(x):
    return {one["guard"]: one["decision"] for one in guards_of(x)}


def test_an_answered_call_passed_all_guards(exchange_of) -> None:
    assert decided(exchange_of()) == dict.fromkeys(ALL, "passed")


@pytest.mark.parametrize("guard", ALL)
def test_what_refused_is_the_last_that_was_asked(exchange_of, guard) -> None:
    for code in GUARDS[guard]:
        x = exchange_of(code, attempts=[], route="" if guard == "route" else "chat")
        at = ALL.index(guard)
        rest = dict.fromkeys(ALL[at + 1 :], "not_asked")

        assert decided(x) == {**dict.fromkeys(ALL[:at], "passed"), guard: "refused", **rest}


@pytest.mark.parametrize("code", ["request_timeout", "bad_request", "body_too_large"])
def test_a_body_that_fails_on_its_way_up_had_passed_all_guards(exchange_of, code) -> None:
    assert decided(exchange_of(code)) == dict.fromkeys(ALL, "passed")


def test_a_client_that_left_early_was_asked_no_further(exchange_of) -> None:
    x = exchange_of("client_closed_request", attempts=[], route="")

    assert decided(x)["listener"] == "passed"
    assert decided(x)["route"] == decided(x)["pool"] == "not_asked"


def test_every_refusal_of_ours_belongs_to_a_guard() -> None:
    refusals = {
        code for code, row in OUTCOMES.items() if row.term[1] in "RQB" or code == "pool_timeout"
    }

    assert refusals == {code for codes in GUARDS.values() for code in codes}


@pytest.mark.parametrize(
    ("match", "words"),
    [
        ({"path": "/"}, "every path"),
        ({"path": "/a/"}, "the path begins with /a/"),
        ({"path": "/a/{x}"}, "the path has the form /a/{x}"),
        (
            {"path": "/a", "host": "h", "methods": ["GET", "PUT"]},
            "the host is h; the path is /a; the method is GET or PUT",
        ),
        (
            {"path": "/a", "headers": {"x-m": ("a", "b")}, "query": {"n": ("*",)}},
            "the path is /a; the header x-m is a or b; the parameter n is there",
        ),
    ],
)
def test_why_a_route_fits(match, words) -> None:
    rest = {"host": None, "methods": [], "headers": {}, "query": {}}

    assert why(SimpleNamespace(**{**rest, **match})) == words
