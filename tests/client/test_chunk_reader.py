"""Chunked bodies: never read more leniently than llhttp reads them, and bounded."""

from itertools import pairwise

import pytest
from httptools import HttpParserError, HttpRequestParser
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.client.chunk_reader import MAX_EXCESS, MAX_EXTENSION, MAX_TRAILERS, ChunkReader
from tests.client.pipelines import chunked, some

many = settings(max_examples=300, deadline=None, database=None)


def feed(data: bytes, cuts: list[int] | None = None) -> tuple[bytes, int, ChunkReader]:
    """The body, the position behind it, and the reader."""
    reader, pieces, read = ChunkReader(), [], 0
    edges = [0, *sorted({cut for cut in cuts or [] if 0 < cut < len(data)}), len(data)]
    for begin, end in pairwise(edges):
        if not (reader.is_whole or reader.why):
            read = begin + reader.feed(data[begin:end], 0, pieces)
    return b"".join(pieces), read, reader


class Seen:
    """What llhttp makes of a chunked body."""

    def __init__(self, body: bytes) -> None:
        self.body = b""
        self.is_whole = False
        self.is_refused = False
        parser = HttpRequestParser(self)
        try:
            parser.feed_data(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
        except HttpParserError:
            self.is_refused = True

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.is_whole = True


@many
@given(chunked(), st.binary(max_size=9), st.lists(st.integers(1, 300), max_size=9))
def test_a_body_ends_where_it_ends_however_it_is_cut(body, behind, cuts) -> None:
    expected = feed(body)[0]

    found, read, reader = feed(body + behind, cuts)

    assert (expected, len(body), True) == (found, read, reader.is_whole)


@many
@given(chunked().filter(lambda body: b";" not in body))
def test_a_body_is_what_llhttp_reads(body) -> None:
    seen = Seen(body)

    assert (seen.body, seen.is_whole) == (feed(body)[0], True)


@many
@given(chunked(), st.integers(0, 200), st.integers(0, 2), some(b"\r\n\t :0a2\0\x7f\xff", 0, 3))
def test_what_llhttp_refuses_is_refused(body, at, taken, put) -> None:
    """But for extensions, which are read over, whatever they say."""
    broken = body[:at] + put + body[at + taken :]
    found, read, reader = feed(broken)
    seen = Seen(broken[:read])

    if reader.is_whole and b";" not in broken:
        assert (seen.body, True, False) == (found, seen.is_whole, seen.is_refused)


@pytest.mark.parametrize(("body", "why"), [
    pytest.param(b"+2\r\n", "a chunk's size that is none", id="a sign"),
    pytest.param(b"2 \r\n", "a chunk's size that is none", id="a blank"),
    pytest.param(b"\r\n", "a chunk's size that is none", id="no size"),
    pytest.param(b"4" + b"0" * 15 + b"\r\n", "a chunk's size that is none", id="too large"),
    pytest.param(b"2\n", "a chunk's size that is none", id="a bare LF"),
    pytest.param(b"2\r\nhi\n", "a chunk that is longer than its size says", id="LF behind data"),
    pytest.param(b"2\r\nhi!\r\n", "a chunk that is longer than its size says", id="more data"),
    pytest.param(b"0\r\nX : y\r\n", "a trailer that is no field", id="a blank before a colon"),
    pytest.param(b"0\r\nTransfer-encoding: x\r\n", "a trailer that frames the message", id="TE"),
    pytest.param(b"2;" + b"a" * MAX_EXTENSION + b"\r\n",
                 "a line of the chunked framing over the limit", id="a long extension"),
    pytest.param(b"2;" + b"a" * MAX_EXTENSION,
                 "a line of the chunked framing without end", id="an endless extension"),
    pytest.param(b"0\r\n" + b"X: y\r\n" * (MAX_TRAILERS // 6 + 1), "trailers over the limit",
                 id="many trailers"),
    pytest.param(b"1;" + b"a" * 998 + b"\r\nx\r\n" * 1 + (b"1;" + b"a" * 998 + b"\r\nx\r\n") * 17,
                 "chunk extensions over the limit", id="many extensions"),
])  # fmt: skip
def test_what_is_no_chunked_body_says_why(body: bytes, why: str) -> None:
    assert why == feed(body)[2].why


def test_honest_framing_is_never_over_the_limit() -> None:
    """Small chunks, and large ones with a signature each."""
    small = b"1\r\nx\r\n" * MAX_EXCESS
    signed = (b"400;chunk-signature=" + b"a" * 64 + b"\r\n" + b"x" * 1024 + b"\r\n") * 300

    assert feed(small + signed + b"0\r\n\r\n")[2].is_whole


def test_trailers_as_long_as_the_limit_pass() -> None:
    line = b"X: " + b"y" * 1019 + b"\r\n"

    assert MAX_TRAILERS == len(line) * 16
    assert feed(b"0\r\n" + line * 16 + b"\r\n")[2].is_whole
    assert not feed(b"0\r\n" + line * 16 + b"X:\r\n\r\n")[2].is_whole
