"""What follows from a failure is not taken for its cause."""

from proxy.diagnostics.neighbours.compare import find
from tests.diagnostics.neighbours.conftest import A, B
from tests.diagnostics.neighbours.test_compare import FAILED, fields_of, traffic


def test_only_new_connections_fail_where_reused_ones_are_good_meanwhile(happen, window_of) -> None:
    well = [happen(150.05 + n / 10, endpoint=(A, B)[n % 2], path=f"/{n}") for n in range(5)]
    happened = [*traffic(happen, 30, 0), *well, *traffic(happen, 0, 6, reused=False)]
    window, row = window_of(sorted(happened, key=lambda x: x.ended))

    assert fields_of(find(window, row.kind))[0] == {"connection": "new"}


def test_a_connection_that_is_new_because_one_failed_before_is_no_cause(happen, window_of) -> None:
    """A failure closes its connection, so the next one at that endpoint is new."""
    good = traffic(happen, 20, 0)
    again = [happen(150 + n / 10, endpoint=A) for n in range(5)]
    at = {"endpoint": B, "path": "/api/1"}
    bad = [happen(151 + n / 10, **FAILED, **at, user=f"u{n}", reused=n == 0) for n in range(5)]
    steady = [happen(151 + n / 10, **FAILED, **at, user=f"u{n}", reused=False) for n in range(5)]

    for failed in (bad, steady):
        window, row = window_of([*good, *again, *failed])
        assert all("connection" not in each for each in fields_of(find(window, row.kind)))


def test_whoever_fails_while_connecting_has_a_new_connection(happen, window_of) -> None:
    window, row = window_of(traffic(happen, 30, 6, code="connect_timeout", reused=False))

    assert find(window, row.kind) == []
