"""One answer, byte by byte, whatever the segments."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.outcome import (
    STREAM_MALFORMED,
    UPSTREAM_HEADERS_TOO_LARGE,
    UPSTREAM_PROTOCOL_ERROR,
)
from proxy.upstream.response_reader import MAX_INTERIM, ResponseReader
from proxy.upstream.rules import UpstreamRule

LIMITS = UpstreamRule(endpoints=["http://a"], max_head=1024, max_headers=8)
OK = b"HTTP/1.1 200 OK\r\n"
SHORT = OK + b"Content-Length: 2\r\n\r\nhi"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def read(*segments, method="GET"):
    reader = ResponseReader("http://a", LIMITS)
    reader.expect(method)
    for segment in segments:
        reader.feed(segment)
    return reader


def summary(reader):
    if reader.failure:
        return reader.head, reader.failure.outcome.code, reader.failure.detail
    return reader.head, reader.take_chunks(), reader.is_done, reader.is_tainted


def split(data, cuts):
    edges = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    parts = [data[start:end] for start, end in itertools.pairwise(edges)]
    return [part for part in parts if part]


WHOLE = {
    "length": (SHORT, "GET"),
    "nothing": (OK + b"Content-Length: 0\r\n\r\n", "GET"),
    "chunks": (CHUNKED + b"2\r\nhi\r\n5;x=y\r\nthere\r\n0\r\nTrailer: t\r\n\r\n", "GET"),
    "until close": (OK + b"A: b\r\n\r\nhi there", "GET"),
    "interim": (b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" * 3 + SHORT, "GET"),
    "1.2": (CHUNKED.replace(b"1.1", b"1.2") + b"2\r\nhi\r\n0\r\n\r\n", "GET"),
    "head": (OK + b"Content-Length: 2\r\n\r\n", "HEAD"),
    "head in chunks": (CHUNKED, "HEAD"),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "GET"),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", "DELETE"),
    "too large": (OK + b"A: " + b"x" * 1100 + b"\r\n\r\n", "GET"),
    "large body": (OK + b"Content-Length: 2000\r\n\r\n" + b"x" * 2000, "GET"),
    "too many": (OK + b"A: b\r\n" * 9 + b"\r\n", "GET"),
    "upgrade": (b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", "GET"),
    "both": (OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", "GET"),
    "padded names": (OK + b"A : b\r\nContent-Length\t : 2\r\n\r\nhi", "GET"),
    "padded interim": (
        b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 103 Hints\r\nLink : y\r\n\r\n"
        + CHUNKED.replace(b":", b" :")
        + b"2\r\nhi\r\n0\r\n\r\n",
        "GET",
    ),
    "padded head": (OK + b"Content-Length : 2\r\n\r\n", "HEAD"),
    "padded until close": (OK + b"A : b\r\n\r\nhi : there\r\n", "GET"),
    "padded and too large": (OK + b"A : " + b"x" * 1100 + b"\r\n\r\n", "GET"),
    "padded and wrong": (OK + b"A : b\r\nno colon\r\n\r\n", "GET"),
    "padded sizes": (CHUNKED + b"2  \r\nhi\r\n5\t\r\nthere\r\n0 \r\n\r\n", "GET"),
    "a length behind chunks": (CHUNKED + b"2\r\nhi\r\n0\r\nContent-Length: 7\r\n\r\n", "GET"),
    "a padded trailer": (CHUNKED + b"2\r\nhi\r\n0\r\nContent-Length : 7\r\n\r\n", "GET"),
    "garbage": (b"220 smtp.example.com ready\r\n", "GET"),
}


@pytest.mark.parametrize("name", WHOLE)
@given(cuts=st.lists(st.integers(0, 3000), max_size=12))
def test_where_the_segments_end_changes_nothing(name, cuts):
    data, method = WHOLE[name]

    assert summary(read(data, method=method)) == summary(read(*split(data, cuts), method=method))


@pytest.mark.parametrize("name", WHOLE)
def test_byte_by_byte_is_the_same(name):
    data, method = WHOLE[name]
    segments = [bytes([byte]) for byte in data]

    assert summary(read(data, method=method)) == summary(read(*segments, method=method))


def test_headers_keep_bytes_order_spelling_and_repetitions():
    reader = read(OK + b"sEt-Cookie: a=1\r\nX: caf\xe9\r\nSet-Cookie: a=1\r\nEmpty:\r\n\r\n")

    assert reader.head.headers == [
        (b"sEt-Cookie", b"a=1"),
        (b"X", b"caf\xe9"),
        (b"Set-Cookie", b"a=1"),
        (b"Empty", b""),
    ]


@pytest.mark.parametrize("name", ["padded names", "padded interim", "padded sizes"])
def test_blanks_that_others_bear_are_borne(name):
    reader = read(WHOLE[name][0])

    assert (True, False) == (reader.is_done, reader.is_tainted)
    assert reader.take_chunks().startswith(b"hi")


def test_a_blank_before_the_colon_is_taken_out():
    """RFC 9112 §5.1."""
    reader = read(b"HTTP/1.1 103 E\r\nLink: x\r\n\r\n" + OK + b"X-A \t: b : c\r\nB: d\r\n\r\n")

    assert reader.head.headers == [(b"X-A", b"b : c"), (b"B", b"d")]
    assert [(b"Link", b"x")] == [line for head in reader.interim for line in head.headers]


def test_a_101_with_a_blank_before_a_colon_switches_all_the_same():
    reader = switched(SWITCH.replace(b"Upgrade:", b"Upgrade :") + b"raw : bytes")

    assert 101 == reader.head.status
    assert b"raw : bytes" == reader.take_chunks()


@pytest.mark.parametrize(
    "trailer", [b"Content-Length: 2", b"Content-Length : 2", b"Transfer-Encoding: gzip", b"A : b"]
)
def test_a_trailer_does_no_harm_to_a_body_that_was_whole(trailer):
    reader = read(CHUNKED + b"2\r\nhi\r\n0\r\n" + trailer + b"\r\n\r\n")

    assert reader.is_done
    assert reader.failure is None
    assert b"hi" == reader.take_chunks()


@pytest.mark.parametrize("status", [600, 777, 999])
def test_a_status_that_nobody_has_named_yet_passes(status):
    head = read(b"HTTP/1.1 %d Odd\r\nContent-Length: 0\r\n\r\n" % status).head

    assert (status, b"Odd") == (head.status, head.reason)


def test_a_head_says_its_status_reason_version_and_framing():
    head = read(b"HTTP/1.0 404 Not \xe9\r\nContent-Length: 2\r\n\r\n").head

    assert (head.status, head.reason) == (404, b"Not \xe9")
    assert (head.http_version, head.framing, head.length) == ("1.0", "length", 2)


def test_the_reason_and_headers_of_interim_answers_are_forgotten():
    head = read(b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + SHORT).head

    assert (head.status, head.reason) == (200, b"OK")
    assert head.headers == [(b"Content-Length", b"2")]


def test_trailers_do_not_become_headers():
    reader = read(CHUNKED, b"0\r\nX-Late: 1\r\n\r\n")

    assert reader.is_done
    assert reader.head.headers == [(b"Transfer-Encoding", b"chunked")]


SWITCH = b"HTTP/1.1 101 Up\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"


def switched(*segments):
    reader = ResponseReader("http://a", LIMITS)
    reader.expect("GET", may_switch=True)
    for segment in segments:
        reader.feed(segment)
    return reader


@given(cuts=st.lists(st.integers(0, 200), max_size=12))
def test_what_follows_a_101_that_was_asked_for_is_not_http(cuts):
    """However it is cut, and whatever it looks like; interim answers before it are read over."""
    behind = SHORT + bytes(range(256))
    data = b"HTTP/1.1 103 Hints\r\n\r\n" + SWITCH + behind
    reader = switched(*split(data, cuts))

    assert (101, b"Up", "none") == (
        reader.head.status,
        reader.head.reason,
        reader.head.framing,
    )
    assert behind == reader.take_chunks()
    assert reader.is_raw
    assert not reader.is_done
    assert not reader.is_tainted
    assert reader.failure is None


def test_a_101_at_the_limit_of_heads_loses_nothing():
    head = SWITCH[:-2] + b"A: " + b"x" * (LIMITS.max_head - len(SWITCH) - 5) + b"\r\n\r\n"
    reader = switched(head + b"behind")

    assert LIMITS.max_head == len(head)
    assert b"behind" == reader.take_chunks()


def test_a_101_that_leads_elsewhere_is_a_protocol_error():
    reader = switched(SWITCH.replace(b"websocket", b"h2c") + b"behind")

    assert UPSTREAM_PROTOCOL_ERROR is reader.failure.outcome
    assert not reader.is_raw


def test_a_connection_that_switched_is_never_http_again():
    reader = switched(SWITCH)
    reader.feed(SHORT)

    assert SHORT == reader.take_chunks()
    assert 101 == reader.head.status


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"HTTP/1.1 099 Low\r\n\r\n", id="status below 100"),
        pytest.param(b"HTTP/1.1 1000 High\r\n\r\n", id="status above 999"),
        pytest.param(b"HTTP/2.0 200 OK\r\n\r\n", id="another version"),
        pytest.param(b"HTTP/3.1 200 OK\r\n\r\n", id="a version to come"),
        pytest.param(b"HTTP/0.9 200 OK\r\n\r\n", id="a version long gone"),
        pytest.param(b"HTTP/1.10 200 OK\r\n\r\n", id="no version"),
        pytest.param(b"HTTP/2.0 103 E\r\n\r\n", id="another version, interim"),
        pytest.param(b"HTTP/1.1 101 Up\r\n\r\n", id="101 that nobody asked for"),
        pytest.param(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", id="two lengths"),
        pytest.param(OK + b"Transfer-Encoding: gzip\r\n\r\n", id="a strange coding"),
        pytest.param(OK + b"A b: c\r\n\r\n", id="a blank within a name"),
        pytest.param(OK + b" : b\r\n\r\n", id="a blank in place of a name"),
        pytest.param(
            OK + b"Content-Length : 1\r\nContent-Length: 1\r\n\r\n", id="the same length twice"
        ),
        pytest.param(
            OK + b"Transfer-Encoding : chunked\r\nContent-Length: 1\r\n\r\n",
            id="two framings, one padded",
        ),
        pytest.param(OK + b"A: b\r\n c\r\n\r\n", id="a folded line"),
        pytest.param(OK + b"A: b\nC: d\r\n\r\n", id="a bare line feed"),
        pytest.param(OK + b"A: b\rc\r\n\r\n", id="a bare carriage return"),
        pytest.param(OK + b"A: \x00\r\n\r\n", id="a NUL"),
        pytest.param(OK + b": b\r\n\r\n", id="no name"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n", id="another protocol"),
    ],
)
def test_a_head_that_breaks_the_rules_is_a_protocol_error(head):
    reader = read(head)

    assert reader.head is None
    assert UPSTREAM_PROTOCOL_ERROR is reader.failure.outcome


def test_a_head_over_the_limit_ends_before_it_is_whole():
    reader = read(OK + b"A: " + b"x" * 1024)

    assert UPSTREAM_HEADERS_TOO_LARGE is reader.failure.outcome


def test_a_head_of_just_the_limit_passes_with_its_body_in_the_same_segment():
    head = OK + b"Content-Length: 2000\r\nA: "
    head += b"x" * (LIMITS.max_head - len(head) - 4) + b"\r\n\r\n"

    assert read(head + b"x" * 2000).buffered == 2000
    assert read(head.replace(b"A: ", b"A: x") + b"x" * 2000).failure


def test_more_header_lines_than_allowed_are_too_large():
    assert read(OK + b"A: b\r\n" * 8 + b"\r\n").head
    assert UPSTREAM_HEADERS_TOO_LARGE is read(OK + b"A: b\r\n" * 9 + b"\r\n").failure.outcome


@pytest.mark.parametrize("minor", range(2, 10))
def test_a_response_of_a_later_minor_version_is_read_as_1_1(minor):
    reader = read(CHUNKED.replace(b"1.1", b"1.%d" % minor) + b"2\r\nhi\r\n0\r\n\r\n")

    assert ("1.1", "chunked") == (reader.head.http_version, reader.head.framing)
    assert reader.framing.keeps_alive
    assert b"hi" == reader.take_chunks()


@given(cuts=st.lists(st.integers(0, 200), max_size=12))
def test_interim_heads_are_kept_but_for_those_of_a_100(cuts):
    data = b"HTTP/1.2 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 199 Z\r\n\r\n"
    reader = read(*split(data + SHORT, cuts))

    assert [(103, "1.1", [(b"Link", b"x")]), (199, "1.1", [])] == [
        (head.status, head.http_version, head.headers) for head in reader.interim
    ]


def test_an_interim_head_that_announces_the_close_is_not_the_last():
    reader = read(b"HTTP/1.1 103 Early\r\nConnection: close\r\n\r\n", SHORT)

    assert (200, b"hi") == (reader.head.status, reader.take_chunks())


def test_interim_heads_of_the_last_response_are_forgotten():
    reader = read(b"HTTP/1.1 103 Early\r\n\r\n" + SHORT)
    reader.reset()

    assert [] == reader.interim


def test_interim_answers_do_not_go_on_for_ever():
    interim = b"HTTP/1.1 102 P\r\n\r\n"
    reader = ResponseReader("http://a", UpstreamRule(endpoints=["http://a"]))
    reader.expect("GET")
    reader.feed(interim * MAX_INTERIM)

    assert reader.failure is None
    reader.feed(interim)
    failure: Any = reader.failure
    assert UPSTREAM_PROTOCOL_ERROR is failure.outcome


@pytest.mark.parametrize(
    "chunk",
    [
        pytest.param(b"zz\r\n", id="no number"),
        pytest.param(b"-2\r\nhi\r\n", id="a negative size"),
        pytest.param(b"FFFFFFFFFFFFFFFFFF\r\n", id="a size that overflows"),
        pytest.param(b"2\nhi\r\n", id="a bare line feed"),
        pytest.param(b"2 3\r\nhi\r\n", id="a blank within the size"),
        pytest.param(b"2\r\nhixx", id="longer than it said"),
    ],
)
def test_a_malformed_chunk_ends_the_body_in_whatever_segment(chunk):
    reader = read(CHUNKED + b"2\r\nhi\r\n", chunk)

    assert STREAM_MALFORMED is reader.failure.outcome
    assert reader.take_chunks().startswith(b"hi")
    assert not reader.is_done


def test_trailers_without_end_are_malformed():
    reader = read(CHUNKED, b"0\r\n", *[b"A: b\r\n"] * 200)

    assert STREAM_MALFORMED is reader.failure.outcome


def test_a_large_head_leaves_room_for_chunk_extensions():
    head = CHUNKED[:-2] + b"A: "
    head += b"x" * (LIMITS.max_head - len(head) - 4) + b"\r\n\r\n"
    reader = read(head, b"2;x=" + b"y" * 50, b"\r\nhi\r\n")

    assert reader.failure is None
    assert reader.take_chunks() == b"hi"


def test_small_chunks_may_go_on_for_ever():
    reader = read(CHUNKED, *[b"1\r\n", b"x\r\n"] * 2000)

    assert reader.failure is None
    assert reader.buffered == 2000


@pytest.mark.parametrize(
    ("data", "method"),
    [
        pytest.param(SHORT + b"x", "GET", id="behind a length"),
        pytest.param(SHORT + SHORT, "GET", id="a second answer"),
        pytest.param(CHUNKED + b"0\r\n\r\nHTTP", "GET", id="behind the last chunk"),
        pytest.param(OK + b"Content-Length: 2\r\n\r\nhi", "HEAD", id="a body for HEAD"),
        pytest.param(CHUNKED + b"5", "HEAD", id="the start of a chunk for HEAD"),
        pytest.param(CHUNKED + b"0\r\n\r\n", "HEAD", id="a last chunk for HEAD"),
        pytest.param(CHUNKED + b"5\r\n\r\n", "HEAD", id="a chunk for HEAD"),
        pytest.param(b"HTTP/1.1 204 No\r\n\r\nhi", "GET", id="a body for 204"),
        pytest.param(b"HTTP/1.1 304 No\r\nContent-Length: 2\r\n\r\nhi", "GET", id="for 304"),
        pytest.param(OK + b"Connection: close\r\nContent-Length: 0\r\n\r\nx", "GET", id="closing"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi" + SHORT, "GET", id="of 1.0"),
    ],
)
def test_bytes_behind_the_end_taint_but_do_not_spoil_the_answer(data, method):
    reader = read(data, method=method)

    assert reader.is_done
    assert reader.is_tainted
    assert reader.failure is None


def test_bytes_after_the_end_taint_too():
    assert read(SHORT, b"x").is_tainted
    assert read(CHUNKED, b"5", method="HEAD").is_tainted
    assert not read(SHORT).is_tainted


@pytest.mark.parametrize(
    ("data", "is_whole"),
    [
        pytest.param(OK + b"\r\nhi", True, id="until close"),
        pytest.param(OK + b"Content-Length: 3\r\n\r\nhi", False, id="a length cut"),
        pytest.param(CHUNKED + b"2\r\nhi\r\n", False, id="the last chunk missing"),
        pytest.param(OK, False, id="no head"),
    ],
)
def test_the_end_of_the_connection_ends_only_what_lasts_until_then(data, is_whole):
    assert is_whole == read(data).end()


@given(
    body=st.lists(st.binary(min_size=1, max_size=40), max_size=6),
    cuts=st.lists(st.integers(0, 600), max_size=8),
)
def test_chunks_come_out_as_they_went_in(body, cuts):
    wire = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in body) + b"0\r\n\r\n"
    reader = read(*split(CHUNKED + wire, cuts))

    assert reader.is_done
    assert not reader.is_tainted
    assert b"".join(body) == reader.take_chunks()


def test_one_reader_serves_one_answer_after_the_other():
    reader = read(OK + b"Content-Length: 2\r\n\r\n", method="HEAD")
    reader.reset()
    reader.expect("GET")
    reader.feed(SHORT)

    assert reader.take_chunks() == b"hi"
    assert reader.is_done
    assert not reader.is_tainted
