"""Load shedding: when it begins, when it ends, and that it does not flap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.limits.overload import CALM_IN_A_ROW, LATE_IN_A_ROW, Overload


class Told(list[tuple[str, bool]]):
    def hear(self, cause: str, holds: bool, _value: float, _mark: float) -> None:
        self.append((cause, holds))


def overload(lag: float | None = 0.5, memory: float | None = 1000.0) -> tuple[Overload, Told]:
    told = Told()
    return Overload(lag, memory, told.hear), told


def test_one_stall_however_long_sheds_nothing():
    one, told = overload()
    for late in (60.0, 60.0, 0.0, 60.0, 60.0, 0.4):
        one.saw_lag(late)

    assert (None, []) == (one.detail, told)


def test_a_loop_that_is_late_again_and_again_sheds():
    one, told = overload()
    for _ in range(LATE_IN_A_ROW):
        one.saw_lag(0.7)

    assert "overload.loop_lag: 700 ms of 500 ms" == one.detail
    assert [("loop_lag", True)] == told


def test_it_ends_when_the_loop_has_been_calm_for_a_while():
    one, told = overload()
    for late in (*[0.7] * LATE_IN_A_ROW, *[0.1] * (CALM_IN_A_ROW - 1), 0.3, *[0.1] * CALM_IN_A_ROW):
        before = one.detail
        one.saw_lag(late)

    assert before is not None
    assert one.detail is None
    assert [("loop_lag", True), ("loop_lag", False)] == told


@pytest.mark.parametrize(
    ("used", "sheds"),
    [
        pytest.param([999], False, id="below the mark"),
        pytest.param([1000], True, id="at the mark"),
        pytest.param([1000, 951], True, id="little below"),
        pytest.param([1000, 949], False, id="well below"),
    ],
)
def test_memory(used, sheds):
    one, _ = overload()
    for value in used:
        one.saw_memory(value)

    assert sheds is (one.detail is not None)


def test_while_one_sign_holds_it_goes_on():
    one, told = overload()
    one.saw_memory(2000)
    for _ in range(LATE_IN_A_ROW):
        one.saw_lag(1.0)
    one.saw_memory(0)

    assert one.detail is not None
    assert [("memory", True), ("loop_lag", True), ("memory", False)] == told


def test_what_is_switched_off_is_not_looked_at():
    one, told = overload(None, None)
    for _ in range(LATE_IN_A_ROW):
        one.saw_lag(9.0)
        one.saw_memory(9e9)

    assert (None, []) == (one.detail, told)


def test_refusals_are_counted():
    one, _ = overload()
    one.saw_memory(1000)

    assert one.detail == one.refuse()
    assert 1 == one.refused


@given(st.lists(st.tuples(st.sampled_from(["lag", "memory"]), st.floats(0, 2000)), max_size=80))
def test_each_sign_begins_and_ends_in_turn_and_says_so(values):
    one, told = overload()
    for kind, value in values:
        (one.saw_lag if kind == "lag" else one.saw_memory)(value)

    assert (one.detail is not None) is any(sign.holds for sign in one.signs.values())
    for cause, sign in one.signs.items():
        changes = [holds for name, holds in told if name == cause]
        assert changes == [at % 2 == 0 for at in range(len(changes))]
        assert sign.holds is bool(len(changes) % 2)
