"""The latest rows are kept, and how far back they reach is known."""

import math

from proxy.diagnostics.neighbours.ring import SPAN, Ring
from proxy.diagnostics.neighbours.rows import RowMaker


def test_a_window_reaches_from_a_minute_before_to_the_end_itself(happen) -> None:
    ring, maker = Ring(), RowMaker()
    for at in (99.0, 100.0, 130.0, 160.0, 161.0):
        ring.add(maker.row(happen(at)))

    assert [row.ended for row in ring.window(160.0)] == [160.0 - SPAN, 130.0, 160.0]


def test_the_oldest_row_goes_and_that_is_remembered(happen) -> None:
    ring, maker = Ring(2), RowMaker()
    ring.add(maker.row(happen(1.0)))
    ring.add(maker.row(happen(2.0)))

    assert ring.lost_until == -math.inf
    ring.add(maker.row(happen(3.0)))
    assert ring.lost_until == 1.0
    assert [row.ended for row in ring.newest_first()] == [3.0, 2.0]


def test_what_never_became_a_row_is_lost_too() -> None:
    ring = Ring()
    ring.lose(5.0)

    assert ring.lost_until == 5.0


def test_what_never_became_a_row_is_not_forgotten_when_an_older_row_goes(happen) -> None:
    ring, maker = Ring(1), RowMaker()
    ring.add(maker.row(happen(1.0)))
    ring.lose(5.0)
    ring.add(maker.row(happen(6.0)))

    assert ring.lost_until == 5.0
