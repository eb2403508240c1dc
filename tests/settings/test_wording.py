"""What the models refuse, in the words of this house."""

import pytest

from proxy.settings.faults import SettingsError
from proxy.settings.load import parse

GOOD = """
upstreams: { a: { endpoints: ['http://a:1'] } }
routes: [{ name: r, match: {}, upstream: a }]
"""


def refusals(text):
    with pytest.raises(SettingsError) as refused:
        parse(text, source="x")
    return [str(fault) for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("listen: { port: 65536 }", "x:4:17: listen.port: must be at most 65535"),
        ("listen: { backlog: 0 }", "x:4:20: listen.backlog: must be at least 1"),
        ("listen: { keep_alive: 0s }", "x:4:23: listen.keep_alive: must be more than 0s"),
        ("listen: { header_bytes: 1B }", "x:4:25: listen.header_bytes: must be at least 1KiB"),
        ("listen: { host: '' }", "x:4:17: listen.host: must not be empty"),
        ("log: { sample: 1.5 }", "x:4:16: log.sample: must be at most 1"),
        (
            "log: { level: inof }",
            (
                'x:4:15: log.level: "inof" is not one of info, warning, error, critical; '
                'did you mean "info"?'
            ),
        ),
        ("drain: { limit: 5 }", "x:4:17: drain.limit: 5 has no unit; write 5s or 5ms"),
        (
            "policies: { default: { max_body: 5 } }",
            "x:4:34: policies.default.max_body: 5 has no unit; write 5B or 5KiB",
        ),
        (
            "trusted_proxies: [10.0.0.1/8]",
            (
                'x:4:19: trusted_proxies[0]: "10.0.0.1/8" is not a network; '
                "write one such as 10.0.0.0/8"
            ),
        ),
        (
            "identity: { header: 'a b' }",
            ('x:4:21: identity.header: "a b" does not fit the pattern ^[A-Za-z0-9-]{1,64}$'),
        ),
        (
            "identity: { mode: trust_from }",
            (
                "x:4:11: identity: trust_from and mode: trust_from need each other; "
                "give both or neither"
            ),
        ),
        (
            "identity: { trust_from: [10.0.0.0/8] }",
            (
                "x:4:11: identity: trust_from and mode: trust_from need each other; "
                "give both or neither"
            ),
        ),
        (
            "observe: { fields: { u: { hash: true } } }",
            "x:4:25: observe.fields.u: must have exactly one of header, path and query",
        ),
        (
            "observe: { fields: { u: { header: a, query: b } } }",
            "x:4:25: observe.fields.u: must have exactly one of header, path and query",
        ),
        (
            "policies: { a--b: {} }",
            (
                'x:4:13: policies.a--b: "a--b" is not a name; use up to 64 letters and digits, '
                "with single dots, dashes or underscores between them"
            ),
        ),
        (
            "admin: { token: secret }",
            (
                "x:4:17: admin.token: must have at least 16 characters, without spaces; "
                "`openssl rand -hex 24` makes a good one"
            ),
        ),
        (
            "cors: { origins: ['*'], credentials: true }",
            (
                'x:4:7: cors: credentials need named origins; "*" would hand every site '
                "the user's session"
            ),
        ),
        (
            "policies: { p: { retry: { on: [conect] } } }",
            (
                'x:4:32: policies.p.retry.on[0]: "conect" is not one of connect, stale, reset, '
                'write, status, head_timeout, first_event_timeout; did you mean "connect"?'
            ),
        ),
    ],
)
def test_a_refusal_has_its_place_and_our_words(text, fault):
    assert refusals(GOOD + text) == [fault]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("service: a", ["x:1:1: upstreams: is required", "x:1:1: routes: is required"]),
        (
            "upstreams: {}\nroutes: []",
            ["x:1:12: upstreams: must not be empty", "x:2:9: routes: must not be empty"],
        ),
        (
            "upstreams:\n  a: {}\nroutes:\n  - {}",
            [
                "x:2:6: upstreams.a.endpoints: is required",
                "x:4:5: routes[0].name: is required",
                "x:4:5: routes[0].match: is required",
                "x:4:5: routes[0].upstream: is required",
            ],
        ),
    ],
)
def test_what_is_missing_is_missed_where_it_should_stand(text, expected):
    assert refusals(text) == expected


def test_a_list_with_a_bad_entry_is_not_called_empty():
    text = GOOD.replace("http://a:1", "a:1")

    assert [fault.partition(": ")[2].partition(":")[0] for fault in refusals(text)] == [
        "upstreams.a.endpoints[0]"
    ]


def test_a_fault_of_a_policy_is_said_once_though_two_routes_have_it():
    text = """
upstreams: { a: { endpoints: ['http://a:1'] } }
policies: { p: { timeouts: { head: 0s } } }
routes:
  - { name: r, match: {}, upstream: a, policy: p }
  - { name: s, match: { path: /s }, upstream: a, policy: p }
"""

    assert refusals(text) == ["x:3:36: policies.p.timeouts.head: must be more than 0s"]


def test_a_value_that_has_a_fault_has_only_one():
    assert refusals(f"{GOOD}listen: {{ port: '${{NO}}', prot: 1, keep_alive: [] }}") == [
        "x:4:17: listen.port: the variable NO is not set; set it, or give a default: ${NO:-...}",
        'x:4:26: listen.prot: unknown key; did you mean "port"?',
        "x:4:47: listen.keep_alive: must be text, not a list",
    ]


def test_a_fault_that_a_route_inherits_is_said_of_the_policy_wherever_it_stands():
    text = """
routes: [{ name: r, match: {}, upstream: a, policy: p }]
upstreams: { a: { endpoints: ['http://a:1'] } }
policies: { p: { timeouts: { haed: 1s } } }
"""

    assert refusals(text) == ['x:4:30: policies.p.timeouts.haed: unknown key; did you mean "head"?']
