"""What is odd but not wrong."""

import pytest

from proxy.settings.load import parse

BEFORE = "upstreams: { a: { endpoints: ['http://a:1'] } }\n"


def warnings(route, before=""):
    text = f"{BEFORE}{before}routes: [{{ name: r, upstream: a, {route} }}]"
    return list(parse(text, source="x").warnings)


@pytest.mark.parametrize(
    ("route", "warning"),
    [
        (
            "match: { methods: [PSOT] }",
            'methods[0]: PSOT is no method of HTTP; did you mean "POST"?',
        ),
        (
            "match: { methods: [GET, PROPFNID] }",
            'methods[1]: PROPFNID is no method of HTTP; did you mean "PROPFIND"?',
        ),
        ("match: { methods: [ZZ] }", "methods[0]: ZZ is no method of HTTP"),
    ],
)
def test_a_method_that_nobody_knows_is_doubted(route, warning):
    (said,) = warnings(route)

    assert said.endswith(f"routes[0].match.{warning}")


@pytest.mark.parametrize("method", ["GET", "PATCH", "M-SEARCH", "MKCALENDAR", "QUERY"])
def test_a_method_that_somebody_knows_is_not(method):
    assert warnings(f"match: {{ methods: [{method}] }}") == []


def test_a_limit_that_cannot_be_reached_is_doubted():
    assert warnings("match: {}, timeouts: { total: 5s }") == [
        "x:2:64: routes[0].timeouts.total: 5s is below head, 30s, which is never reached"
    ]


def test_a_doubt_of_a_policy_is_said_once_though_two_routes_have_it():
    policy = "policies: { p: { timeouts: { head: 70s } } }\n"
    more = "match: {}, policy: p }, { name: s, match: { path: /s }, upstream: a, policy: p"
    (said,) = warnings(more, policy)

    assert said.endswith("1m is below head, 70s, which is never reached")


@pytest.mark.parametrize("total", ["30s", "1h"])
def test_a_limit_that_can_be_reached_is_not_doubted(total):
    assert warnings(f"match: {{}}, timeouts: {{ total: {total} }}") == []


STREAMS = "match: {}, policy: streamed-chat"


def test_more_clients_than_connections_for_their_streams_are_doubted():
    expected = (
        "x:2:28: listen.max_connections: 2000 clients may be connected, and the route r streams, "
        "but all pools together have 1024 connections: one stream more ends as pool_timeout; "
        "raise upstreams.*.pool.size, or lower listen.max_connections"
    )

    assert warnings(STREAMS, "listen: { max_connections: 2000 }\n") == [expected]


@pytest.mark.parametrize(
    ("route", "doubted"),
    [
        (STREAMS, True),
        ("match: {}, stream: { heartbeat: 15s }", True),
        ("match: {}", False),
        ("match: {}, policy: model", False),
    ],
)
def test_only_where_a_route_is_for_streams(route, doubted):
    assert bool(warnings(route)) is doubted


def test_as_many_connections_as_clients_are_not_doubted():
    assert warnings(STREAMS, "listen: { max_connections: 1024 }\n") == []


def test_two_routes_are_doubted_once():
    (said,) = warnings(
        f"{STREAMS} }}, {{ name: s, upstream: a, {STREAMS.replace('{}', '{ path: /s }')}"
    )

    assert "several routes stream" in said
