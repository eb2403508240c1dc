"""Routes of which nobody could tell which one a request takes."""

import pytest

from proxy.settings.reading import read
from proxy.settings.twins import twin_faults


def faults(*matches: str) -> list[str]:
    text = "routes:\n" + "\n".join(f"- {{ match: {{ {match} }} }}" for match in matches)
    tree, wrong = read(text, "x", {})
    assert wrong == []
    return [str(fault) for fault in twin_faults(tree)]


SAME = "x:3:12: routes[1].match: a route that matches the same is at x:2:12 already"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("", ""),
        ("path: '/{a}'", "path: '/{b}', methods: []"),
        ("methods: [GET, PUT], host: A", "methods: [HEAD], host: a"),
        ("headers: { X-A: '1' }", "headers: { x-a: 1 }"),
        ("query: { a: [b, c] }", "query: { a: c }"),
        ("query: { a: '*' }", "query: { a: '*' }"),
    ],
)
def test_twins(first: str, second: str) -> None:
    assert [SAME] == faults(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("path: /a", "path: /b", id="another path"),
        pytest.param("path: '/{a}/b'", "path: '/b/{a}'", id="patterns stand in the order of files"),
        pytest.param("methods: [GET]", "methods: [PUT]", id="other methods"),
        pytest.param("methods: [GET]", "", id="methods before none"),
        pytest.param("headers: { a: 1 }", "headers: { a: 2 }", id="other values"),
        pytest.param("headers: { a: 1 }", "headers: { a: '*' }", id="values before presence"),
        pytest.param("headers: { a: 1 }", "headers: { a: 1, b: 1 }", id="more before fewer"),
        pytest.param("headers: { a: 1 }", "query: { b: 1 }", id="headers before parameters"),
        pytest.param("query: { a: 1, b: 1 }", "query: { a: 2, c: 1 }", id="no request fits both"),
        pytest.param("headers: { a: [] }", "headers: { b: [] }, path: /x", id="faults of others"),
    ],
)
def test_routes_that_can_be_told_apart(first: str, second: str) -> None:
    assert [] == faults(first, second)
    assert [] == faults(second, first)


RIVAL = (
    "x:3:12: routes[1].match: a request with {} fits the route at x:2:12 as well, and neither is "
    "more specific; let them differ, or add a route for what fits both"
)


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ("headers: { a: 1 }", "headers: { b: 2 }", "header a: 1 and header b: 2"),
        ("query: { a: 1 }", "query: { A: 1 }", "query a: 1 and query A: 1"),
        ("query: { m: [a, b] }", "query: { m: [b, c] }", "query m: b"),
        ("query: { m: 1, n: '*' }", "query: { m: '*', n: 1 }", "query m: 1 and query n: 1"),
    ],
)
def test_rivals(first: str, second: str, both: str) -> None:
    assert [RIVAL.format(both)] == faults(first, second)


def test_a_third_route_that_takes_what_fits_both_settles_it() -> None:
    rivals = ("headers: { a: 1 }", "headers: { b: [2, 3] }")

    assert [] == faults(*rivals, "headers: { a: 1, b: [2, 3] }")
    assert [] == faults(*rivals, "headers: { a: 1, b: '*' }")
    assert [] != faults(*rivals, "headers: { a: 1, b: 2 }")
    assert [] != faults(*rivals, "headers: { a: 1, b: '*' }, path: /x")
    assert [] != faults(*rivals, "headers: { a: 1, b: '*', c: 1 }")


def test_a_third_route_for_some_methods_only_settles_nothing() -> None:
    rivals = ("methods: [GET, PUT], query: { a: 1 }", "methods: [GET, PUT], query: { b: 1 }")

    assert [] != faults(*rivals, "methods: [GET], query: { a: 1, b: 1 }")
    assert [] == faults(*rivals, "methods: [GET, PUT], query: { a: 1, b: 1 }")


def test_a_thousand_routes_of_one_path_are_compared_by_value() -> None:
    """Each with its own value; the last one has the value of the first."""
    values = [*(f"m{n}" for n in range(1000)), "m0"]

    assert 1 == len(faults(*(f"headers: {{ x-m: {value} }}" for value in values)))
