"""Groups of several instances are one: what counts together is added up, and orders hold."""

import pytest

from proxy.diagnostics.errors.fleet import together, with_own
from proxy.diagnostics.errors.groups import Group, GroupOrder, Groups


@pytest.fixture
def had(exchange_of):
    """The group of an instance that had one error then, and what was ordered of it."""

    def make(ended: float, order: GroupOrder | None = None) -> Group:
        groups = Groups()
        group = groups.add(exchange_of("upstream_reset", ended=ended, request_id=f"id-{ended:g}"))
        assert group is not None
        if order is not None:
            groups.order(group.kind.fingerprint, order)
        return group

    return make


def test_counts_are_added_up_and_the_instances_named(had) -> None:
    (whole,) = together([("pod-2", had(12.0)), ("pod-1", had(11.0)), ("pod-2", had(13.0))]).values()

    assert (whole.group.total, whole.instances) == (3, ("pod-1", "pod-2"))
    assert list(whole.group.samples) == ["id-11", "id-12", "id-13"]


def test_our_own_latest_are_the_newest_only_where_they_are(had) -> None:
    (whole,) = with_own(together([("pod-2", had(12.0))]), [had(11.0)], "pod-1").values()

    assert list(whole.group.samples) == ["id-11", "id-12"]


@pytest.mark.parametrize(
    ("ours", "order", "shown"),
    [
        pytest.param(13.0, "mute", ("muted", False), id="what is muted here is muted"),
        pytest.param(11.0, "mute", ("muted", False), id="though others had it later"),
        pytest.param(13.0, "resolve", ("resolved", False), id="what is resolved here is over"),
        pytest.param(11.0, "resolve", ("", True), id="until another has it later"),
    ],
)
def test_an_order_holds_though_others_have_the_group(had, ours, order, shown) -> None:
    others = together([("pod-2", had(12.0))])
    (whole,) = with_own(others, [had(ours, order)], "pod-1").values()

    assert (whole.group.state, whole.group.returned) == shown
