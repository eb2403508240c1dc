"""A record keeps which answer of the DNS was used, and what it had been before."""

from proxy.upstream.resolved import Resolved


def test_the_same_addresses_in_another_order_are_no_new_answer() -> None:
    first = Resolved(["10.0.0.1", "10.0.0.2"], 100.0)

    assert first.follow(["10.0.0.2", "10.0.0.1"], 130.0) is first


def test_another_answer_knows_the_one_before() -> None:
    second = Resolved(["10.0.0.1"], 100.0).follow(["10.0.0.9"], 130.0)

    assert (["10.0.0.9"], 130.0, ["10.0.0.1"]) == (second.addresses, second.since, second.before)
