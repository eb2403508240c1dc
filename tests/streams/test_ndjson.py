"""Lines of JSON go on whole, at once and untouched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.streams.framing import MAX_HELD, StreamEvent
from proxy.streams.ndjson import JsonSequence, Ndjson

READS = st.lists(
    st.lists(st.sampled_from([b"\n", b"\r", b"\r\n", b'{"a":', b"1}", b" "]), max_size=6).map(
        b"".join
    ),
    max_size=20,
)


def lines(text: bytes) -> int:
    """Lines with something in them."""
    return len([line for line in text.split(b"\n") if line.strip(b" \r")])


@given(READS)
def test_whatever_arrives_goes_on_by_whole_lines(reads: list[bytes]) -> None:
    framing, arrived, passed = Ndjson(), b"", b""
    for data in reads:
        before = framing.events
        arrived += data
        passed += framing.feed(data)

        assert passed == arrived[: arrived.rfind(b"\n") + 1]
        assert framing.held == len(arrived) - len(passed)
        assert framing.events == lines(passed)
        assert framing.has_event == (framing.events > before)
    assert passed + framing.finish() == arrived
    assert framing.events == lines(arrived)


@pytest.mark.parametrize(
    ("data", "events"),
    [
        pytest.param(b'{"a":1}\n', 1, id="LF"),
        pytest.param(b'{"a":1}\r\n{"a":2}\r\n', 2, id="CRLF"),
        pytest.param(b"\n\r\n \n", 0, id="blank lines"),
        pytest.param(b'{"a":\r1}\n', 1, id="a CR alone ends no line"),
        pytest.param(b'{"a":1}', 0, id="no end"),
    ],
)
def test_what_counts_as_an_event(data: bytes, events: int) -> None:
    framing = Ndjson()
    framing.feed(data)

    assert (framing.events, framing.has_event) == (events, events > 0)


def test_the_last_line_needs_no_end() -> None:
    framing = Ndjson()
    framing.feed(b'{"a":1}\n{"a":2}')

    assert (framing.finish(), framing.events, framing.has_event) == (b'{"a":2}', 2, True)


def test_a_stream_without_a_tail_ends_without_an_event() -> None:
    framing = Ndjson()
    framing.feed(b'{"a":1}\n')

    assert (framing.finish(), framing.events, framing.has_event) == (b"", 1, False)


def test_a_line_above_the_limit_goes_on_in_pieces() -> None:
    framing = Ndjson()
    data = b'{"a":1}\n' + b"x" * (MAX_HELD + 1)
    first = framing.feed(data), framing.events, framing.takes_error
    rest = framing.feed(b'x\n{"a":2}\n{"a"')

    assert first == (data, 1, False)
    assert (rest, framing.events, framing.takes_error) == (b'x\n{"a":2}\n', 3, True)


def test_a_last_line_in_pieces_needs_no_end_either() -> None:
    framing = Ndjson()
    framing.feed(b"x" * (MAX_HELD + 1))

    assert (framing.finish(), framing.events) == (b"", 1)


def test_half_a_line_is_never_released() -> None:
    framing = Ndjson()
    framing.feed(b'{"a":1}\n{"a"')

    assert framing.release() == b""


def test_records_of_a_sequence_are_read_without_their_separator() -> None:
    (event,) = JsonSequence().read(b'\x1e{"a":1}\n')

    assert event == StreamEvent(b"", b'{"a":1}')


def test_there_is_no_heartbeat() -> None:
    assert Ndjson().heartbeat() == b""


def test_events_are_read_without_the_space_around_them() -> None:
    assert list(Ndjson().read(b'{"a":1}\r\n\n {"a":2}')) == [
        StreamEvent(b"", b'{"a":1}'),
        StreamEvent(b"", b'{"a":2}'),
    ]
