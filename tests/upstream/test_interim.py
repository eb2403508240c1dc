"""Interim heads are borne up to a number, and told once."""

import pytest

from proxy.http.framing import ResponseHead
from proxy.upstream.interim import MAX_INTERIM, InterimHeads

UPGRADE = [(b"Upgrade", b"websocket"), (b"Connection", b"upgrade")]


def head_of(status: int, version: str = "1.1", headers: list | None = None) -> ResponseHead:
    return ResponseHead(status, b"", headers or [], version, "none", None)


@pytest.fixture
def interims() -> InterimHeads:
    found = InterimHeads()
    found.begin(may_switch=False)
    return found


def test_all_but_a_100_are_passed_on(interims: InterimHeads) -> None:
    passed = []
    for status in (100, 102, 103):
        assert interims.refusal(head_of(status)) is None
        passed.append(interims.is_passed_on(head_of(status)))

    assert [False, True, True] == passed


def test_one_more_than_are_borne_is_refused(interims: InterimHeads) -> None:
    refusals = [interims.refusal(head_of(103)) for _ in range(MAX_INTERIM + 1)]

    assert [None] * MAX_INTERIM == refusals[:-1]
    assert refusals[-1] == f"more than {MAX_INTERIM} interim responses"


def test_what_is_read_a_second_time_is_not_passed_on_again(interims: InterimHeads) -> None:
    interims.refusal(head_of(103))
    interims.begin_anew()
    passed = []
    for _ in range(2):
        interims.refusal(head_of(103))
        passed.append(interims.is_passed_on(head_of(103)))

    assert [False, True] == passed


@pytest.mark.parametrize(("asked", "why"), [(True, None), (False, "101 without a request")])
def test_a_101_is_borne_where_it_was_asked_for(asked: bool, why: str | None) -> None:
    interims = InterimHeads()
    interims.begin(may_switch=asked)

    refusal = interims.refusal(head_of(101, headers=UPGRADE))

    assert (refusal or "").startswith(why or "")
    assert (refusal is None) is (why is None)


def test_another_version_of_http_is_refused(interims: InterimHeads) -> None:
    assert interims.refusal(head_of(103, "2.0")) == "HTTP version 2.0"
