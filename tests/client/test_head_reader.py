"""Heads: the request line by us, header lines by llhttp, and what is kept of a refused one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy import outcome as o
from proxy.client.head_reader import HeadReader, RequestRefusal, header_lines, read_line, refusal_of
from tests.client.reference import Limits

few = settings(max_examples=200, deadline=None, database=None)
LINE = read_line(b"GET / HTTP/1.1")


def head_of(*lines: str) -> bytes:
    return "\r\n".join(("GET / HTTP/1.1", *lines, "", "")).encode("latin-1")


def headers(*lines: str, limits: Limits | None = None):
    """Header lines as they were read, or the outcome of a refusal."""
    asked = HeadReader().read(LINE, head_of(*lines), limits or Limits())
    return asked.outcome if isinstance(asked, RequestRefusal) else list(asked.raw)


@pytest.mark.parametrize(("line", "method", "target", "version"), [
    pytest.param(b"GET / HTTP/1.1", "GET", "/", (1, 1), id="the usual"),
    pytest.param(b"get /a?b HTTP/1.0", "get", "/a?b", (1, 0), id="another method, HTTP/1.0"),
    pytest.param(b"M-SEARCH * HTTP/1.1", "M-SEARCH", "*", (1, 1), id="any token"),
    pytest.param("GET /grüße HTTP/1.1".encode(), "GET", "/grüße", (1, 1), id="UTF-8"),
    pytest.param(b"GET  / HTTP/1.1", "GET", "/", (1, 1), id="two blanks"),
    pytest.param(b"GET / HTTP/1.9", "GET", "/", (1, 1), id="a higher minor version"),
    pytest.param(b"GET /" + b"a" * 999 + b" HTTP/1.1", "GET", "/" + "a" * 999, (1, 1), id="long"),
])  # fmt: skip
def test_request_lines(line: bytes, method: str, target: str, version: tuple[int, int]) -> None:
    read = read_line(line)

    assert (method, target, version) == (read.method, read.target, read.version)
    assert None is read.refused


@pytest.mark.parametrize(("line", "outcome", "why", "kept"), [
    pytest.param(b"GET / HTTP/2.0", o.HTTP_VERSION_NOT_SUPPORTED, "HTTP/2", ("GET", "/"), id="2"),
    pytest.param(b"PRI * HTTP/2.0", o.HTTP_VERSION_NOT_SUPPORTED, "HTTP/2", ("PRI", "*"), id="PRI"),
    pytest.param(b"OPTIONS * RTSP/1.0", o.BAD_REQUEST, "RTSP/1.0 spoken, not HTTP",
                 ("OPTIONS", "*"), id="RTSP"),
    pytest.param(b"\x16\x03\x01", o.BAD_REQUEST, "a TLS hello on a port that speaks plain HTTP",
                 ("", ""), id="TLS"),
    pytest.param(b"", o.BAD_REQUEST, "no request line of HTTP", ("", ""), id="nothing"),
    pytest.param(b"GET /", o.BAD_REQUEST, "no request line of HTTP", ("GET", "/"), id="HTTP/0.9"),
    pytest.param(b"GET /a b HTTP/1.1", o.BAD_REQUEST, "no request line of HTTP", ("GET", "/a"),
                 id="a blank in the target"),
    pytest.param(b"GET /\xff HTTP/1.1", o.BAD_REQUEST, "a target that is no UTF-8",
                 ("GET", "/\ufffd"), id="no UTF-8"),
    pytest.param(b"1 / HTTP/1.1", o.BAD_REQUEST, "no request line of HTTP", ("", ""),
                 id="a method that begins with a digit"),
    pytest.param(b"A" * 65 + b" / HTTP", o.BAD_REQUEST, "no request line of HTTP", ("", ""),
                 id="what is too long for the record of a method"),
])  # fmt: skip
def test_refused_request_lines_keep_what_can_be_read(line, outcome, why, kept) -> None:
    read = read_line(line)

    assert (outcome, why, kept) == (read.refused, read.why, (read.method, read.target))


def test_header_lines_keep_order_case_and_number() -> None:
    assert [
        (b"Host", b"h"), (b"x-A", b"1"), (b"X-a", b""), (b"x-A", b"\xe9 2"), (b"X", b""),
    ] == headers("Host: h", "x-A:1", "X-a:", "x-A:  \xe9 2\t ", "X: \t ")  # fmt: skip


@few
@given(
    st.lists(
        st.tuples(st.sampled_from(["A", "a", "B", "Cookie"]), st.sampled_from(["", "1", "\t2 "])),
        max_size=9,
    )
)
def test_lines_whose_names_stand_there_again_are_kept_as_they_came(lines) -> None:
    read = headers(*(f"{name}:{value}" for name, value in lines))

    assert [(name.encode(), value.strip().encode()) for name, value in lines] == read


def test_a_reader_holds_nothing_from_one_head_to_the_next() -> None:
    reader = HeadReader()
    found = [
        reader.read(LINE, head_of(*lines), Limits())
        for lines in [
            ("Host: a", "Bad Name: x"),
            ("Host: b", "Content-Length: 3"),
            ("Host: c", "Connection: Upgrade", "Upgrade: h2c", "Transfer-Encoding: chunked"),
            ("Host: d", "Connection: close"),
            ("Host: e",),
            ("Host: f",),
        ]
    ]

    assert isinstance(found[0], RequestRefusal)
    assert [b"b", b"c", b"d", b"e", b"f"] == [asked.host for asked in found[1:]]
    assert [1, 1] == [len(asked.raw) for asked in found[4:]]
    assert [True, True, False, True, True] == [asked.keep_alive for asked in found[1:]]


@pytest.mark.parametrize("upgrade", [(), ("Connection: Upgrade", "Upgrade: h2c")],
                         ids=["plain", "upgrade"])  # fmt: skip
@pytest.mark.parametrize(("lines", "outcome"), [
    pytest.param(("Transfer-Encoding:",), o.BAD_REQUEST, id="empty"),
    pytest.param(("Transfer-Encoding: chunked",) * 2, o.BAD_REQUEST, id="twice"),
    pytest.param(("Transfer-Encoding: gzip",), o.NOT_IMPLEMENTED, id="another"),
    pytest.param(("Transfer-Encoding: chunked;q=1",), o.NOT_IMPLEMENTED, id="with a parameter"),
    pytest.param(("Transfer-Encoding: gzip, chunked",), o.NOT_IMPLEMENTED, id="before chunked"),
    pytest.param(("Transfer-Encoding: chunked", "Content-Length: 3"), o.BAD_REQUEST, id="length"),
    pytest.param(("Transfer-Encoding: x", "Content-Length: 3"), o.BAD_REQUEST, id="x and length"),
])  # fmt: skip
def test_no_coding_but_chunked(lines, outcome, upgrade) -> None:
    assert outcome == headers("Host: h", *upgrade, *lines)


@pytest.mark.parametrize("length", ["9" * 20, "9" * 5000, "", "+1", "1, 1", "\xb2", "1 1"])
def test_what_is_no_length_is_refused(length: str) -> None:
    assert o.BAD_REQUEST == headers("Host: h", f"Content-Length: {length}")


def test_a_length_of_many_zeros_is_a_length() -> None:
    asked = HeadReader().read(LINE, head_of("Content-Length: " + "0" * 5000 + "7"), Limits())

    assert 7 == asked.length


def test_the_number_of_lines_is_bounded() -> None:
    limits = Limits(header_count=3)

    assert 3 == len(headers("A: 1", "B: 2", "C: 3", limits=limits))
    assert o.HEADERS_TOO_LARGE == headers("A: 1", "B: 2", "C: 3", "D: 4", limits=limits)


def test_a_refusal_keeps_the_lines_that_look_like_such() -> None:
    head = head_of("Host: h", "Bad Name: x", " folded", "X\t: a ", "NUL: \0", "no colon", "Y:b")
    refusal = refusal_of(LINE, head, Limits(), o.BAD_REQUEST, "why")

    assert [(b"Host", b"h"), (b"X", b"a"), (b"Y", b"b")] == list(refusal.asked.raw)
    assert (o.BAD_REQUEST, "why", False) == (
        refusal.outcome, refusal.why, refusal.asked.keep_alive)  # fmt: skip


def test_a_refusal_keeps_no_more_than_the_limits_allow() -> None:
    limits = Limits(header_count=3, uri_bytes=20, head_bytes=40)
    refusal = refusal_of(LINE, head_of(*("A: b",) * 9), limits, o.HEADERS_TOO_LARGE, "why")
    long = refusal_of(LINE, head_of("A: " + "b" * 99), limits, o.HEADERS_TOO_LARGE, "why")

    assert 3 == len(refusal.asked.raw)
    assert 60 >= len(long.asked.raw[0][1])


@pytest.mark.parametrize("line", [
    pytest.param(b"X: a" + b" " * 30_000 + b"b", id="blanks in a value"),
    pytest.param(b"X:" + b" " * 30_000 + b"\0", id="blanks before a NUL"),
    pytest.param(b"X" + b" " * 30_000, id="blanks behind a name"),
])  # fmt: skip
def test_blanks_cost_no_time(line: bytes) -> None:
    """An expression that backtracks took hours for such a line."""
    assert len(header_lines(b"GET / HTTP/1.1\r\n" + line + b"\r\n", 9)) <= 1


@few
@given(st.lists(st.text(st.sampled_from("Xa:\r\n \t\0\x7f\xff"), max_size=12), max_size=4))
def test_what_llhttp_takes_for_a_head_is_what_we_cut(lines) -> None:
    """It never ends a head before us: behind it, other lines would be another request's."""
    head = head_of(*(line for line in lines if line and "\r\n" not in line))
    found = HeadReader().read(LINE, head, Limits())

    if not isinstance(found, RequestRefusal):
        assert head.count(b"\r\n") - 2 == len(found.raw)
        assert head.count(b"\n") == head.count(b"\r") == head.count(b"\r\n")
