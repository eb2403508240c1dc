"""Message framing: one meaning, or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http.framing import (
    Framing,
    Malformed,
    ends_head,
    has_no_body,
    is_coded,
    keeps_alive,
    parse_framing,
    read_as,
    refused_switch,
)
from proxy.http.headers import combine

CHUNKED = (b"Transfer-Encoding", b"chunked")
FIVE = (b"Content-Length", b"5")


def framing(*headers, method="GET", status=200, http_version="1.1"):
    return parse_framing(method, status, http_version, combine(headers))


@pytest.mark.parametrize(
    ("headers", "unusual", "expected"),
    [
        pytest.param([FIVE], {}, Framing("length", 5, True), id="a length counts"),
        pytest.param(
            [(b"CONTENT-LENGTH", b" 5\t")],
            {},
            Framing("length", 5, True),
            id="spelling and blanks do not matter",
        ),
        pytest.param([CHUNKED], {}, Framing("chunked", None, True), id="chunks"),
        pytest.param(
            [(b"transfer-encoding", b"CHUNKED")],
            {},
            Framing("chunked", None, True),
            id="a coding's case does not matter",
        ),
        pytest.param([], {}, Framing("close", None, False), id="nothing said: until close"),
        pytest.param(
            [FIVE], {"method": "HEAD"}, Framing("none", None, True), id="HEAD has no body"
        ),
        pytest.param([CHUNKED], {"status": 304}, Framing("none", None, True), id="304 has no body"),
        pytest.param([], {"status": 204}, Framing("none", None, True), id="204 has no body"),
        pytest.param(
            [FIVE, (b"Connection", b"x, Close")],
            {},
            Framing("length", 5, False),
            id="the sender wants to close",
        ),
        pytest.param([FIVE], {"http_version": "1.0"}, Framing("length", 5, False), id="1.0 closes"),
        pytest.param(
            [FIVE, (b"connection", b"Keep-Alive")],
            {"http_version": "1.0"},
            Framing("length", 5, True),
            id="1.0 lives on where it says so",
        ),
    ],
)
def test_an_answer_ends_where_its_head_says(headers, unusual, expected):
    assert expected == framing(*headers, **unusual)


@pytest.mark.parametrize(
    ("headers", "unusual", "why"),
    [
        pytest.param([FIVE, CHUNKED], {}, "beside", id="length and coding"),
        pytest.param([CHUNKED, FIVE], {}, "beside", id="coding and length"),
        pytest.param([FIVE, (b"content-length", b"6")], {}, "more than one", id="two lengths"),
        pytest.param([FIVE, FIVE], {}, "more than one", id="the same length twice"),
        pytest.param([(b"Content-Length", b"5, 5")], {}, "more than one", id="a list of lengths"),
        pytest.param([(b"Content-Length", b"+5")], {}, "no number", id="a signed length"),
        pytest.param([(b"Content-Length", b"")], {}, "no number", id="an empty length"),
        pytest.param([(b"Content-Length", b"5" * 20)], {}, "no number", id="a huge length"),
        pytest.param([(b"Transfer-Encoding", b"gzip")], {}, "other than", id="gzip"),
        pytest.param(
            [(b"Transfer-Encoding", b"gzip, chunked")], {}, "other than", id="gzip in chunks"
        ),
        pytest.param([CHUNKED, CHUNKED], {}, "twice", id="chunked twice"),
        pytest.param(
            [(b"Transfer-Encoding", b"chunked, chunked")], {}, "twice", id="chunked twice in one"
        ),
        pytest.param([(b"Transfer-Encoding", b"\x0bchunked")], {}, "other than", id="nearly"),
        pytest.param([CHUNKED], {"http_version": "1.0"}, "HTTP/1.0", id="chunks in 1.0"),
        pytest.param([FIVE], {"http_version": "2.0"}, "version 2.0", id="another version"),
        pytest.param([FIVE], {"status": 99}, "status 99", id="status too low"),
        pytest.param([FIVE], {"status": 1000}, "status 1000", id="status too high"),
        pytest.param([FIVE, CHUNKED], {"method": "HEAD"}, "beside", id="HEAD is no excuse"),
    ],
)
def test_what_could_mean_two_things_is_refused(headers, unusual, why):
    refused = framing(*headers, **unusual)

    assert isinstance(refused, Malformed)
    assert why in refused.why


@given(
    st.sampled_from(["GET", "HEAD", "POST"]),
    st.integers(0, 700),
    st.sampled_from(["1.0", "1.1", "0.9", "2.0"]),
    st.lists(
        st.tuples(
            st.sampled_from([b"Content-Length", b"Transfer-Encoding", b"Connection", b"X-Other"]),
            st.one_of(
                st.sampled_from([b"0", b"17", b"chunked", b"close", b"keep-alive"]),
                st.binary(max_size=12),
            ),
        ),
        max_size=5,
    ),
)
def test_only_one_length_or_one_coding_is_ever_believed(method, status, version, headers):
    match parse_framing(method, status, version, combine(headers)):
        case Framing("length", length, _):
            told = [value for name, value in headers if name == b"Content-Length"]
            assert [length] == [int(value) for value in told]
            assert not any(name == b"Transfer-Encoding" for name, _ in headers)
        case Framing("chunked", _, _):
            told = [value for name, value in headers if name == b"Transfer-Encoding"]
            assert [value.strip(b" \t").lower() for value in told] == [b"chunked"]
            assert version == "1.1"
        case Framing("none", _, _):
            assert has_no_body(method, status)
        case Framing("close", _, lives):
            assert not lives


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("1.0", "1.0"),
        ("1.1", "1.1"),
        ("1.2", "1.1"),
        ("1.9", "1.1"),
        ("2.0", "2.0"),
        ("0.9", "0.9"),
    ],
)
def test_a_later_minor_version_is_read_as_the_last_one_known(said, read):
    assert read == read_as(said)


@pytest.mark.parametrize(
    ("data", "ends"),
    [(b"A: b\r\n\r\n", True), (b"\n", True), (b"\r\n\r\nx", False), (b"x\r\n", False)],
)
def test_what_completes_a_head_ends_with_it_or_not(data, ends):
    assert ends is ends_head(data)


def test_a_coding_is_seen_in_any_spelling():
    assert is_coded([(b"A", b"b"), (b"Transfer-ENCODING", b"x")])
    assert not is_coded([(b"Content-Encoding", b"gzip")])


def test_close_wins_over_keep_alive():
    assert not keeps_alive("1.1", b"keep-alive, close")
    assert not keeps_alive("1.0", b"keep-alive, Close")


UPGRADE = (b"Upgrade", b"WebSocket")
CONNECTION = (b"Connection", b"keep-alive, Upgrade")


@pytest.mark.parametrize(
    ("headers", "version", "why"),
    [
        pytest.param([UPGRADE, CONNECTION], "1.1", None, id="as it should be"),
        pytest.param([UPGRADE, CONNECTION, (b"Content-Length", b"0")], "1.1", None, id="empty"),
        pytest.param([UPGRADE, CONNECTION], "1.0", "101 in HTTP/1.0", id="in HTTP/1.0"),
        pytest.param([UPGRADE], "1.1", "101 without Connection: upgrade", id="not connected"),
        pytest.param(
            [(b"Upgrade", b"h2c"), CONNECTION],
            "1.1",
            "101 with another Upgrade than was asked for",
            id="elsewhere",
        ),
        pytest.param([UPGRADE, CONNECTION, FIVE], "1.1", "101 with a body", id="with a length"),
        pytest.param([UPGRADE, CONNECTION, CHUNKED], "1.1", "101 with a body", id="in chunks"),
    ],
)
def test_what_a_101_must_say_to_be_believed(headers, version, why):
    assert why == refused_switch(version, headers)
