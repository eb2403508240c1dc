"""Which stories a query takes."""

import pytest

from proxy.stories.query import Query

ENDED = 1e9 + 0.025


@pytest.mark.parametrize(
    ("query", "takes"),
    [
        pytest.param(Query(), True, id="nothing asked takes all"),
        pytest.param(Query(code="completed"), True, id="code"),
        pytest.param(Query(code="bad_request"), False, id="another code"),
        pytest.param(Query(route="rest"), False, id="another route"),
        pytest.param(Query(status=200, route="chat"), True, id="status and route"),
        pytest.param(Query(status=500), False, id="another status"),
        pytest.param(Query(since=ENDED, until=ENDED), True, id="the very moment"),
        pytest.param(Query(since=ENDED + 1), False, id="too early"),
        pytest.param(Query(until=ENDED - 1), False, id="too late"),
        pytest.param(Query(fields={"user": "u1"}), True, id="a field"),
        pytest.param(Query(fields={"user": "u2"}), False, id="another value"),
        pytest.param(Query(fields={"user": "u1", "x": "y"}), False, id="one field is missing"),
    ],
)
def test_all_conditions_must_hold(exchange_of, query, takes) -> None:
    assert query.takes(exchange_of(fields={"user": "u1", "tenant": "t"})) is takes
