"""Which parser reads the next response: the one before, if it has nothing left to read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.upstream.response_reader import ResponseReader
from proxy.upstream.spare_parser import SpareParser
from tests.upstream.test_response_reader import LIMITS, WHOLE, read, split, summary

OK = b"HTTP/1.1 200 OK\r\n"
SHORT = OK + b"Content-Length: 2\r\n\r\nhi"


def parser_after(data: bytes, method: str = "GET"):
    """What the next response would be read by; None where a new one would be made."""
    reader = ResponseReader("http://a", LIMITS)
    reader.expect(method)
    used = reader._parser
    reader.feed(data)
    reader.reset()
    reader.expect("GET")
    return used if reader._parser is used else None


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(SHORT, id="a body with a length"),
        pytest.param(
            OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", id="in chunks"
        ),
        pytest.param(b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + SHORT, id="behind an interim head"),
        pytest.param(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", id="no body"),
    ],
)
def test_one_that_has_read_a_response_to_its_end_reads_the_next_one(data) -> None:
    assert parser_after(data) is not None


@pytest.mark.parametrize(
    ("data", "method"),
    [
        pytest.param(OK + b"Content-Length: 2\r\n\r\n", "HEAD", id="an answer to HEAD"),
        pytest.param(OK + b"Connection: close\r\nContent-Length: 0\r\n\r\n", "GET", id="a close"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "GET", id="HTTP/1.0"),
        pytest.param(SHORT + b"x", "GET", id="a byte behind it"),
        pytest.param(SHORT.replace(b":", b" :"), "GET", id="blanks before the colon"),
        pytest.param(SHORT[:-1], "GET", id="a body that is not whole"),
        pytest.param(b"220 smtp.example.com ready\r\n", "GET", id="no HTTP"),
    ],
)
def test_one_of_which_that_is_not_sure_is_never_used_again(data, method) -> None:
    assert parser_after(data, method) is None


def test_none_is_kept_once_nothing_more_is_read() -> None:
    spare = SpareParser()
    parser = spare.take(object())
    spare.keep(parser)
    spare.drop()

    assert parser is not spare.take(object())


@given(
    st.lists(st.sampled_from(sorted(WHOLE)), min_size=2, max_size=6),
    st.lists(st.integers(0, 200), max_size=4),
)
def test_a_response_is_read_alike_whatever_was_read_before_it(names, cuts) -> None:
    reader = ResponseReader("http://a", LIMITS)
    for name in names:
        data, method = WHOLE[name]
        reader.expect(method)
        for part in split(data, cuts):
            reader.feed(part)
        is_over = reader.is_done and reader.failure is None and not reader.is_tainted

        assert summary(read(*split(data, cuts), method=method)) == summary(reader)
        if not is_over:
            return
        reader.reset()
