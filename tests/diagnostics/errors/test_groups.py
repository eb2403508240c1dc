"""Errors are grouped, counted by the hour, bounded, and summed up for a day."""

from typing import Any

import pytest

from proxy.diagnostics.errors.groups import (
    HOUR,
    HOURS,
    MOST_SINGLE,
    REPEATS,
    SAMPLES,
    Groups,
    copied,
)
from proxy.diagnostics.errors.shown import group_json, summary
from proxy.observation.fault import fault_of

BEGIN = 1e9


def add(groups, exchange_of, code="upstream_reset", *, at=0.0, **unusual):
    return groups.add(exchange_of(code, started_wall=BEGIN + at, ended=10.0, **unusual))


def test_only_what_is_a_warning_or_worse_is_an_error(exchange_of) -> None:
    groups = Groups()

    assert add(groups, exchange_of, "completed") is None
    assert add(groups, exchange_of, "bad_request") is None
    assert add(groups, exchange_of, "upstream_error", upstream_status=404) is None
    assert add(groups, exchange_of, "circuit_open").severity == "warning"
    assert add(groups, exchange_of, "upstream_error", upstream_status=503).severity == "error"
    assert add(groups, exchange_of, "internal_error").severity == "critical"


def test_a_group_knows_first_last_total_and_its_latest_ids(exchange_of) -> None:
    groups = Groups()
    for n in range(7):
        add(groups, exchange_of, at=n * 1800, request_id=f"id-{n}")
    (group,) = groups.newest_first()
    shown: dict[str, Any] = group_json(group, BEGIN + 6 * 1800)

    assert shown["total"] == shown["last_24h"] == 7
    assert shown["first_seen"] == "2001-09-09T01:46:40.000Z"
    assert shown["last_seen"] == "2001-09-09T04:46:40.000Z"
    assert shown["samples"] == ["id-6", "id-5", "id-4", "id-3", "id-2"]
    assert [hour["count"] for hour in shown["per_hour"]] == [1, 2, 2, 2]
    assert shown["message"] == "The service closed the connection. Please try again."
    assert len(shown["samples"]) == SAMPLES


def test_counts_go_back_no_further_than_their_bound(exchange_of) -> None:
    groups = Groups()
    for hour in range(HOURS + 10):
        group = add(groups, exchange_of, at=hour * HOUR)

    assert len(group.hours) == HOURS
    assert group.total == HOURS + 10


def test_the_group_not_seen_for_longest_makes_room(exchange_of) -> None:
    groups = Groups(most=2)
    for n, route in enumerate(("a", "b", "c")):
        add(groups, exchange_of, at=n, route=route)

    assert [group.kind.route for group in groups.newest_first()] == ["c", "b"]


def test_a_fault_of_ours_keeps_its_trace_and_shows_it_only_alone(exchange_of) -> None:
    groups = Groups()
    try:
        raise KeyError("a user's secret")
    except KeyError as fault:
        group = add(groups, exchange_of, "internal_error", fault=fault_of(fault))

    assert "trace" not in group_json(group, BEGIN)
    assert str(group_json(group, BEGIN, with_trace=True)["trace"]).endswith("\nKeyError")


def test_changed_groups_are_given_to_be_saved_once(exchange_of) -> None:
    groups = Groups()
    add(groups, exchange_of)

    assert [group.total for group in groups.unsaved()] == [1]
    assert groups.unsaved() == []
    groups.save_all_again()
    assert len(groups.unsaved()) == 1


def test_what_was_saved_before_is_added_to_what_was_counted_since(exchange_of) -> None:
    before, after = Groups(), Groups()
    add(before, exchange_of, at=0, request_id="old")
    add(before, exchange_of, at=0, route="gone")
    add(after, exchange_of, at=HOUR, request_id="new")
    after.restore(before.newest_first())

    assert [group.kind.route for group in after.newest_first()] == ["chat", "gone"]
    group = after.newest_first()[0]
    assert (group.total, list(group.samples)) == (2, ["old", "new"])
    assert (group.first_seen, group.last_seen) == (BEGIN, BEGIN + HOUR)
    assert list(group.hours.values()) == [1, 1]
    assert add(after, exchange_of, at=HOUR).total == 3


def test_a_copy_does_not_change_any_more(exchange_of) -> None:
    groups = Groups()
    group = copied(add(groups, exchange_of))
    add(groups, exchange_of)

    assert (group.total, len(group.samples), sum(group.hours.values())) == (1, 1, 1)


def test_the_summary_is_of_the_last_24_hours(exchange_of) -> None:
    groups = Groups()
    day = 24 * HOUR
    add(groups, exchange_of, at=-day - HOUR)
    add(groups, exchange_of, at=0)
    add(groups, exchange_of, "circuit_open", at=0)
    add(groups, exchange_of, "internal_error", at=-HOUR)
    found: dict[str, Any] = summary(groups.newest_first(), BEGIN)

    assert found["last_24h"] == {"warning": 1, "error": 1, "critical": 1}
    assert found["by_code"] == {"upstream_reset": 1, "circuit_open": 1, "internal_error": 1}
    assert found["rate_per_hour"] == pytest.approx(2 / 24, abs=0.01)
    assert len(found["per_hour"]) == 24
    assert found["per_hour"][-1] == {
        "hour": "2001-09-09T01:00:00.000Z",
        "warning": 1,
        "error": 1,
        "critical": 0,
    }
    assert [group["code"] for group in found["critical_recent"]] == ["internal_error"]


def test_what_had_to_make_room_is_not_saved_any_more(exchange_of) -> None:
    groups = Groups(most=1)
    for n in range(3):
        add(groups, exchange_of, "upstream_reset", route=f"r{n}")

    assert len(groups._unsaved) == 1


def refused(exchange_of, n: int = 0):
    return exchange_of("route_not_found", request_id=f"id-{n}", status=404, route="", attempts=[])


def test_a_4xx_is_a_group_once_it_repeats_and_never_in_the_figures(exchange_of) -> None:
    groups = Groups()
    found = [groups.add(refused(exchange_of, n)) for n in range(REPEATS + 1)]

    assert [group is None for group in found] == [True] * (REPEATS - 1) + [False] * 2
    (group,) = groups.newest_first()
    assert (group.severity, group.total) == ("info", 2)
    assert summary([group], group.last_seen)["by_code"] == {}


def test_a_client_that_leaves_is_no_group(exchange_of) -> None:
    groups = Groups()
    for _ in range(2 * REPEATS):
        groups.add(exchange_of("client_closed_request", status=499))

    assert groups.newest_first() == []


def test_a_resolved_group_comes_back_with_the_next_of_its_kind(exchange_of) -> None:
    groups = Groups()
    group = groups.add(exchange_of("upstream_reset"))
    assert group is not None
    name = group.kind.fingerprint

    assert groups.order(name, "resolve")
    assert group_json(group, BEGIN)["state"] == "resolved"
    groups.add(exchange_of("upstream_reset"))
    assert (group.state, group.returned) == ("", True)


def test_a_muted_group_stays_muted_until_it_is_unmuted(exchange_of) -> None:
    groups = Groups()
    group = groups.add(exchange_of("upstream_reset"))
    assert group is not None
    groups.order(group.kind.fingerprint, "mute")
    groups.add(exchange_of("upstream_reset"))

    assert group_json(group, BEGIN)["state"] == "muted"
    assert groups.unsaved() == [group]
    groups.order(group.kind.fingerprint, "unmute")
    assert group_json(group, BEGIN)["state"] == "active"
    assert not groups.order("nothing", "mute")


def test_an_order_holds_that_is_given_before_the_saved_are_read(exchange_of) -> None:
    before, after = Groups(), Groups()
    before.add(exchange_of("upstream_reset"))
    group = after.add(exchange_of("upstream_reset"))
    assert group is not None
    after.order(group.kind.fingerprint, "mute")
    after.restore(before.newest_first())
    (restored,) = after.newest_first()

    assert (restored.state, restored.total) == ("muted", 2)


def test_one_that_came_back_is_still_said_to_after_a_restart(exchange_of) -> None:
    before, after = Groups(), Groups()
    for groups in (before, after):
        groups.add(exchange_of("upstream_reset"))
    (old,) = before.newest_first()
    before.order(old.kind.fingerprint, "resolve")
    before.add(exchange_of("upstream_reset"))
    after.restore(before.newest_first())

    assert after.newest_first()[0].returned is True


def test_kinds_that_never_repeat_are_forgotten(exchange_of) -> None:
    groups = Groups()
    missed = exchange_of("route_not_found", status=404, attempts=[])
    for _ in range(REPEATS - 1):
        groups.add(missed)
    for n in range(MOST_SINGLE):
        groups.add(exchange_of("route_not_found", status=404, route=f"route-{n}", attempts=[]))

    assert groups.add(missed) is None
