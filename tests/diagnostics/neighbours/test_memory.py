"""A hundred thousand different paths, users and agents cost what docs/limits.md says."""

import tracemalloc

import pytest

from proxy import clock
from proxy.diagnostics.neighbours.desk import MOST_WAITING, Desk
from proxy.diagnostics.stories.recent import bytes_of

ROOM = 40 << 20
"""What docs/limits.md says."""


@pytest.mark.parametrize("every", [1000, 100_000], ids=["now and then a bad one", "one bad one"])
@pytest.mark.parametrize("longer", ["", "x" * 300], ids=["usual values", "values to be cut"])
def test_a_hundred_thousand_different_values_cost_what_is_documented(happen, longer, every) -> None:
    """Some are bad, so that there are counts as well; what is found lies on their records. The
    last are not looked at, so that they wait as they are."""
    desk, now = Desk(("user_id",), lambda _: False), clock.now()
    tracemalloc.start()
    for start in range(0, 100_000, 50):
        batch = []
        for n in range(start, start + 50):
            bad = {} if n % every else {"code": "head_timeout", "status": None}
            named = {"path": f"/api/{n}{longer}", "user": f"u{n}{longer}"}
            batch.append(happen(now + n / 10_000, agent=f"agent/{n}{longer}", **named, **bad))
        waits = start > 100_000 - MOST_WAITING
        desk.add(batch, {}, sum(map(bytes_of, batch)), troubled=not waits)
        if not waits:
            desk.settle()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert held < ROOM
