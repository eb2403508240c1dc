"""The counts that rules look back on."""

from math import inf

from proxy.diagnostics.alerts.counts import SLOT, SLOTS, CountWindow
from proxy.diagnostics.alerts.rules import AlertsRule


def window(**unusual):
    return CountWindow.of(AlertsRule(**unusual))


def counted(window, *names, seconds=300.0, now=20.0):
    return [window.total(name, seconds, now) for name in names]


def test_exchanges_are_counted_by_how_they_ended(exchange_of) -> None:
    w = window()
    for code, status in (
        ("completed", 200),
        ("circuit_open", None),
        ("upstream_reset", None),
        ("internal_error", None),
        ("upstream_error", 401),
        ("upstream_error", 403),
        ("upstream_error", 500),
    ):
        w.add(exchange_of(code, status=status, upstream_status=status))

    names = ("exchanges", "answers", "warnings", "errors", "critical_errors", "unauthorised")
    assert counted(w, *names) == [7, 7, 1, 2, 1, 2]


def test_slow_answers_and_slow_streams_are_told_apart(exchange_of) -> None:
    w = window()
    w.add(exchange_of(ended=12.4))
    w.add(exchange_of(ended=12.6))
    w.add(exchange_of(ended=19.0, streamed=True, first_event=4.9))
    w.add(exchange_of(ended=19.0, streamed=True, first_event=5.1))
    w.add(exchange_of("stream_stalled", streamed=True))

    names = ("answers", "slow_answers", "streams", "slow_first_events", "stalls")
    assert counted(w, *names) == [2, 1, 3, 1, 1]


def test_without_a_threshold_nothing_is_slow() -> None:
    w = window(slow_answers={"above": None}, slow_first_events={"above": None})

    assert (w.slow_answer, w.slow_first_event) == (inf, inf)


def test_only_the_window_counts(exchange_of) -> None:
    w = window()
    for ended in (100.0, 150.0, 199.0):
        w.add(exchange_of(ended=ended))

    assert counted(w, "exchanges", seconds=60.0, now=200.0) == [2]
    assert counted(w, "exchanges", seconds=300.0, now=200.0) == [3]
    assert counted(w, "exchanges", seconds=300.0, now=10_000.0) == [0]


def test_memory_is_bounded_by_an_hour_of_slots(exchange_of) -> None:
    w = window()
    for n in range(2 * SLOTS):
        w.add(exchange_of(ended=n * SLOT))

    assert len(w._slots) <= SLOTS
    assert counted(w, "exchanges", seconds=3600.0, now=2 * SLOTS * SLOT - 1) == [SLOTS]


def test_three_ids_are_kept_for_each_rule_route_and_upstream(exchange_of) -> None:
    w = window()
    for n in range(5):
        w.add(exchange_of("upstream_reset", request_id=f"id-{n}"))

    assert w.samples("errors") == ("id-4", "id-3", "id-2")
    assert w.samples("route chat") == w.samples("upstream chat") == ("id-4", "id-3", "id-2")
    assert w.samples("warnings") == ()


def test_what_happened_at_the_end_of_a_slot_is_not_missed_in_the_next(exchange_of) -> None:
    w = window()
    w.add(exchange_of("upstream_reset", ended=2 * SLOT - 0.1))

    assert counted(w, "errors", seconds=SLOT, now=2 * SLOT + 0.1) == [1]
    assert counted(w, "errors", seconds=SLOT, now=4 * SLOT) == [0]
