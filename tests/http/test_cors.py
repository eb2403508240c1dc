"""What a page of another origin may read, by the rules of a browser."""

import pytest
from pydantic import ValidationError

from proxy.http.cors import (
    grants,
    is_preflight,
    preflight,
    preflight_asked,
    timing_grant,
    with_exposed,
)
from proxy.http.rules import CorsRule

APP = b"https://app.example"
ONE = CorsRule(origins=("https://app.example",))
USERS = CorsRule(origins=("https://app.example",), credentials=True)
ALL = CorsRule(origins=("*",))
NAMES = (
    b"X-Request-ID, Retry-After, X-Sidelight-Error, X-Sidelight-Fallback, Proxy-Status, RateLimit, "
    b"RateLimit-Policy"
)
EXPOSED = b"Access-Control-Expose-Headers: " + NAMES + b"\r\n"


@pytest.mark.parametrize(
    ("rule", "origin", "lines"),
    [
        pytest.param(
            ONE,
            APP,
            b"Vary: Origin\r\nAccess-Control-Allow-Origin: https://app.example\r\n" + EXPOSED,
            id="a page that may read",
        ),
        pytest.param(
            USERS,
            APP,
            b"Vary: Origin\r\nAccess-Control-Allow-Origin: https://app.example\r\n"
            b"Access-Control-Allow-Credentials: true\r\n" + EXPOSED,
            id="with cookies",
        ),
        pytest.param(ONE, None, b"Vary: Origin\r\n", id="no page: caches must still tell apart"),
        pytest.param(ONE, b"https://evil.example", b"Vary: Origin\r\n", id="another page"),
        pytest.param(ONE, b"HTTPS://APP.EXAMPLE", b"Vary: Origin\r\n", id="compared byte by byte"),
        pytest.param(ONE, b"null", b"Vary: Origin\r\n", id="a page without origin"),
        pytest.param(ONE, APP + b", " + APP, b"Vary: Origin\r\n", id="two origins"),
        pytest.param(ONE, b"\xff\r\n", b"Vary: Origin\r\n", id="rubbish is not reflected"),
        pytest.param(ALL, APP, b"Access-Control-Allow-Origin: *\r\n" + EXPOSED, id="open to all"),
        pytest.param(
            ALL,
            None,
            b"Access-Control-Allow-Origin: *\r\n" + EXPOSED,
            id="open to all, asked or not: a cache may give it to a page",
        ),
    ],
)
def test_who_may_read_an_answer(rule: CorsRule, origin: bytes | None, lines: bytes) -> None:
    assert lines == grants(rule, origin)


def test_a_request_id_of_another_name_is_readable_too() -> None:
    lines = grants(ONE, APP, b"X-Trace")

    assert b"Expose-Headers: X-Trace, " + NAMES + b"\r\n" in lines


def test_further_names_are_exposed_where_the_rule_says_so() -> None:
    rule = CorsRule(origins=("*",), expose=("X-Total-Count", "ETag"))

    assert NAMES + b", X-Total-Count, ETag\r\n" in grants(rule, None)


def test_what_the_upstream_exposes_is_kept_in_the_same_line() -> None:
    lines = with_exposed(grants(ONE, APP), b"X-Theirs, ETag")

    assert b"Access-Control-Expose-Headers: X-Theirs, ETag, " + NAMES in lines
    assert 1 == lines.count(b"Expose-Headers")
    assert b"Vary: Origin\r\n" == with_exposed(grants(ONE, None), b"X-Theirs")


def test_what_is_exposed_are_headers() -> None:
    with pytest.raises(ValidationError, match="is not the name of a header"):
        CorsRule(origins=("*",), expose=("a, b",))


@pytest.mark.parametrize(
    ("rule", "origin", "line"),
    [
        pytest.param(ONE, APP, b"Timing-Allow-Origin: https://app.example\r\n", id="a page"),
        pytest.param(ONE, b"https://evil.example", b"", id="another page"),
        pytest.param(ONE, None, b"", id="no page"),
        pytest.param(ALL, APP, b"Timing-Allow-Origin: *\r\n", id="open to all"),
    ],
)
def test_who_may_see_the_timing(rule: CorsRule, origin: bytes | None, line: bytes) -> None:
    assert line == timing_grant(rule, origin)


def test_what_a_refused_preflight_asked_for_is_told_in_bounds() -> None:
    fields = {
        b"origin": b"https://evil.example",
        b"access-control-request-method": b"PUT",
        b"access-control-request-headers": b"x-a" * 99,
    }
    told = preflight_asked(fields, "a rule")

    assert told.startswith("refused by a rule: origin https://evil.example, method PUT, headers x-")
    assert len(told) < 256


@pytest.mark.parametrize(
    ("method", "fields", "asks"),
    [
        pytest.param(
            "OPTIONS",
            {b"origin": APP, b"access-control-request-method": b"POST"},
            True,
            id="a preflight",
        ),
        pytest.param(
            "GET",
            {b"origin": APP, b"access-control-request-method": b"POST"},
            False,
            id="no OPTIONS",
        ),
        pytest.param("OPTIONS", {b"origin": APP}, False, id="an OPTIONS of a page"),
        pytest.param(
            "OPTIONS", {b"access-control-request-method": b"POST"}, False, id="nobody asks"
        ),
    ],
)
def test_what_is_a_preflight(method: str, fields: dict[bytes, bytes], asks: bool) -> None:
    assert asks == is_preflight(method, fields)


@pytest.mark.parametrize(
    ("rule", "asked", "granted"),
    [
        pytest.param(ONE, {}, b"Access-Control-Allow-Methods: PUT\r\n", id="a method"),
        pytest.param(
            ONE,
            {b"access-control-request-headers": b"x-a,x-b"},
            b"Access-Control-Allow-Methods: PUT\r\nAccess-Control-Allow-Headers: x-a,x-b\r\n",
            id="headers as well",
        ),
    ],
)
def test_a_preflight_is_granted_what_it_asks_for(
    rule: CorsRule, asked: dict[bytes, bytes], granted: bytes
) -> None:
    fields = {b"origin": APP, b"access-control-request-method": b"PUT"} | asked

    assert grants(rule, APP) + granted + b"Access-Control-Max-Age: 600\r\n" == preflight(
        rule, fields
    )


def test_a_preflight_of_another_page_is_granted_nothing() -> None:
    fields = {b"origin": b"https://evil.example", b"access-control-request-method": b"PUT"}

    assert b"Vary: Origin\r\n" == preflight(ONE, fields)


def test_cookies_are_never_for_everybody() -> None:
    with pytest.raises(ValidationError, match="credentials need named origins"):
        CorsRule(origins=("*",), credentials=True)
