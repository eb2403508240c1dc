"""How the places stand that refused an exchange, whatever the settings are by now."""

from types import SimpleNamespace

import pytest

from proxy.admin.gauges import places_of


@pytest.mark.parametrize("code", ["pool_timeout", "concurrency_limited"])
def test_of_what_a_reload_has_taken_away_nothing_is_told(exchange_of, code) -> None:
    app = SimpleNamespace(upstreams={}, routes=[], overall=None)

    assert places_of(app, exchange_of(code)) == {}
