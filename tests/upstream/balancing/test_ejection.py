"""When failures keep an endpoint out of use, and for how long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.upstream.balancing.ejection import (
    LONGEST,
    LONGEST_REST,
    LOST_PROBE,
    TIMEOUTS,
    Ejection,
    may_eject,
)


@pytest.fixture
def ejection():
    return Ejection()


def fail(ejection, count, code="upstream_reset", **options):
    options = {"had_answer": False} | options
    return [ejection.failed(code, **options) for _ in range(count)][-1]


def test_failures_in_a_row_add_up(ejection):
    assert 4 == fail(ejection, 4)


@pytest.mark.parametrize("code", sorted(TIMEOUTS))
def test_a_timeout_counts_as_two(ejection, code):
    assert 6 == fail(ejection, 3, code)


def test_an_answer_ends_the_row(ejection):
    fail(ejection, 4)
    ejection.answered(0)

    assert 1 == fail(ejection, 1)


def test_a_good_head_before_each_broken_body_hides_nothing(ejection):
    for _ in range(4):
        ejection.answered(0)
        ejection.failed("stream_reset", had_answer=True)
    ejection.answered(0)

    assert 5 == ejection.failed("stream_reset", had_answer=True)


def test_a_whole_answer_ends_both_rows(ejection):
    fail(ejection, 4, had_answer=True)
    ejection.completed(0)

    assert 1 == fail(ejection, 1, had_answer=True)


def test_one_works_that_answered_a_moment_ago_and_has_not_failed_since(ejection):
    assert not ejection.works(0)
    ejection.answered(100)
    assert (True, True, False) == tuple(ejection.works(at) for at in (100, 110, 111))
    ejection.failed("upstream_reset", had_answer=False)
    assert not ejection.works(100)
    ejection.completed(101)
    assert ejection.works(101)


def test_an_ejected_one_is_out_until_its_probe_is_answered(ejection):
    assert 30 == ejection.eject(30, "why", 100)
    assert (True, "why", 130) == (ejection.is_out, ejection.reason, ejection.probe_at)
    ejection.end(131)
    assert (False, None, float("inf")) == (ejection.is_out, ejection.reason, ejection.probe_at)


def test_while_a_probe_is_out_there_is_no_other_unless_it_is_lost(ejection):
    ejection.eject(30, "why", 0)
    ejection.probe(30)

    assert 30 + LOST_PROBE == ejection.probe_at
    ejection.probe_ended()
    assert 30 == ejection.probe_at


def test_each_failed_probe_doubles_the_time_up_to_the_longest(ejection):
    lengths, at = [ejection.eject(30, "why", 0)], 0.0
    for _ in range(5):
        at += lengths[-1]
        lengths.append(ejection.probe_failed("why", at))

    assert [30, 60, 120, 240, LONGEST, LONGEST] == lengths


def test_one_that_fails_again_soon_is_out_for_longer(ejection):
    ejection.eject(30, "why", 0)
    ejection.end(30)

    assert 60 == ejection.eject(30, "why", 45)


def test_one_that_worked_for_longer_than_it_was_out_begins_anew(ejection):
    ejection.eject(30, "why", 0)
    ejection.end(30)

    assert 30 == ejection.eject(30, "why", 61)


def test_a_time_of_its_own_above_the_longest_holds(ejection):
    assert 900 == ejection.eject(900, "why", 0)
    assert 900 == ejection.probe_failed("why", 900)


def test_the_longest_rest_holds_and_no_rest_is_unbounded(ejection):
    ejection.rest(20, "slow down", 0)
    ejection.rest(5, "refused", 0)
    assert (20, "slow down") == (ejection.rest_until, ejection.rest_for)
    ejection.rest(1e9, "go away", 0)
    assert LONGEST_REST == ejection.rest_until


@pytest.mark.parametrize(
    ("out", "count", "left", "at_most", "allowed"),
    [
        pytest.param(0, 2, 1, 0.5, True, id="one of two"),
        pytest.param(1, 2, 0, 1.0, False, id="never the last"),
        pytest.param(1, 3, 1, 0.5, False, id="half of three is one"),
        pytest.param(0, 10, 9, 0.05, True, id="but at least one"),
        pytest.param(0, 10, 9, 0.0, False, id="unless none may be"),
        pytest.param(2, 10, 7, 0.3, True, id="0.3 of ten are three"),
    ],
)
def test_only_a_share_may_be_out(out, count, left, at_most, allowed):
    assert allowed is may_eject(out, count, left, at_most)


@given(
    st.integers(1, 20),
    st.floats(0, 1),
    st.lists(st.tuples(st.integers(0, 19), st.booleans(), st.floats(0, 60)), max_size=200),
)
def test_whatever_happens_the_last_one_is_in_use_and_no_more_than_a_share_is_out(
    count, at_most, story
):
    """Endpoints fail and are probed in any order, at any time."""
    everyone, now = [Ejection() for _ in range(count)], 0.0
    for number, works, passed in story:
        now += passed
        each = everyone[number % count]
        if each.is_out and now >= each.probe_at:
            each.probe(now)
            if works:
                each.end(now)
            else:
                each.probe_failed("why", now)
        elif not each.is_out:
            row = 0 if works else each.failed("head_timeout", had_answer=False)
            if works:
                each.answered(now)
                each.completed(now)
            out = sum(other.is_out for other in everyone)
            if row >= 5 and may_eject(out, count, count - out - 1, at_most):
                each.eject(30.0, "why", now)
        out = sum(other.is_out for other in everyone)

        assert out < count
        assert out <= max(1.0, at_most * count + 1e-9) if at_most else out == 0
        assert all(other.until - now <= LONGEST for other in everyone if other.is_out)
