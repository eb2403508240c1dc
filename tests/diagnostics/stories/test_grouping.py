"""Requests counted by a value, with how many there were when."""

from typing import Any

import pytest

from proxy.diagnostics.stories.grouping import COLUMNS, MOST_GROUPS, SLOTS, grouped, is_column
from proxy.diagnostics.stories.story import brief_of


def groups(summaries, by) -> list[dict[str, Any]]:
    found = grouped(summaries, by)["groups"]
    assert isinstance(found, list)
    return found


def summary(n: int, **values: object) -> dict[str, object]:
    return {"request_id": f"id-{n}", "code": "completed", "ended": 1e9 + n, **values}


def test_groups_are_counted_the_largest_first_and_add_up() -> None:
    paths = ["/a?x=1", "/b", "/a?x=2", "/a", None]
    told = groups([summary(n, path=path) for n, path in enumerate(paths)], "path")

    counts = {group["value"]: group["count"] for group in told}
    assert list(counts.items()) == [("/a", 3), ("/b", 1), ("none", 1)]
    assert all(sum(group["counts"]) == group["count"] for group in told)


def test_counts_over_time_stand_in_their_slots() -> None:
    (group,) = groups([summary(n) for n in range(SLOTS + 1)], "code")

    assert group["counts"] == [1] * (SLOTS - 1) + [2]
    assert group["codes"] == {"completed": SLOTS + 1}
    assert group["samples"] == ["id-0", "id-1", "id-2"]


def test_of_each_slot_is_told_how_many_broke() -> None:
    levels = ["error", "critical", "warning", "info"]
    (group,) = groups([summary(0, level=level) for level in levels], "code")

    assert (sum(group["counts"]), sum(group["broken"])) == (4, 2)


def test_a_field_of_the_teams_own_can_be_counted() -> None:
    told = groups([summary(1, fields={"user": "u1"}), summary(2)], "field.user")

    assert [group["value"] for group in told] == ["u1", "none"]


def test_more_groups_than_are_told_are_said() -> None:
    summaries = [summary(n, path=f"/{n}") for n in range(MOST_GROUPS + 3)]

    assert len(groups(summaries, "path")) == MOST_GROUPS
    assert grouped(summaries, "path")["left_off"] == 3


def test_of_nothing_there_are_no_groups() -> None:
    assert groups([], "path") == []


@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_stands_in_a_summary(exchange_of, name) -> None:
    x = exchange_of("upstream_reset", user_agent="a", detail="d", status=502)

    assert is_column(name)
    assert COLUMNS[name] in brief_of(x, "pod-1")


def test_anything_else_is_no_column() -> None:
    assert not is_column("body")
    assert not is_column("field.")
