"""What a page of another origin may read, by the rules of a browser."""

import pytest
from pydantic import ValidationError

from proxy.cors import grants, is_preflight, preflight
from proxy.rules import CorsRule

APP = b"https://app.example"
ONE = CorsRule(origins=("https://app.example",))
USERS = CorsRule(origins=("https://app.example",), credentials=True)
ALL = CorsRule(origins=("*",))
EXPOSED = b"Access-Control-Expose-Headers: X-Request-ID, Retry-After, X-Sidelight-Error\r\n"


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

    assert b"Expose-Headers: X-Trace, X-Request-ID, Retry-After, X-Sidelight-Error\r\n" in lines


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
