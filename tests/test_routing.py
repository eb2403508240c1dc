"""Which route a request takes."""

import pytest

from proxy import outcome as o
from proxy.resilience.breaker import Breaker
from proxy.resilience.budget import Budget
from proxy.resilience.rules import BreakerRule, BudgetRule
from proxy.routing import NoRoute, Route, Router
from proxy.settings.schema import ResolvedRoute


def route(name: str, path: str = "/", *methods: str, host: str | None = None) -> Route:
    match = {"path": path, "methods": methods, "host": host}
    rule = ResolvedRoute(name=name, match=match, upstream="chat")
    return Route(rule, Breaker(name, BreakerRule(), lambda _: None), Budget(BudgetRule()))


def found(routes: list[Route], target: str, method: str = "GET", host: str = "a") -> str | NoRoute:
    taken = Router(routes).match(host, target, method)
    return taken if isinstance(taken, NoRoute) else taken.name


@pytest.mark.parametrize(
    ("path", "target", "matches"),
    [
        pytest.param("/a", "/a", True, id="exact"),
        pytest.param("/a", "/a?b", True, id="exact, with a query"),
        pytest.param("/a", "/a/", False, id="exact is not below"),
        pytest.param("/a", "/ab", False, id="exact is not longer"),
        pytest.param("/a", "/A", False, id="case matters"),
        pytest.param("/a.b", "/axb", False, id="a dot is a dot"),
        pytest.param("/a/", "/a/", True, id="prefix"),
        pytest.param("/a/", "/a/b/c", True, id="prefix, below"),
        pytest.param("/a/", "/a", False, id="prefix is not its parent"),
        pytest.param("/a/", "/ab", False, id="prefix ends with a segment"),
        pytest.param("/", "/", True, id="everything"),
        pytest.param("/", "*", True, id="the server itself is at the root"),
        pytest.param("/a/{x}", "/a/1", True, id="a segment"),
        pytest.param("/a/{x}", "/a/", False, id="an empty segment is none"),
        pytest.param("/a/{x}", "/a/1/2", False, id="one segment only"),
        pytest.param("/a/{x}", "/a/1%2F2", True, id="an encoded slash stays in its segment"),
        pytest.param("/a/{x}", "/a/1%0A", True, id="a line end is a character"),
        pytest.param("/a/{x}/b", "/a/1/b", True, id="a segment within"),
        pytest.param("/a.b/{x}", "/axb/1", False, id="a dot in a pattern is a dot"),
        pytest.param("/{x}/a/", "/1/a/2/3", True, id="below a pattern"),
        pytest.param("/{x}/a/", "/1/a", False, id="below a pattern is not its parent"),
        pytest.param("/a/{x...}", "/a/1/2", True, id="the rest"),
        pytest.param("/a/{x...}", "/a/", False, id="the rest is never empty"),
        pytest.param("/a/{x...}", "/a", False, id="the rest is below"),
        pytest.param("/café", "/caf%c3%a9", True, id="encoded letters"),
        pytest.param("/b", "//a/../%62", True, id="whatever the spelling"),
    ],
)
def test_which_targets_a_path_matches(path: str, target: str, matches: bool) -> None:
    taken = found([route("it", path)], target)

    assert ("it" if matches else NoRoute(o.ROUTE_NOT_FOUND)) == taken


@pytest.mark.parametrize(
    ("winner", "loser", "target"),
    [
        pytest.param(("/a",), ("/a", "POST"), "/a", id="one whose method fits before none that"),
        pytest.param(("/a", "GET"), ("/a",), "/a", id="methods before none"),
        pytest.param(("/a/b",), ("/a/{x}",), "/a/b", id="exact before pattern"),
        pytest.param(("/{x}/{y}",), ("/a/",), "/a/b", id="pattern before prefix"),
        pytest.param(("/{x...}",), ("/a/",), "/a/b", id="even one that takes the rest"),
        pytest.param(("/a/b/",), ("/a/",), "/a/b/c", id="the longer prefix"),
        pytest.param(("/abc/{x}",), ("/{x}/d",), "/abc/d", id="more literal characters"),
        pytest.param(("/a/{x}",), ("/a/{x...}",), "/a/b", id="a segment before the rest"),
        pytest.param(("/a/{x}/{y}",), ("/a/{x}/",), "/a/b/c", id="a segment before all below"),
        pytest.param(("/{x}",), ("/",), "/a", id="any pattern before everything"),
    ],
)
def test_the_more_specific_route_wins_whatever_the_order(
    winner: tuple[str, ...], loser: tuple[str, ...], target: str
) -> None:
    routes = [route("winner", *winner), route("loser", *loser)]

    assert "winner" == found(routes, target)
    assert "winner" == found(routes[::-1], target)


def test_a_host_comes_before_any_path() -> None:
    routes = [route("exact", "/a"), route("host", "/", host="there")]

    assert "host" == found(routes, "/a", host="there")
    assert "exact" == found(routes, "/a", host="elsewhere")


@pytest.mark.parametrize(("first", "second"), [("/a/{x}", "/{x}/a"), ("/{x}/a", "/a/{x}")])
def test_equal_patterns_stand_in_the_order_of_the_file(first: str, second: str) -> None:
    assert "first" == found([route("first", first), route("second", second)], "/a/a")


@pytest.mark.parametrize(
    ("method", "taken"),
    [
        pytest.param("GET", "get", id="a method that is named"),
        pytest.param("HEAD", "get", id="GET includes HEAD"),
        pytest.param("POST", "post", id="the next route takes another"),
        pytest.param(
            "PUT",
            NoRoute(o.METHOD_NOT_ALLOWED, ("DELETE", "GET", "HEAD", "POST")),
            id="what none takes",
        ),
        pytest.param(
            "get",
            NoRoute(o.METHOD_NOT_ALLOWED, ("DELETE", "GET", "HEAD", "POST")),
            id="case matters",
        ),
    ],
)
def test_methods(method: str, taken: str | NoRoute) -> None:
    routes = [route("get", "/a", "GET"), route("post", "/{x}", "POST", "DELETE")]

    assert taken == found(routes, "/a", method)


def test_the_methods_of_other_paths_are_not_offered() -> None:
    routes = [route("here", "/a", "GET"), route("there", "/b", "POST")]

    assert NoRoute(o.METHOD_NOT_ALLOWED, ("GET", "HEAD")) == found(routes, "/a", "PUT")


def test_a_route_is_called_as_its_rule() -> None:
    assert "chat" == route("chat").name


ADMIN = (route("admin", "/admin/"), route("rest", "/"))


@pytest.mark.parametrize(
    ("target", "rival"),
    [
        pytest.param("/a/b", None, id="nothing encoded"),
        pytest.param("/x?next=%2fadmin%2f", None, id="encoded in the query only"),
        pytest.param("/%61dmin/x", None, id="it is the admin route's as it is"),
        pytest.param("/group%2Fproject", None, id="the same route either way"),
        pytest.param("/admin%2fusers", "admin", id="an encoded slash"),
        pytest.param("/admin%2Fusers?x", "admin", id="in upper case"),
        pytest.param("/x%2f..%2fadmin%2fusers", "admin", id="dots between encoded slashes"),
        pytest.param("/x/..%2fadmin/users", "admin", id="dots before one"),
        pytest.param("/admin%5cusers", "admin", id="an encoded backslash"),
        pytest.param("/admin\\users", "admin", id="a backslash"),
        pytest.param("/admin/..%2fusers", "rest", id="out of the guarded one"),
    ],
)
def test_a_target_that_decodes_to_one_of_another_route(target: str, rival: str | None) -> None:
    router = Router(ADMIN)
    taken = router.match("a", target, "GET")
    why = router.ambiguity(taken, "a", target, "GET")

    assert (why is None) == (rival is None)
    assert rival is None or why.endswith(f"decoded one of the route {rival}")


def test_a_target_that_decodes_to_what_takes_other_methods_is_ambiguous_too() -> None:
    router = Router([route("admin", "/admin/", "POST"), route("files", "/{name}")])
    taken = router.match("a", "/admin%2fx", "GET")

    assert "the route admin" in (router.ambiguity(taken, "a", "/admin%2fx", "GET") or "")


def test_what_decodes_to_nothing_that_is_routed_is_clear() -> None:
    """`/projects/{id}` may hold an encoded slash."""
    router = Router([route("project", "/projects/{id}")])
    taken = router.match("a", "/projects/a%2fb", "GET")

    assert router.ambiguity(taken, "a", "/projects/a%2fb", "GET") is None


def test_whoever_needs_it_may_have_it_forwarded() -> None:
    rest = ADMIN[1]
    rule = rest.rule.model_copy(update={"encoded_slash": "forward"})
    router = Router([ADMIN[0], Route(rule, rest.breaker, rest.budget)])
    taken = router.match("a", "/admin%2fx", "GET")

    assert router.ambiguity(taken, "a", "/admin%2fx", "GET") is None


def conditional(name: str, path: str = "/", **match: object) -> Route:
    rule = ResolvedRoute(name=name, match={"path": path, **match}, upstream="chat")
    return Route(rule, Breaker(name, BreakerRule(), lambda _: None), Budget(BudgetRule()))


MODELS = [
    conditional("big", "/chat", headers={"X-Model": ["big", "huge"]}),
    conditional("beta", "/chat", query={"beta": "*"}),
    route("rest", "/chat"),
]


@pytest.mark.parametrize(
    ("target", "fields", "name"),
    [
        pytest.param("/chat", {b"x-model": b"huge"}, "big", id="by a header"),
        pytest.param("/chat?beta", {}, "beta", id="by a parameter"),
        pytest.param("/chat?beta=1", {b"x-model": b"big"}, "big", id="a header before it"),
        pytest.param("/chat", {b"x-model": b"small"}, "rest", id="else the one without"),
    ],
)
def test_a_route_by_header_or_parameter(target: str, fields: dict[bytes, bytes], name: str) -> None:
    taken = Router(MODELS).match("a", target, "POST", fields)

    assert isinstance(taken, Route)
    assert name == taken.name


def test_where_nothing_fits_it_is_told_what_was_missing() -> None:
    taken = Router(MODELS[:2]).match("a", "/chat", "POST", {b"x-model": b"sec"})

    assert isinstance(taken, NoRoute)
    assert o.ROUTE_NOT_FOUND is taken.outcome
    assert "big: header x-model is not big or huge; beta: query beta is missing" == taken.near


def test_a_method_is_wrong_only_where_the_conditions_are_met() -> None:
    routes = [
        conditional("big", "/chat", methods=["POST"], headers={"x-model": "big"}),
        conditional("put", "/chat", methods=["PUT"]),
    ]
    taken = Router(routes).match("a", "/chat", "POST")
    other = Router(routes).match("a", "/chat", "GET", {b"x-model": b"big"})

    assert NoRoute(o.METHOD_NOT_ALLOWED, ("PUT",)) == taken
    assert isinstance(taken, NoRoute)
    assert "big: header x-model is missing" == taken.near
    assert NoRoute(o.METHOD_NOT_ALLOWED, ("POST", "PUT")) == other


def test_a_route_that_takes_other_methods_is_no_near_miss() -> None:
    routes = [conditional("big", "/chat", methods=["POST"], headers={"x-model": "big"})]
    taken = Router(routes).match("a", "/chat", "GET")

    assert isinstance(taken, NoRoute)
    assert taken.near is None


def test_of_many_near_misses_three_are_told() -> None:
    routes = [conditional(f"r{n}", "/", headers={"x-m": f"m{n}"}) for n in range(500)]
    taken = Router(routes).match("a", "/", "GET")

    assert isinstance(taken, NoRoute)
    assert (taken.near or "").endswith("r2: header x-m is missing; and 97 more")


def test_a_preflight_announces_its_headers_but_not_their_values() -> None:
    routes = [conditional("big", "/chat", methods=["POST"], headers={"x-model": "big"})]
    taken = Router(routes).match("a", "/chat", "POST", announced=b"content-type, X-Model")

    assert taken is routes[0]
    assert isinstance(Router(routes).match("a", "/chat", "POST", announced=b"x-other"), NoRoute)


def test_what_decodes_to_a_path_of_another_route_counts_where_its_conditions_are_met() -> None:
    guarded = conditional("admin", "/admin/", headers={"x-a": "1"})
    router = Router([guarded, route("rest", "/")])
    taken = router.match("a", "/admin%2fx", "GET")

    assert isinstance(taken, Route)
    assert router.ambiguity(taken, "a", "/admin%2fx", "GET") is None
    assert router.ambiguity(taken, "a", "/admin%2fx", "GET", {b"x-a": b"1"}) is not None
