"""By what little a request missed a route."""

import pytest

from proxy.evidence.near_miss import near_miss
from proxy.http.request_head import read_request
from proxy.routing import NoRoute, Router
from tests.test_routing import route

ROUTES = [
    route("chat", "/api/chat", "POST"),
    route("files", "/files/"),
    route("beta", "/beta", host="beta.example"),
]


@pytest.mark.parametrize(
    ("method", "target", "said"),
    [
        pytest.param("GET", "/api/chat", "the path matches the route chat, the method does not",
                     id="method"),
        pytest.param("POST", "/api/chat/?q=1",
                     "the path differs from the route chat by a slash at its end", id="slash"),
        pytest.param("GET", "/files",
                     "the path differs from the route files by a slash at its end", id="no slash"),
        pytest.param("POST", "/API/chat", "the path differs from the route chat by capitals",
                     id="capitals"),
        pytest.param("GET", "/beta", "the path matches the route beta, the host does not",
                     id="host"),
        pytest.param("GET", "/elsewhere", None, id="nothing like it"),
    ],
)  # fmt: skip
def test_a_near_miss_is_named(method, target, said) -> None:
    router = Router(ROUTES)
    found = router.match("a.example", target, method)
    asked = read_request(method, target, (1, 1), ((b"Host", b"a.example"),), should_close=False)

    assert isinstance(found, NoRoute)
    assert near_miss(router, found, "a.example", asked) == said
