"""The index finds what a look at every route would find, and looks at few."""

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy import outcome as o
from proxy.http.authority import host_name
from proxy.matching.conditions import Asked, Condition, conditions_of
from proxy.matching.index import Candidate, PathGroup, PathIndex
from proxy.matching.paths import compiled, normalise, path_of
from proxy.matching.rank import specificity
from proxy.resilience.breaker import Breaker
from proxy.resilience.budget import Budget
from proxy.resilience.rules import BreakerRule, BudgetRule
from proxy.routing import NoRoute, Route, Router
from proxy.settings.schema import ResolvedRoute

many = settings(max_examples=400, deadline=None, database=None)

MODELS = ["big", "small"]
segments = st.sampled_from(["a", "b", "{x}", "{y}"])
endings = st.sampled_from(["", "/", "/{z...}"])


@st.composite
def paths(draw: st.DrawFn) -> str:
    parts = draw(st.lists(segments, max_size=3, unique=True))
    path = "/" + "/".join(parts)
    ending = draw(endings)
    return path.rstrip("/") + ending if parts or ending else "/"


matches = st.fixed_dictionaries(
    {
        "path": paths(),
        "host": st.sampled_from([None, None, "one", "two"]),
        "methods": st.sampled_from([[], [], ["GET"], ["POST"], ["GET", "PUT"]]),
        "headers": st.dictionaries(
            st.sampled_from(["x-model", "x-beta"]), st.sampled_from(["*", *MODELS, MODELS])
        ),
        "query": st.dictionaries(st.just("m"), st.sampled_from(["*", *MODELS])),
    }
)
requests = st.tuples(
    st.sampled_from(["one", "two:80", "three", "TWO."]),
    st.lists(st.sampled_from(["a", "b", "c", "", ".."]), max_size=4).map("/".join),
    st.sampled_from(["", "?m=big", "?m=small&m=big", "?m", "?n=big"]),
    st.sampled_from(["GET", "HEAD", "POST", "DELETE"]),
    st.dictionaries(st.sampled_from([b"x-model", b"x-beta"]), st.sampled_from([b"big", b"other"])),
)


def route(at: int, match: dict[str, object]) -> Route:
    rule = ResolvedRoute(name=f"r{at}", match=match, upstream="chat")
    return Route(rule, Breaker("r", BreakerRule(), lambda _: None), Budget(BudgetRule()))


def fits_path(path: str, asked: str) -> bool:
    if "{" in path:
        return compiled(path).fullmatch(asked) is not None
    return asked.startswith(path) if path.endswith("/") else asked == path


def by_looking_at_all(
    routes: list[Route], host: str, target: str, method: str, fields: dict[bytes, bytes]
) -> tuple[str, ...]:
    """The winner's name, or the methods that are allowed, in the words of the rule."""
    allow: set[str] = set()
    asked, path = Asked(fields, target), normalise(path_of(target))
    for each in sorted(routes, key=lambda route: specificity(route.rule.match)):
        match = each.rule.match
        methods = {*match.methods, *(["HEAD"] if "GET" in match.methods else [])}
        if match.host not in (None, host_name(host)) or not fits_path(match.path, path):
            continue
        if not all(condition.fits(asked) for condition in conditions_of(match)):
            continue
        if not methods or method in methods:
            return (each.name,)
        allow |= methods
    return ("405", *sorted(allow)) if allow else ("404",)


@many
@given(st.lists(matches, min_size=1, max_size=25), st.lists(requests, min_size=1, max_size=8))
def test_the_winner_is_the_one_that_a_look_at_every_route_finds(
    listed: list[dict[str, object]],
    asking: list[tuple[str, str, str, str, dict[bytes, bytes]]],
) -> None:
    routes = [route(at, match) for at, match in enumerate(listed)]
    router = Router(routes)
    for host, path, query, method, fields in asking:
        target = f"/{path}{query}"
        taken = router.match(host, target, method, fields)
        if isinstance(taken, NoRoute):
            found = ("405", *taken.allow) if taken.outcome is o.METHOD_NOT_ALLOWED else ("404",)
        else:
            found = (taken.name,)

        assert by_looking_at_all(routes, host, target, method, fields) == found


def entries(*paths: str) -> list[Candidate]:
    return [Candidate(at, path, frozenset(), ()) for at, path in enumerate(paths)]


def test_of_a_thousand_exact_paths_one_is_looked_at() -> None:
    index = PathIndex(entries(*(f"/r{n}" for n in range(1000))))
    group = index.exact("/r500")

    assert group is not None
    assert ["/r500"] == [entry.path for entry in group.entries]
    assert index.exact("/r1000") is None


def test_of_a_thousand_prefixes_those_are_looked_at_that_fit() -> None:
    index = PathIndex(entries("/", *(f"/r{n}/" for n in range(1000)), "/r5/a/"))

    assert ["/r5/a/", "/r5/", "/"] == [
        group.entries[0].path for group in index.prefixes("/r5/a/b/c/d")
    ]


def test_no_more_slashes_are_looked_at_than_prefixes_have() -> None:
    """A path of thousands of slashes must not cost a look-up for each of them."""

    class Counted(str):
        found = 0

        def find(self, *args: object) -> int:
            Counted.found += 1
            return super().find(*args)

    index = PathIndex(entries("/a/"))
    index.prefixes(Counted("/a/" + "b/" * 1000))

    assert Counted.found <= 2


def test_of_a_thousand_patterns_those_are_looked_at_whose_segments_fit() -> None:
    index = PathIndex(entries("/{x}/all", *(f"/r{n}/{{id}}" for n in range(1000))))

    assert {"/r7/{id}", "/{x}/all"} == {
        group.entries[0].path for group in index.patterns("/r7/all")
    }


def test_of_a_thousand_values_of_a_header_one_is_looked_at() -> None:
    """The header is found that tells the routes apart, not the first."""
    listed = [
        Candidate(
            at,
            "/",
            frozenset(),
            (
                Condition("header", "x-a", ("same",)),
                Condition("header", "x-m", (f"m{at}",)),
            ),
        )
        for at in range(1000)
    ]
    group = PathGroup(listed)
    asked = Asked({b"x-a": b"same", b"x-m": b"m500"}, "/")

    assert [listed[500]] == group.candidates(asked)
