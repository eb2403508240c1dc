"""What is looked at in a body, and in which words it is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy import outcome as o
from proxy.http.request_head import read_request
from proxy.limits.message_guard import (
    LARGEST,
    refuse_message,
    refuse_type,
    refuse_unreadable,
)

JSON = (b"Content-Type", b"application/json")


def asked(*headers: tuple[bytes, bytes], method: str = "POST", body: bool = True):
    length = ((b"Content-Length", b"5"),) if body else ()
    lines = ((b"Host", b"a"), *length, *headers)
    return read_request(method, "/", (1, 1), lines, should_close=False)


def outcome_of(unfit):
    return unfit.outcome if unfit else None


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b'{"message": "hello"}', None),
        (b'{"message": "0123456789"}', None),
        ('{"message": "ääääääääää"}'.encode(), None),
        ('{"message": "\U0001f600\U0001f600"}'.encode(), None),
        (b'{"message": "01234567890"}', o.MESSAGE_TOO_LONG),
        (b'{"message": ""}', o.MESSAGE_EMPTY),
        (b'{"message": " \\n\\t\\u00a0"}', o.MESSAGE_EMPTY),
        (b'{"message": null}', o.MESSAGE_EMPTY),
        (b'{"message": 5}', o.MESSAGE_EMPTY),
        (b'{"message": ["x"]}', o.MESSAGE_EMPTY),
        (b'{"other": "x"}', o.MESSAGE_EMPTY),
        (b'"message"', o.MESSAGE_EMPTY),
        (b'{"message": "x", "message": ""}', o.BAD_REQUEST),
        (b'{"message": "x", "mess\\u0061ge": "y"}', o.BAD_REQUEST),
        (b"", o.MESSAGE_EMPTY),
        (b" \r\n", o.MESSAGE_EMPTY),
        (b"\xef\xbb\xbf{}", o.BAD_REQUEST),
        ('{"message": "x"}'.encode("utf-16"), o.BAD_REQUEST),
        (b'{"message": "x"', o.BAD_REQUEST),
        (b"message=x", o.BAD_REQUEST),
        (b'{"message": "\xff"}', o.BAD_REQUEST),
        (b'{"message": "\\ud800"}', o.BAD_REQUEST),
        (b"[" * 100_000, o.BAD_REQUEST),
    ],
)
def test_the_message_is_there_and_no_longer_than_it_may_be(body, refusal):
    assert refusal == outcome_of(refuse_message(body, "/message", 10))


def test_the_limit_is_told():
    unfit = refuse_message(b'{"message": "abc"}', "/message", 2)

    assert unfit
    assert (2, "3 characters at /message, more than 2") == (unfit.number, unfit.detail)


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=30))
def test_length_is_counted_in_code_points(text):
    refused = refuse_message(json.dumps({"m": text}).encode(), "/m", 10)

    expected = None
    if not text.strip():
        expected = o.MESSAGE_EMPTY
    elif len(text) > 10:
        expected = o.MESSAGE_TOO_LONG
    assert expected == outcome_of(refused)


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ((JSON,), None),
        (((b"Content-Type", b"Application/JSON ; charset=utf-8"),), None),
        (((b"Content-Type", b"application/problem+json"),), None),
        ((JSON, (b"Content-Encoding", b"identity")), None),
        ((JSON, (b"Content-Encoding", b"gzip")), o.MEDIA_TYPE_NOT_SUPPORTED),
        (((b"Content-Type", b"text/plain"),), o.MEDIA_TYPE_NOT_SUPPORTED),
        (((b"Content-Type", b"application/jsonp"),), o.MEDIA_TYPE_NOT_SUPPORTED),
        ((), o.MEDIA_TYPE_NOT_SUPPORTED),
    ],
)
def test_only_plain_json_can_be_looked_into(headers, refusal):
    assert refusal == outcome_of(refuse_unreadable(asked(*headers)))


def test_a_body_that_is_too_large_is_refused_by_its_head():
    def announces(length: int):
        head = ((b"Host", b"a"), JSON, (b"Content-Length", b"%d" % length))
        return read_request("POST", "/", (1, 1), head, should_close=False)

    assert refuse_unreadable(announces(LARGEST)) is None
    assert o.BODY_TOO_LARGE == outcome_of(refuse_unreadable(announces(LARGEST + 1)))


@pytest.mark.parametrize(
    ("request_", "allowed", "is_refused"),
    [
        pytest.param(asked(JSON), ("application/json",), False, id="allowed"),
        pytest.param(asked(JSON), (), False, id="all are"),
        pytest.param(asked(JSON), ("text/plain",), True, id="another"),
        pytest.param(asked(JSON), ("text/*", "application/*"), False, id="by its first part"),
        pytest.param(asked((b"Content-Type", b"textile/x")), ("text/*",), True, id="not a part"),
        pytest.param(asked(), ("application/json",), True, id="none"),
        pytest.param(
            asked(method="GET", body=False), ("application/json",), False, id="a GET has no body"
        ),
        pytest.param(
            asked(method="POST", body=False), ("application/json",), True, id="a POST should have"
        ),
    ],
)
def test_only_types_that_are_allowed_are_let_in(request_, allowed, is_refused):
    assert is_refused == (outcome_of(refuse_type(request_, allowed)) is o.MEDIA_TYPE_NOT_SUPPORTED)


def test_who_brings_no_body_brings_no_type_either():
    assert refuse_unreadable(asked(body=False)) is None


@pytest.mark.parametrize(
    ("parameter", "is_refused"),
    [
        (b"", False),
        (b"; charset=utf-8", False),
        (b';charset="UTF-8"; x=y', False),
        (b"; charset=us-ascii", False),
        (b"; profile=x", False),
        (b"; charset=utf-7", True),
        (b"; charset=utf-16", True),
        (b"; charset=utf-8-sig", True),
        (b"; Charset=latin1", True),
        (b"; charset=", True),
    ],
)
def test_json_of_another_charset_is_another_text(parameter, is_refused):
    unfit = refuse_unreadable(asked((JSON[0], JSON[1] + parameter)))

    assert is_refused is (outcome_of(unfit) is o.MEDIA_TYPE_NOT_SUPPORTED)
