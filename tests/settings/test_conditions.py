"""Conditions on headers and parameters, as they are written."""

import pytest

from proxy.settings.faults import SettingsError
from proxy.settings.load import parse

BEFORE = "upstreams: { a: { endpoints: ['http://a:1'] } }\nroutes:\n"


def match(text: str):
    return parse(f"{BEFORE}- {{ name: r, upstream: a, match: {{ {text} }} }}").routes[0].match


def test_a_value_a_list_and_any_value():
    found = match("headers: { X-Model: big }, query: { m: [a, 1], beta: '*', on: true }")

    assert {"x-model": ("big",)} == found.headers
    assert {"m": ("a", "1"), "beta": ("*",), "on": ("true",)} == found.query


def test_none_are_asked_for_by_default():
    assert ({}, {}) == (match("").headers, match("").query)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("headers: { 'x m': a }", 'headers.x m: "x m" is not the name of a header'),
        ("headers: { Host: a }", "hosts are compared without port by match.host"),
        ("headers: { x-a: 1, X-A: 2 }", '"x-a" is there twice; give all its values in one list'),
        ("headers: { x-a: }", 'has no value; give one, a list of them, or "*" for any'),
        ("headers: { x-a: [] }", 'has no value; give one, a list of them, or "*" for any'),
        ("headers: { x-a: 'a*' }", '"a*" has "*" in it; values are compared whole'),
        ("query: { m: ['*', a] }", '"*" has "*" in it; values are compared whole'),
        ("headers: { x-a: ' a' }", "a header's value neither begins nor ends with a blank"),
        ("headers: { x-api-key: a }", "holds a secret, by its name"),
        ("query: { token: a }", "holds a secret, by its name"),
        ("query: { a: { b: c } }", "must be text or a list, not a section of keys"),
        ("headers: a", "must be a section of keys"),
    ],
)
def test_what_is_refused(text, fault):
    with pytest.raises(SettingsError) as refused:
        match(text)

    assert fault in str(refused.value)


def test_a_value_that_looks_like_a_secret_is_refused_and_not_repeated():
    secret = "sk-" + "a1B2" * 10
    with pytest.raises(SettingsError) as refused:
        match(f"query: {{ m: {secret} }}")

    assert "a value looks like a secret" in str(refused.value)
    assert secret not in str(refused.value)


def test_the_presence_of_what_holds_a_secret_may_be_asked_for():
    assert {"authorization": ("*",)} == match("headers: { Authorization: '*' }").headers


def test_conditions_may_come_from_the_environment():
    text = f"{BEFORE}- {{ name: r, upstream: a, match: {{ headers: {{ x-m: a }} }} }}"
    settings = parse(text, {"SIDELIGHT_ROUTES__R__MATCH__HEADERS__X_M": "b, c"})

    assert {"x-m": ("b", "c")} == settings.routes[0].match.headers


def test_a_variable_without_a_name_is_a_fault():
    with pytest.raises(SettingsError) as refused:
        parse(
            f"{BEFORE}- {{ name: r, upstream: a, match: {{}} }}",
            {"SIDELIGHT_ROUTES__R__MATCH__HEADERS__": "b"},
        )

    assert 'no key is named ""' in str(refused.value)
