"""Which route a request takes."""

import re
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy import outcome as o
from proxy.resilience.breaker import Breaker
from proxy.resilience.budget import Budget
from proxy.resilience.rules import BreakerRule, BudgetRule
from proxy.routing import NoRoute, Route, Router, compiled, normalise, path_of
from proxy.settings.schema import ResolvedRoute

few = settings(max_examples=50, deadline=None, database=None)


def route(name: str, path: str = "/", *methods: str, host: str | None = None) -> Route:
    match = {"path": path, "methods": methods, "host": host}
    rule = ResolvedRoute(name=name, match=match, upstream="chat")
    return Route(rule, Breaker(name, BreakerRule(), lambda _: None), Budget(BudgetRule()))


def found(routes: list[Route], target: str, method: str = "GET", host: str = "a") -> str | NoRoute:
    taken = Router(routes).match(host, target, method)
    return taken if isinstance(taken, NoRoute) else taken.name


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        pytest.param("/a/b", "/a/b", id="nothing to do"),
        pytest.param("", "/", id="an empty path"),
        pytest.param("*", "/", id="the server itself"),
        pytest.param("/a//b", "/a/b", id="a doubled slash"),
        pytest.param("//a", "/a", id="a doubled slash at the beginning"),
        pytest.param("/a//", "/a/", id="a doubled slash at the end"),
        pytest.param("/a/./b", "/a/b", id="a dot"),
        pytest.param("/a/.", "/a/", id="a dot at the end"),
        pytest.param("/a/../b", "/b", id="two dots"),
        pytest.param("/a/b/..", "/a/", id="two dots at the end"),
        pytest.param("/../../a", "/a", id="dots above the root"),
        pytest.param("/a/..", "/", id="back at the root"),
        pytest.param("/a/...", "/a/...", id="three dots are a name"),
        pytest.param("/.well-known/x", "/.well-known/x", id="a name that begins with a dot"),
        pytest.param("/a/%2e%2E/b", "/b", id="encoded dots"),
        pytest.param("/a%2Fb", "/a%2Fb", id="an encoded slash is no separator"),
        pytest.param("/a%2fb", "/a%2Fb", id="in whatever case"),
        pytest.param("/a%2F..%2Fb", "/a%2F..%2Fb", id="dots between encoded slashes are a name"),
        pytest.param("/%2561", "/%61", id="decoded once"),
        pytest.param("/caf%C3%A9", "/café", id="UTF-8"),
        pytest.param("/caf%E9", "/caf\ufffd", id="what is no UTF-8"),
        pytest.param("/100%", "/100%", id="a percent sign alone"),
        pytest.param("/a%3Fb", "/a?b", id="an encoded question mark is part of the path"),
        pytest.param("/a+b", "/a+b", id="a plus is no space"),
    ],
)
def test_normalise(path: str, normal: str) -> None:
    assert normal == normalise(path)


segments = st.lists(st.sampled_from(["", ".", "..", "a", "%2e", "%2F", "%2e%2E", ".a"]), max_size=8)


@few
@given(segments)
def test_a_normal_path_has_a_root_and_no_way_above_it(parts: list[str]) -> None:
    normal = normalise("/" + "/".join(parts))

    assert normal.startswith("/")
    assert not re.search(r"//|/\.\.?(/|$)", normal)
    assert normal == normalise(normal)


@few
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), max_size=4))
def test_an_encoded_path_is_decoded(parts: list[str]) -> None:
    parts = ["x" + part.replace("/", "") for part in parts]
    path = "/" + "/".join(parts)

    assert path == normalise(quote(path))


@pytest.mark.parametrize(
    ("target", "path"),
    [("/a?b", "/a"), ("/a", "/a"), ("/a?b?c", "/a"), ("/?", "/"), ("*", "*")],
)
def test_the_path_of_a_target(target: str, path: str) -> None:
    assert path == path_of(target)


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
    ("path", "target", "captured"),
    [
        pytest.param("/a/{x}", "/a/b", {"x": "b"}, id="a segment"),
        pytest.param("/{x}/{y}", "/a/b", {"x": "a", "y": "b"}, id="two segments"),
        pytest.param("/a/{x...}", "/a/b/c/", {"x": "b/c/"}, id="the rest"),
        pytest.param("/a/{x}/", "/a/b/c", {"x": "b"}, id="a segment of a prefix"),
    ],
)
def test_what_a_pattern_captures(path: str, target: str, captured: dict[str, str]) -> None:
    match = compiled(path).fullmatch(target)

    assert match is not None
    assert captured == match.groupdict()


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
