"""The forms of names, paths, hosts, origins and tokens."""

import re

import pytest
from pydantic import SecretStr

from proxy.settings import syntax


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (syntax.name, "streamed-chat"),
        (syntax.name, "a.b_c-1"),
        (syntax.name, "x" * 64),
        (syntax.path, "/"),
        (syntax.path, "/api/chat"),
        (syntax.path, "/api/"),
        (syntax.path, "/users/{id}"),
        (syntax.path, "/users/{id}/messages/"),
        (syntax.path, "/files/{rest...}"),
        (syntax.path, "/{a}/{b}"),
        (syntax.path, "/~a;b=c/é"),
        (syntax.one_capture, "/a/{id}/b"),
        (syntax.header, "X-User-Id"),
        (syntax.method, "GET"),
        (syntax.method, "M-SEARCH"),
        (syntax.host, "chat.example.com"),
        (syntax.host, "10.0.0.1"),
        (syntax.host, "[::1]"),
        (syntax.prefix, "/api"),
        (syntax.prefix, "/api/v1"),
        (syntax.origin, "*"),
        (syntax.origin, "https://app.example.com"),
        (syntax.origin, "http://localhost:3000"),
        (syntax.origin, "capacitor://localhost"),
    ],
)
def test_good_forms_stay_as_they_are(check, text):
    assert check(text) == text


def test_a_host_is_compared_in_lower_case():
    assert syntax.host("Chat.Example.COM") == "chat.example.com"


_NAME = (
    "is not a name; use up to 64 letters and digits, "
    "with single dots, dashes or underscores between them"
)
_PATH = "is compared decoded and without its query"
_STAR = 'has "*" in it, which stands for nothing'
_WHOLE = "must be a whole segment of the form {name} or {name...}"
_NOTHING = 'can match nothing: "//", "/." and "/.." are resolved first'
_HOST = "is not a host; write one name such as chat.example.com, without scheme, port or wildcard"


@pytest.mark.parametrize(
    ("check", "text", "message"),
    [
        (syntax.name, "", f'"" {_NAME}'),
        (syntax.name, "a--b", f'"a--b" {_NAME}'),
        (syntax.name, "a b", f'"a b" {_NAME}'),
        (syntax.name, "x" * 65, f'"{"x" * 65}" {_NAME}'),
        (syntax.path, "api", '"api" is not a path; it must begin with "/"'),
        (syntax.path, "/a?b", f"\"/a?b\" has '?' in it; a path {_PATH}"),
        (syntax.path, "/a%20b", f"\"/a%20b\" has '%' in it; a path {_PATH}"),
        (syntax.path, "/a b", f"\"/a b\" has ' ' in it; a path {_PATH}"),
        (syntax.path, "/a\x01", f"\"/a\x01\" has '\\x01' in it; a path {_PATH}"),
        (syntax.path, "/api/*", f'"/api/*" {_STAR}; did you mean "/api/"?'),
        (syntax.path, "/api/**", f'"/api/**" {_STAR}; did you mean "/api/"?'),
        (syntax.path, "/a/*/b", f'"/a/*/b" {_STAR}; did you mean "/a/{{name}}/b"?'),
        (
            syntax.path,
            "/a/*.js",
            (
                f'"/a/*.js" {_STAR}; write /api/ for everything below /api/, '
                "{name} for one whole segment"
            ),
        ),
        (syntax.path, "/a//b", f'"/a//b" {_NOTHING}'),
        (syntax.path, "/a/../b", f'"/a/../b" {_NOTHING}'),
        (syntax.path, "/a/.", f'"/a/." {_NOTHING}'),
        (syntax.path, "/a/{x", f'"{{x" {_WHOLE}'),
        (syntax.path, "/a/b{x}", f'"b{{x}}" {_WHOLE}'),
        (syntax.path, "/a/{1}", f'"{{1}}" {_WHOLE}'),
        (
            syntax.path,
            "/a/{x...}/b",
            '"{x...}" takes the rest of the path and can stand at its end only',
        ),
        (syntax.path, "/{x}/{x}", '"/{x}/{x}" captures two segments by the same name'),
        (
            syntax.one_capture,
            "/a",
            '"/a" must have exactly one capture, as in /api/conversations/{id}/messages',
        ),
        (
            syntax.one_capture,
            "/{a}/{b}",
            '"/{a}/{b}" must have exactly one capture, as in /api/conversations/{id}/messages',
        ),
        (syntax.header, "X User", '"X User" is not the name of a header'),
        (syntax.method, "post", '"post" is not a method; did you mean "POST"?'),
        (syntax.method, "GET,", '"GET," is not a method; write GET or POST'),
        (syntax.method, "GET, POST", '"GET, POST" is not a method; did you mean [GET, POST]?'),
        (syntax.method, "CONNECT", "CONNECT is always refused and cannot be routed"),
        (syntax.host, "a:80", '"a:80" is not a host; without scheme and port it is "a"'),
        (
            syntax.host,
            "https://A.b/",
            '"https://A.b/" is not a host; without scheme and port it is "A.b"',
        ),
        (
            syntax.host,
            "[::1]:80",
            '"[::1]:80" is not a host; without scheme and port it is "[::1]"',
        ),
        (syntax.host, "::1", f'"::1" {_HOST}'),
        (syntax.host, "*.a", f'"*.a" {_HOST}'),
        (syntax.prefix, "/a/", '"/a/" must not end in "/"; did you mean "/a"?'),
        (syntax.prefix, "/", '"/" must not end in "/"; leave the key out'),
        (
            syntax.prefix,
            "/{a}",
            '"/{a}" must be literal: what is stripped cannot be a capture',
        ),
        (
            syntax.origin,
            "https://A.example/",
            '"https://A.example/" is not an origin; did you mean "https://a.example"?',
        ),
        (
            syntax.origin,
            "null",
            '"null" is not an origin; write one such as https://app.example.com, or "*" for all',
        ),
    ],
)
def test_other_forms_are_refused_with_the_remedy(check, text, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check(text)


def test_a_token_has_sixteen_characters():
    assert syntax.token(SecretStr("x" * 16)) == SecretStr("x" * 16)


@pytest.mark.parametrize("secret", ["x" * 15, "with a space in it", "line\n" * 5, "ä" * 16])
def test_a_bad_token_is_refused_and_not_shown(secret):
    message = (
        "must have at least 16 characters, without spaces; `openssl rand -hex 24` makes a good one"
    )

    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        syntax.token(SecretStr(secret))


def test_paths_that_match_the_same_are_the_same_without_names():
    assert syntax.without_names("/a/{x}/{y...}") == syntax.without_names("/a/{id}/{rest...}")
    assert syntax.without_names("/a/{x}") != syntax.without_names("/a/{x...}")
