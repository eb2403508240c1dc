"""How places stand that were refused, also where a reload has taken them away meanwhile."""

from types import SimpleNamespace
from typing import Any

import pytest

from proxy.admin.gauges import places_of
from proxy.exchange import Exchange
from proxy.outcome import POOL_TIMEOUT
from proxy.upstream.pool import PoolView


def upstream(size: int) -> Any:
    view = PoolView(size=size, in_use=size, idle=0, waiting=1, oldest_age=0.0)
    return SimpleNamespace(name="chat", view=lambda: view)


@pytest.mark.parametrize(
    ("upstreams", "retired", "size"),
    [
        pytest.param({"chat": upstream(1)}, [upstream(2)], 1, id="the one in force"),
        pytest.param({}, [upstream(2)], 2, id="one that is gone, and still in use"),
        pytest.param({}, [], None, id="one of which nothing is left"),
    ],
)
def test_the_pool_that_had_no_room(upstreams, retired, size) -> None:
    x = Exchange(0.0, 1e9, "GET", "/", "192.0.2.1")
    x.outcome, x.upstream = POOL_TIMEOUT, "chat"
    app: Any = SimpleNamespace(upstreams=upstreams, retired=retired)

    assert size == places_of(app, x).get("size")
