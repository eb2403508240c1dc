"""Counts of routes in trouble move on with the rows, and never have more than the ring."""

from proxy.diagnostics.neighbours.live import REFRESH, LiveWindows
from proxy.diagnostics.neighbours.ring import SPAN, Ring
from proxy.diagnostics.neighbours.rows import RowMaker
from proxy.diagnostics.neighbours.window import RouteWindow, Slowness


def begun(ring: Ring, live: LiveWindows, at: float) -> None:
    window = RouteWindow("chat", RowMaker().fields, Slowness())
    window.count_all(ring.window(at))
    live.begin(window, at)


def ends(live: LiveWindows, row) -> list[float]:
    window = live.of(row)
    assert window is not None
    return [each.ended for each, _, _ in window.rows]


def test_a_row_that_goes_leaves_the_counts_and_no_other_one_does(happen) -> None:
    """The first was too old for them already."""
    ring, live, maker = Ring(3), LiveWindows(), RowMaker()
    ring.add(maker.row(happen(0.0)))
    ring.add(maker.row(happen(100.0)))
    begun(ring, live, 100.0)
    seen = []
    for at in (101.0, 102.0, 103.0):
        row = maker.row(happen(at))
        live.add(row, ring.add(row))
        seen.append(ends(live, row))

    assert [[100, 101], [100, 101, 102], [101, 102, 103]] == seen


def test_what_is_older_than_the_span_leaves_them(happen) -> None:
    ring, live, maker = Ring(), LiveWindows(), RowMaker()
    for at in (100.0, 105.0, 158.0):
        ring.add(maker.row(happen(at)))
    begun(ring, live, 158.0)
    row = maker.row(happen(103.0 + SPAN))
    live.add(row, ring.add(row))

    assert [105.0, 158.0, 163.0] == ends(live, row)


def test_they_are_begun_anew_now_and_then_and_let_go_where_all_is_well(happen) -> None:
    ring, live, maker = Ring(), LiveWindows(), RowMaker()
    begun(ring, live, 100.0)
    assert live.of(maker.row(happen(100.0 + REFRESH))) is not None
    assert live.of(maker.row(happen(100.5 + REFRESH))) is None
    live.let_go(100.0 + 2 * REFRESH)
    assert ["chat"] == list(live.routes)
    live.let_go(100.5 + 2 * REFRESH)

    assert [] == list(live.routes)
