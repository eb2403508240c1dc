"""Which stories a query takes."""

import pytest

from proxy.diagnostics.stories.query import Query, Wanted
from proxy.diagnostics.stories.story import story_of
from proxy.observation.recorded import redact_in_place
from tests.records import attempt

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
        pytest.param(Query(method="GET"), False, id="another method"),
        pytest.param(Query(path="/api/chat"), True, id="a path, whatever its query"),
        pytest.param(Query(path="/api/chat?q=1"), True, id="a path with its query"),
        pytest.param(Query(path="/api"), False, id="a path is whole"),
        pytest.param(Query(path="/api/*"), True, id="all paths that begin so"),
        pytest.param(Query(endpoint="http://127.0.0.1:8000"), True, id="an endpoint"),
        pytest.param(Query(endpoint="http://127.0.0.1:80"), False, id="an endpoint is whole"),
        pytest.param(Query(agent="WIDGET"), True, id="a part of the agent"),
        pytest.param(Query(agent="curl"), False, id="another agent"),
        pytest.param(Query(detail="Silent"), True, id="a part of the detail"),
        pytest.param(Query(detail="reset"), False, id="another detail"),
        pytest.param(Query(instance="pod-1"), True, id="an instance"),
        pytest.param(Query(instance="pod"), False, id="an instance is whole"),
        pytest.param(Query(fields={"user": "u1"}), True, id="a field"),
        pytest.param(Query(fields={"user": "u2"}), False, id="another value"),
        pytest.param(Query(fields={"user": "u1", "x": "y"}), False, id="one field is missing"),
    ],
)
def test_all_conditions_must_hold(exchange_of, query, takes) -> None:
    x = exchange_of(
        fields={"user": "u1", "tenant": "t"}, method="POST", target="/api/chat?q=1",
        user_agent="Widget/1", detail="silent for 3 s",
    )  # fmt: skip

    assert query.takes(x, "pod-1") is takes
    if query.looks_inside:
        assert query.takes_story(story_of(x, instance="pod-1")) is takes


LONG = "x" * 500


@pytest.mark.parametrize(
    ("asked", "unusual"),
    [
        pytest.param("id-1", {}, id="the Reference ID"),
        pytest.param("theirs", {"client_request_id": "theirs"}, id="the client's own, replaced"),
        pytest.param("caf\xe9", {"client_request_id": "caf\xc3\xa9"}, id="as the client wrote it"),
        pytest.param("a b", {"client_request_id": "a b"}, id="one that is no ID"),
        pytest.param("a\\nb", {"client_request_id": "a\nb"}, id="as it is shown"),
        pytest.param("x" * 200, {"client_request_id": LONG}, id="cut, as it is shown"),
        pytest.param(LONG, {"client_request_id": LONG}, id="whole, as it was sent"),
        pytest.param("token=abc", {"request_id": "token=abc"}, id="one that looks like a secret"),
        pytest.param("token=[redacted]", {"request_id": "token=abc"}, id="the same, as shown"),
        pytest.param("8a-FRA", {"upstream_ids": {"X": "1", "CF-Ray": "8a-FRA"}}, id="a provider's"),
        pytest.param(
            "req_1", {"attempts": [attempt(upstream_ids={"Request-ID": "req_1"})]},
            id="a provider's of an attempt that was repeated",
        ),
    ],
)  # fmt: skip
def test_an_exchange_is_found_by_every_id_of_it(exchange_of, asked, unusual) -> None:
    x = exchange_of(**unusual)
    redact_in_place(x)

    assert Wanted(asked).names(x)


@pytest.mark.parametrize("asked", ["id", "id-10", "None", "x" * 199])
def test_no_exchange_is_found_by_another_id(exchange_of, asked) -> None:
    assert not Wanted(asked).names(exchange_of(client_request_id=LONG))
