"""Policies under routes, and names that must exist."""

import pytest

from proxy.settings import plan
from proxy.settings.load import parse
from proxy.settings.reading import read
from proxy.settings.shipped import shipped

UPSTREAMS = "upstreams: { a: { endpoints: ['http://a:1'] } }\n"


def routes(text, before=""):
    return parse(f"{UPSTREAMS}{before}\nroutes:\n{text}").routes


def faults(text):
    tree, _ = read(text, "x", {})
    return [str(fault) for fault in plan.plan_faults(tree, shipped())]


def test_a_route_lies_over_its_policy_key_by_key():
    [route] = routes(
        "- { name: r, match: {}, upstream: a, policy: p, retry: { attempts: 5 }, max_body: 1KiB }",
        "policies: { p: { retry: { attempts: 2, budget: { capacity: 7 } }, max_body: 2KiB } }",
    )

    assert (route.retry.attempts, route.retry.budget.capacity, route.max_body) == (5, 7, 1024)


def test_a_written_policy_lies_over_the_shipped_one_of_its_name():
    [route] = routes(
        "- { name: r, match: {}, upstream: a, policy: fast }",
        "policies: { fast: { retry: { attempts: 5 } } }",
    )

    assert (route.retry.attempts, route.retry.first_pause) == (5, 0.5)


def test_a_route_without_a_policy_has_the_default_one_as_the_file_says():
    [route] = routes(
        "- { name: r, match: {}, upstream: a }", "policies: { default: { max_body: 1KiB } }"
    )

    assert (route.policy, route.max_body) == ("default", 1024)


def test_a_new_policy_does_not_begin_with_what_the_file_says_of_default():
    [route] = routes(
        "- { name: r, match: {}, upstream: a, policy: p }",
        "policies: { default: { max_body: 1KiB }, p: {} }",
    )

    assert route.max_body == 128 << 20


def test_lists_of_a_policy_are_replaced_whole():
    [route] = routes(
        "- { name: r, match: {}, upstream: a, policy: streamed-chat, retry: { on: [stale] } }"
    )

    assert route.retry.on == ("stale",)


def test_a_pause_is_compared_with_the_one_of_the_policy_not_of_the_defaults():
    [route] = routes(
        "- { name: r, match: {}, upstream: a, policy: p, retry: { max_pause: 50ms } }",
        "policies: { p: { retry: { first_pause: 10ms } } }",
    )

    assert (route.retry.first_pause, route.retry.max_pause) == (0.01, 0.05)


COMMON = "cors: { origins: ['https://a.b'], credentials: true }"


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        pytest.param("", (("https://a.b",), True, 600), id="none of its own"),
        pytest.param(", cors: { max_age: 1m }", (("https://a.b",), True, 60), id="one key"),
        pytest.param(
            ", cors: { origins: ['https://c.d'] }", (("https://c.d",), True, 600), id="new"
        ),
        pytest.param(", cors: null", None, id="said to be none"),
        pytest.param(", cors: { origins: [] }", None, id="no origins"),
    ],
)
def test_cors_of_a_route_lies_over_cors_for_all(own, expected):
    [route] = routes(f"- {{ name: r, match: {{}}, upstream: a{own} }}", COMMON)
    cors = route.cors and (route.cors.origins, route.cors.credentials, route.cors.max_age)

    assert cors == expected


NAMED = "upstreams: { chat: {}, rest: {} }\npolicies: { mine: {} }\nroutes:\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "- { upstream: caht }",
            'x:4:15: routes[0].upstream: no upstream is named "caht"; did you mean "chat"?',
        ),
        (
            "- {}\n- { policy: patiemt }",
            'x:5:13: routes[1].policy: no policy is named "patiemt"; did you mean "patient"?',
        ),
        ("- { policy: zzz }", 'x:4:13: routes[0].policy: no policy is named "zzz"'),
        (
            "- { name: r }\n- { name: r }",
            "x:5:11: routes[1].name: a route with this name is at x:4:11 already",
        ),
        (
            "- { match: { path: /a } }\n- { match: { path: /a } }",
            "x:5:12: routes[1].match: a route that matches the same is at x:4:12 already",
        ),
        (
            "- { match: { path: '/{a}' } }\n- { match: { path: '/{b}', methods: [] } }",
            "x:5:12: routes[1].match: a route that matches the same is at x:4:12 already",
        ),
        (
            (
                "- { match: { methods: [GET, PUT], host: A } }\n"
                "- { match: { methods: [PUT], host: a } }"
            ),
            "x:5:12: routes[1].match: a route that matches the same is at x:4:12 already",
        ),
        (
            "- { match: { methods: [GET] } }\n- { match: { methods: [HEAD] } }",
            "x:5:12: routes[1].match: a route that matches the same is at x:4:12 already",
        ),
        (
            "- { match: { path: /apis/ }, strip_prefix: /api }",
            (
                'x:4:44: routes[0].strip_prefix: "/api" does not begin the path "/apis/" '
                "of this route"
            ),
        ),
        (
            "- { match: {}, strip_prefix: /api }",
            'x:4:30: routes[0].strip_prefix: "/api" does not begin the path "/" of this route',
        ),
        (
            "- { cors: { origins: [x] } }",
            (
                'x:4:23: routes[0].cors.origins[0]: "x" is not an origin; '
                'write one such as https://app.example.com, or "*" for all'
            ),
        ),
    ],
)
def test_what_does_not_hang_together_is_refused_at_its_place(text, fault):
    assert faults(NAMED + text) == [fault]


@pytest.mark.parametrize(
    "text",
    [
        "- { upstream: chat, policy: mine }",
        "- { policy: streamed-chat }",
        "- { match: { path: /a } }\n- { match: { path: /a/ } }",
        "- { match: { path: '/{a}' } }\n- { match: { path: '/{a...}' } }",
        "- { match: { methods: [GET] } }\n- { match: { methods: [PUT] } }\n- { match: {} }",
        "- { match: { host: a } }\n- { match: { host: b } }",
        "- { match: { path: /api }, strip_prefix: /api }",
        "- { match: { path: /api }, strip_prefix: /of-bad-form/ }",
        "- { match: { path: /api/v1/ }, strip_prefix: /api }",
        "- { match: { path: '/api/{x}' }, strip_prefix: /api }",
        "- x\n- { name: [a] }\n- { match: x, strip_prefix: }\n- { cors: { origins: x } }",
    ],
)
def test_what_hangs_together_or_is_no_route_at_all_is_no_fault_here(text):
    assert faults(NAMED + text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "listen: { port: 81 }\nadmin: { port: 81 }",
            ["x:2:16: admin.port: 81 is the traffic port already"],
        ),
        (
            "listen: { port: 8081 }",
            ["x:1:17: admin.port: 8081 is the traffic port already"],
        ),
        ("admin: { port: 8080 }", ["x:1:16: admin.port: 8080 is the traffic port already"]),
        ("listen: { port: 0 }\nadmin: { port: 0 }", []),
        ("listen: { port: 8081 }\nadmin: { port: 8080 }", []),
    ],
)
def test_the_ports_are_two(text, expected):
    assert faults(text) == expected


def test_origins_for_all_are_checked_too():
    assert faults("cors: { origins: ['https://a.b/'] }") == [
        'x:1:19: cors.origins[0]: "https://a.b/" is not an origin; did you mean "https://a.b"?'
    ]
