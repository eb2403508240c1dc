"""What clients are told of their limits, in the form of the draft."""

from hypothesis import given
from hypothesis import strategies as st

from proxy.limits.fields import LimitMember, limit_field, policy_field
from proxy.limits.gcra import Quota

PAIRS = st.tuples(st.integers(0, 1_000_000), st.integers(0, 60 * 86400))


def test_a_route_whose_limits_only_run_dry_tells_nothing() -> None:
    assert b"" == policy_field([])


def test_policies_are_told_in_turn() -> None:
    policies = [("chat", Quota(10, 60, 5)), ("hourly", Quota(100, 3600, 100))]

    assert b'RateLimit-Policy: "chat";q=10;w=60, "hourly";q=100;w=3600\r\n' == policy_field(
        policies
    )


@given(st.lists(PAIRS, max_size=30))
def test_what_is_left_is_told_whatever_was_told_before(pairs: list[tuple[int, int]]) -> None:
    member = LimitMember("chat")
    for remaining, reset in [*pairs, *pairs]:
        told = f'RateLimit: "chat";r={remaining};t={reset}\r\n'

        assert told.encode() == limit_field([member.of(remaining, reset)])


def test_no_more_is_remembered_than_there_is_room_for() -> None:
    member = LimitMember("chat")
    for n in range(3000):
        member.of(n, n)

    assert len(member._known) <= 1024
