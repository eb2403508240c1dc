"""Errors as they are shown: of this process, or with those of all instances."""

from typing import Any

import pytest

from proxy.diagnostics.errors.fleet import together
from proxy.diagnostics.errors.groups import Group, Groups
from proxy.diagnostics.errors.view import ErrorsView

WALL = 1e9 + 100


@pytest.fixture
def had(exchange_of):
    """Groups of one process that had one error of this code then, and the group."""

    def make(code: str, ended: float) -> tuple[Groups, Group]:
        groups = Groups()
        return groups, groups.add(exchange_of(code, ended=ended, request_id=f"id-{ended:g}"))

    return make


def test_without_a_common_store_there_are_our_own_only(had) -> None:
    groups, own = had("upstream_reset", 11.0)
    view = ErrorsView(groups, "pod-1", lambda: None)
    fingerprint = own.kind.fingerprint
    shown: Any = view.all(WALL)["groups"]

    assert ["upstream_reset"] == [group["code"] for group in shown]
    assert "instances" not in view.one(fingerprint, WALL)
    assert view.one("of nobody", WALL) is None


def test_those_of_all_instances_are_one_list_the_latest_first(had) -> None:
    groups, own = had("upstream_reset", 11.0)
    _, same = had("upstream_reset", 12.0)
    _, other = had("head_timeout", 13.0)
    view = ErrorsView(groups, "pod-1", lambda: together([("pod-2", same), ("pod-3", other)]))
    shown: Any = view.all(WALL)["groups"]

    assert [("head_timeout", 1, ["pod-3"]), ("upstream_reset", 2, ["pod-2", "pod-1"])] == [
        (group["code"], group["total"], group["instances"]) for group in shown
    ]
    assert 2 == view.one(own.kind.fingerprint, WALL)["total"]
    assert ["pod-3"] == view.one(other.kind.fingerprint, WALL)["instances"]
    assert view.one("of nobody", WALL) is None
