"""What an upstream asks for is read where it is a number of seconds or a date, and nowhere else."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.resilience.retry_after import rest_asked, retry_after

NOW = 784111777.0
"""Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 §5.6.7."""


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param(b"120", 120.0, id="seconds"),
        pytest.param(b"0", 0.0, id="no wait at all"),
        pytest.param(b" \t7 ", 7.0, id="with white space around"),
        pytest.param(b"Sun, 06 Nov 1994 08:50:37 GMT", 60.0, id="a date"),
        pytest.param(b"Sunday, 06-Nov-94 08:50:37 GMT", 60.0, id="a date as in RFC 850"),
        pytest.param(b"Sun Nov  6 08:50:37 1994", 60.0, id="a date as asctime writes it"),
        pytest.param(b"Sun, 06 Nov 1994 08:49:36 GMT", 0.0, id="a date that has passed"),
        pytest.param(b"9" * 18, float(b"9" * 18), id="longer than the universe"),
        pytest.param(b"9" * 19, None, id="too many digits"),
        pytest.param(b"9" * 100_000, None, id="far too many digits"),
        pytest.param(b"-1", None, id="a negative number"),
        pytest.param(b"+1", None, id="a number with a sign"),
        pytest.param(b"1.5", 1.5, id="a fraction"),
        pytest.param(b"1.", None, id="a fraction cut short"),
        pytest.param(b"1e3", None, id="an exponent"),
        pytest.param(b"nan", None, id="not a number"),
        pytest.param(b"inf", None, id="for ever"),
        pytest.param("١٢".encode(), None, id="digits that are not ASCII"),
        pytest.param(b"1_000", None, id="digits as Python writes them"),
        pytest.param(b"5, 6", None, id="two values in one"),
        pytest.param(b"", None, id="nothing"),
        pytest.param(b"soon", None, id="a word"),
        pytest.param(b"06 Nov 1994 08:50:37 GMT", None, id="a date without its day"),
        pytest.param(b"Sun, 31 Feb 1994 08:50:37 GMT", None, id="a day that is not"),
        pytest.param(b"Sun, 06 Nov 99999 08:50:37 GMT", None, id="a year that is not"),
        pytest.param(b"Sun, 06 Nov 1994 25:50:37 GMT", None, id="an hour that is not"),
        pytest.param(b"Sun, 06 Nov 1994 08:50:37 \xff", None, id="a date with a stray byte"),
    ],
)
def test_the_value_is_read(value: bytes, seconds: float | None) -> None:
    assert retry_after(value, wall=NOW) == seconds


@settings(max_examples=60, deadline=None, database=None)
@given(
    st.one_of(
        st.binary(max_size=40),
        st.from_regex(rb"\A(Sun|Friday),? [0-9A-Za-z:+ -]{10,30}\Z"),
    )
)
@example(b"Fri, 31 Dec 9999 23:59:59 -2359")
@example(b"Sun, 01 Jan 0001 00:00:00 +2359")
def test_no_value_breaks_it(value: bytes) -> None:
    seconds = retry_after(value, wall=NOW)

    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param([], None, id="nothing is asked for"),
        pytest.param([(b"RETRY-after", b"2.5")], 2.5, id="in seconds"),
        pytest.param([(b"Retry-After-Ms", b"250")], 0.25, id="in milliseconds"),
        pytest.param([(b"x-ms-retry-after-ms", b" 1500.5 ")], 1.5005, id="Azure's"),
        pytest.param(
            [(b"Retry-After", b"1"), (b"retry-after-ms", b"300")], 0.3, id="the more exact one"
        ),
        pytest.param(
            [(b"retry-after-ms", b"soon"), (b"Retry-After", b"1")], 1.0, id="the one with a sense"
        ),
        pytest.param([(b"Retry-After", b"3"), (b"Retry-After", b"9")], 3.0, id="the first of two"),
    ],
)
def test_what_an_answer_asks_for(headers: list[tuple[bytes, bytes]], seconds: float | None) -> None:
    assert seconds == rest_asked(headers, NOW)
