"""Errors by group: which are shown where, and over which time."""

from proxy.admin.pages.errors import by_hour, is_shown


def test_hours_stand_where_they_belong() -> None:
    counts = by_hour(
        [
            {"hour": "2026-11-22T03:00:00Z", "count": 5},
            {"hour": "2026-11-22T01:00:00Z", "count": 2},
            {"hour": "2026-11-01T01:00:00Z", "count": 9},
            {"hour": "nonsense", "count": 9},
        ],
        1795317000.0,
    )

    assert [2.0, 0.0, 5.0] == counts[-3:]
    assert 7.0 == sum(counts)


def test_what_is_muted_resolved_or_of_clients_stands_apart() -> None:
    assert is_shown({"severity": "warning", "state": "active"})
    assert not is_shown({"severity": "error", "state": "muted"})
    assert not is_shown({"severity": "error", "state": "resolved"})
    assert not is_shown({"severity": "info", "state": "active"})
