"""Which headers no rule may touch, and which values there are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http.header_names import LONGEST, refuse_name, value_parts

FRAMING_AND_IDENTITY = (
    "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Proxy-Connection",
    "Proxy-Authorization", "Proxy-Authenticate", "Upgrade", "TE", "Trailer", "Expect",
    "X-Request-ID", "Via", "Proxy-Status", "traceparent", "tracestate", "X-Forwarded-For",
    "X-Forwarded-Anything", "X-Sidelight-Error", "Sec-WebSocket-Accept", "Sec-WebSocket-Key",
)  # fmt: skip


@pytest.mark.parametrize("spelled", [str, str.upper, lambda name: name.replace("-", "_")])
@pytest.mark.parametrize("name", FRAMING_AND_IDENTITY)
@pytest.mark.parametrize("of_requests", [True, False])
def test_framing_and_identity_are_not_for_rules(name, spelled, of_requests):
    assert refuse_name(spelled(name), of_requests=of_requests)
    assert refuse_name(spelled(name), of_requests=of_requests, removed=True)


@pytest.mark.parametrize("name", ["Host", "Forwarded", "X-Real-IP", "Proxy"])
def test_where_a_request_came_from_is_not_for_rules(name):
    assert refuse_name(name, of_requests=True)


@pytest.mark.parametrize("name", ["RateLimit", "RateLimit-Policy", "Date"])
def test_what_we_say_in_answers_is_not_for_rules(name):
    assert refuse_name(name, of_requests=False)


def test_the_upstreams_own_grants_may_be_removed_but_none_made():
    assert refuse_name("Access-Control-Allow-Origin", of_requests=False)
    assert not refuse_name("Access-Control-Allow-Origin", of_requests=False, removed=True)


@pytest.mark.parametrize("name", ["X-Api-Key", "Authorization", "Cookie", "Accept-Encoding", "a"])
def test_other_headers_are(name):
    assert refuse_name(name, of_requests=True) is None


@pytest.mark.parametrize("name", ["", "X Y", "X:", "X\r\n", "é"])
def test_what_is_no_name_is_refused(name):
    assert refuse_name(name, of_requests=True) == "is not the name of a header"


@pytest.mark.parametrize(
    "value",
    [
        *("a\rb", "a\nb", "a\0b", "a\x7fb", " key", "key\t"),
        *("key${x}", "key${Route}", "key${route", "key${}", "a" * (LONGEST + 1)),
    ],
)
def test_what_is_no_value_is_refused_and_not_quoted(value):
    with pytest.raises(ValueError, match=r".") as refused:
        value_parts(value)

    assert value not in str(refused.value)


@given(st.text(max_size=40))
def test_a_value_is_refused_or_has_no_end_of_a_line(value):
    try:
        parts = value_parts(value)
    except ValueError:
        return
    text = "".join(text for kind, text in parts if kind == "text")

    assert not set("\r\n\0") & set(text)
