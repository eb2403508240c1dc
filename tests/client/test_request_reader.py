"""Bytes cut into requests: nothing is read twice, before its turn, or for nothing."""

import pytest

from proxy import outcome as o
from proxy.client.body import HIGH_WATER
from proxy.client.head_reader import RequestRefusal
from proxy.client.request_reader import RequestReader
from tests.client.fakes import GET
from tests.client.reference import Limits

TIGHT = Limits(header_bytes=40, head_bytes=90, header_count=9, uri_bytes=30)
START = b"GET / HTTP/1.1\r\n"


def reader_of(*segments: bytes, limits: Limits | None = None) -> RequestReader:
    """A reader that was given `segments`, and was asked after each."""
    reader = RequestReader(limits or Limits())
    for segment in segments:
        reader.add(segment)
        if reader.body.is_whole:
            reader.is_ready()
    return reader


def outcome_of(*segments: bytes, limits: Limits) -> o.Outcome | None:
    """Why the first request is refused; None where it is not."""
    reader = reader_of(*segments, limits=limits)
    taken = reader.take() if reader.is_ready() else None
    return taken.outcome if isinstance(taken, RequestRefusal) else None


def halves(data: bytes) -> list[tuple[bytes, ...]]:
    """Cut in two at every place, and everywhere."""
    twos = [(data[:at], data[at:]) for at in range(1, len(data))]
    return [(data,), *twos, tuple(data[at : at + 1] for at in range(len(data)))]


def line_of(size: int) -> bytes:
    return b"X: " + b"a" * (size - 3) + b"\r\n"


@pytest.mark.parametrize(("fits", "exceeds", "outcome"), [
    pytest.param(b"GET /" + b"a" * 16 + b" HTTP/1.1\r\n\r\n",
                 b"GET /" + b"a" * 17 + b" HTTP/1.1\r\n\r\n", o.URI_TOO_LONG, id="request line"),
    pytest.param(START + line_of(40) + b"\r\n", START + line_of(41) + b"\r\n",
                 o.HEADERS_TOO_LARGE, id="header line"),
    pytest.param(START + line_of(28) * 3 + b"\r\n", START + line_of(28) * 2 + line_of(29) + b"\r\n",
                 o.HEADERS_TOO_LARGE, id="header lines together"),
])  # fmt: skip
def test_limits_are_exact_however_a_head_is_cut(fits, exceeds, outcome) -> None:
    for segments in halves(fits):
        assert None is outcome_of(*segments, limits=TIGHT), segments
    for segments in halves(exceeds):
        assert outcome is outcome_of(*segments, limits=TIGHT), segments


def test_a_smaller_total_than_a_line_bounds_as_well() -> None:
    limits = Limits(header_bytes=90, head_bytes=40)

    for segments in halves(START + line_of(39) + b"\r\n"):
        assert o.HEADERS_TOO_LARGE is outcome_of(*segments, limits=limits)


@pytest.mark.parametrize("bad", [b"GET /\rx", b"GET /\n", START + b"X: a\r\rb", START + b"\r\r"])
def test_bare_line_ends_are_refused_before_the_head_is_whole(bad: bytes) -> None:
    for segments in halves(bad):
        assert o.BAD_REQUEST is outcome_of(*segments, limits=Limits()), segments


@pytest.mark.parametrize("before", [b"", b"\r\n", b"\r\n\r\n\r\n"])
def test_what_comes_behind_a_whole_head_before_it_is_taken_stays_apart(before: bytes) -> None:
    reader = reader_of(before + GET, b"POST /b HTTP/1.1\r\nHost: h\r\n\r\n", b"\r\n")
    found = []
    while reader.is_ready():
        found.append(reader.take().target)

    assert ["/a", "/b"] == found
    assert (0, False) == (reader.held, reader.has_begun)


@pytest.mark.parametrize(("data", "has_begun"), [
    (b"", False), (b"\r\n", False), (b"\r", False), (b"\r\n\r", False), (b"G", True),
    (b"\r\nG", True),
])  # fmt: skip
def test_line_ends_begin_nothing(data: bytes, has_begun: bool) -> None:
    assert has_begun == reader_of(data).has_begun


def test_a_body_comes_with_its_request_and_what_is_behind_waits() -> None:
    reader = reader_of(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab")
    reader.take()
    reader.add(b"cd" + GET)

    assert (True, b"abcd", len(GET)) == (reader.body.is_whole, reader.body.take(), reader.held)
    assert reader.is_ready()
    assert "/a" == reader.take().target


def test_nothing_is_read_behind_a_broken_body() -> None:
    reader = reader_of(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
    reader.take()
    reader.add(b"zz\r\n" + GET)
    reader.add(GET)

    assert (o.BAD_REQUEST, True, 0) == (reader.body.failure, reader.is_over, reader.held)
    assert not reader.is_ready()


def test_nothing_is_kept_behind_a_refusal() -> None:
    reader = reader_of(b"!" * 9, b"\0" * 99_000)

    assert (True, 0) == (reader.is_ready(), reader.held)
    assert o.BAD_REQUEST is reader.take().outcome
    assert reader.is_over


def test_a_head_given_up_is_refused_with_what_came_of_it() -> None:
    reader = reader_of(b"GET /late HTTP/1.1\r\nUser-Agent: me\r\nX: un")
    reader.refuse(o.REQUEST_TIMEOUT, "late")
    refusal = reader.take()

    assert (o.REQUEST_TIMEOUT, "/late") == (refusal.outcome, refusal.asked.target)
    assert b"me" == refusal.asked.fields[b"user-agent"]


def test_the_first_refusal_stands() -> None:
    reader = reader_of(b"!")
    reader.refuse(o.REQUEST_TIMEOUT, "late")

    assert o.BAD_REQUEST is reader.take().outcome


def test_a_client_that_sends_ahead_has_bounded_room() -> None:
    reader = reader_of(GET)
    reader.take()
    reader.add(b"G" * (HIGH_WATER - 1))
    assert not reader.is_full
    reader.add(b"G" * 9)
    assert reader.is_full


def test_the_largest_head_has_room() -> None:
    """Full, nothing more would be read, and it would never be whole."""
    limits = Limits(header_bytes=1 << 20, head_bytes=1 << 20, uri_bytes=100)
    line = b"GET /" + b"a" * 86 + b" HTTP/1.1\r\n"
    head = line + line_of((1 << 20) - 2) + b"\r\n"
    reader = reader_of(head[:-1], limits=limits)

    assert (100, False) == (len(line) - 2, reader.is_full)
    reader.add(head[-1:])
    assert reader.is_ready()
    assert 1 == len(reader.take().raw)


def test_a_body_that_nobody_takes_fills_it() -> None:
    reader = reader_of(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n")
    reader.take()
    reader.add(b"x" * (HIGH_WATER + 1))
    assert reader.is_full
    reader.body.take()
    assert not reader.is_full


@pytest.mark.parametrize(("upgrade", "may_switch"), [("websocket", True), ("h2c", False)])
def test_a_websocket_may_switch(upgrade: str, may_switch: bool) -> None:
    head = GET[:-2] + f"Connection: Upgrade\r\nUpgrade: {upgrade}\r\n\r\n".encode()
    reader = reader_of(head + b"\x81\x00")
    reader.take()

    assert (may_switch, b"\x81\x00") == (reader.may_switch, reader.rest())
    assert (True, 0) == (reader.is_over, reader.held)
