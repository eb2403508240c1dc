"""What is looked at when an exchange was refused a place."""

from types import SimpleNamespace
from typing import Any

from proxy.admin.gauges import places_of
from proxy.exchange import Exchange
from proxy.outcome import POOL_TIMEOUT
from proxy.upstream.rules import UpstreamRule
from proxy.upstream.upstream import Upstream


def refused() -> Exchange:
    x = Exchange(1.0, 1.0, "GET", "/", "")
    x.upstream = "chat"
    x.end(POOL_TIMEOUT)
    return x


def app(**upstreams: Upstream) -> Any:
    """Only what is looked at: a whole app opens ports."""
    return SimpleNamespace(upstreams=upstreams, routes=(), overall=None)


def test_a_pool_is_told_as_it_stands() -> None:
    rule = UpstreamRule.model_validate({"endpoints": ["http://127.0.0.1:1"], "pool": {"size": 2}})
    chat = Upstream("chat", rule, on_endpoint=lambda _: None)

    assert {"size": 2, "in_use": 0, "waiting": 0} == places_of(app(chat=chat), refused())


def test_nothing_is_told_of_an_upstream_that_a_reload_took_away() -> None:
    """What it refused may be recorded a moment later."""
    assert {} == places_of(app(), refused())
