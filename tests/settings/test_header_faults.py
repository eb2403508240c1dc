"""Header rules in the settings: refused at their place, and no value is ever shown."""

import json

import pytest

from proxy.exchange import Exchange
from proxy.settings.faults import SettingsError
from proxy.settings.load import parse

GOOD = """
upstreams: { chat: { endpoints: ["http://127.0.0.1:9000"] } }
routes: [{ name: all, match: { path: / }, upstream: chat, policy: p }]
"""
CANARY = "s3cret-canary"


def lines_of(settings) -> bytes:
    change = settings.routes[0].headers.request.change
    x = Exchange(0.0, 0.0, "GET", "/", "127.0.0.1")
    x.route = "all"
    return change.lines.of(x)


def refusals(headers: str, more: str = "", env: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        parse(f"{GOOD}{more}\npolicies: {{ p: {{ headers: {headers} }} }}", env or {})
    return str(refused.value).splitlines()


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ("{ request: { set: { content_LENGTH: 1 } } }", "set.content_LENGTH: frames the message"),
        ("{ request: { add: { Connection: x } } }", "add.Connection: belongs to one connection"),
        ("{ request: { remove: [Via] } }", "remove[0]: carries Sidelight's own identity"),
        ("{ response: { set: { Proxy-Status: x } } }", "carries Sidelight's own identity"),
        ("{ request: { set: { X-A: a, x-a: b } } }", "is there already, in other letters"),
        ("{ request: { set: { X-A: a }, remove: [x-a] } }", "is set as well, which replaces it"),
        ('{ request: { set: { X-A: "a\\r\\nb" } } }', "has a line break"),
        ('{ request: { set: { X-A: "${rout}" } } }', "the variable rout is not set"),
        ('{ request: { set: { X-A: "${rout}" } } }', "${client_ip}, ${request_id}, ${route}"),
        ('{ request: { set: { X-A: "${route:-x}" } } }', "takes no default"),
        ("{ request: { set: { X-A: } } }", "has no value"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(headers, words):
    (fault,) = refusals(headers)

    assert words in fault
    assert "policies.p.headers.re" in fault


def test_the_header_of_the_request_id_is_not_for_rules_whatever_its_name():
    more = "identity: { header: X-Correlation-ID }"
    (fault,) = refusals("{ response: { remove: [x-correlation-id] } }", more)

    assert "carries Sidelight's own identity" in fault


def test_routes_are_looked_at_as_well():
    text = GOOD.replace("policy: p", "headers: { request: { set: { TE: x } } }")
    with pytest.raises(SettingsError, match=r"routes\[0\]\.headers\.request\.set\.TE"):
        parse(text)


HIDDEN = '{ request: { set: { X-Api-Key: "${KEY}" } } }'


def test_a_value_is_never_shown():
    settings = parse(f"{GOOD}\npolicies: {{ p: {{ headers: {HIDDEN} }} }}", {"KEY": CANARY})

    assert CANARY not in json.dumps(settings.model_dump(mode="json")) + repr(settings)


@pytest.mark.parametrize(
    "headers",
    [
        HIDDEN.replace("${KEY}", "${KEY}\\n"),
        HIDDEN.replace("${KEY}", "${KEY} "),
        '"${KEY}"',
        '{ request: "${KEY}" }',
        '{ request: { set: "${KEY}" } }',
        '{ request: { set: ["${KEY}"] } }',
        '{ request: { set: { X-A: ["${KEY}"] } } }',
        '{ request: { set: { X-A: { X-B: "${KEY}" } } } }',
        '{ request: { remove: { X-B: "${KEY}" } } }',
    ],
)
def test_no_fault_shows_one(headers):
    assert CANARY not in "".join(refusals(headers, env={"KEY": CANARY}))


def test_a_policy_that_a_variable_holds_is_not_shown_either():
    env = {"P": "{ headers: { request: { set: { X-A: " + CANARY + " }"}
    with pytest.raises(SettingsError) as refused:
        parse(GOOD + 'policies: { p: "${P}" }', env)

    assert CANARY not in str(refused.value)


def test_what_the_environment_holds_is_no_value_of_the_request():
    settings = parse(f"{GOOD}\npolicies: {{ p: {{ headers: {HIDDEN} }} }}", {"KEY": "a${route}"})

    assert lines_of(settings) == b"X-Api-Key: a${route}\r\n"


def test_names_of_values_are_never_read_from_the_environment():
    text = HIDDEN.replace("${KEY}", "${route}")
    settings = parse(f"{GOOD}\npolicies: {{ p: {{ headers: {text} }} }}", {"route": CANARY})

    assert lines_of(settings) == b"X-Api-Key: all\r\n"


def test_elsewhere_they_are_variables_as_any():
    text = GOOD.replace("http://127.0.0.1:9000", "${route}").replace(", policy: p", "")
    settings = parse(text, {"route": "http://127.0.0.1:1"})

    assert settings.upstreams["chat"].endpoints == ("http://127.0.0.1:1",)


def test_a_routes_rule_replaces_that_of_its_policy_in_other_letters_too():
    text = GOOD.replace("policy: p", "policy: p, headers: { request: { set: { x-a: route } } }")
    settings = parse(
        text + "policies: { p: { headers: { request: { set: { X-A: p, X-B: b } } } } }"
    )

    assert sorted(lines_of(settings).splitlines()) == [b"X-B: b", b"x-a: route"]
