"""Server-sent events go on whole, at once and untouched, however the network cuts them."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.streams.errors import error_event
from proxy.streams.framing import MAX_HELD, StreamEvent
from proxy.streams.sse import KEEP_ALIVE, Sse
from tests.streams.reference import decoded, dispatched, lines_of, read

BOM = b"\xef\xbb\xbf"
ERROR = error_event("sse", b'{"error":"stream_stalled"}')

CHAT = b'data: {"n":1}\n\n: ping\n\nevent: delta\nid: 2\ndata: a\ndata: b\n\ndata: [DONE]\n\n'
STREAMS = {
    "LF": CHAT,
    "CRLF": CHAT.replace(b"\n", b"\r\n"),
    "CR": CHAT.replace(b"\n", b"\r"),
    "mixed ends": b"data: a\r\n\ndata: b\n\r\ndata: c\r\r\ndata: d\r\n\rdata: e\n\r",
    "mark": BOM + CHAT,
    "mark and CRLF": BOM + CHAT.replace(b"\n", b"\r\n"),
    "mark and blank lines": BOM + b"\n\n" + BOM + b"data: not a field\n\ndata: a\n\n",
    "comments": b":\n: ping\r\n\r\n:\r\rdata: a\n: inside\n:\n\n:",
    "no data": b"event: start\n\nid: 1\n\nretry: 5\n\nDATA: x\n\ndatum: y\n\n data: z\n\n",
    "empty data": b"data\n\ndata:\n\ndata: \n\ndata\ndata\n\nid: 1\ndata\nid: 2\n\nx\ndata\n\n",
    "blank lines": b"\n\n\n\ndata: a\n\n\n\n\ndata: b\n\n\n\r\r\n",
    "data behind others": b"event: a\ndata: 1\n\nevent: b\ndata: 2\ndata: 3\n\nevent: c\n\n",
    "several blank lines between": b"data: a\n\n\n\n\n\ndata: b\n\nevent: c\n\ndata: d\n\n",
    "an end that never comes": b"data: a\n\ndata: b\n",
}

PIECES = st.sampled_from(
    [
        *(b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n"),
        *(b"data", b"data:", b"data: a", b"event: b", b"id", b": ping", b":", b" ", b"x"),
        *(b"data: a\n\n", b"event: b\ndata: c\n\n", b": ping\n", BOM, b"\xef", "é€".encode()),
    ]
)
CUTS = st.lists(st.integers(1, 12), min_size=1, max_size=30)


def cut(stream: bytes, sizes: list[int]) -> Iterator[bytes]:
    """`stream` in reads of these sizes, over and over."""
    at = turn = 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        yield stream[at : at + size]
        at += size
        turn += 1


def check(stream: bytes, reads: Iterator[bytes]) -> None:
    """Every promise of the framing, after every read."""
    framing, arrived, passed = Sse(), b"", b""
    for data in reads:
        before = framing.events
        arrived += data
        passed += framing.feed(data)
        held = arrived[len(passed) :]
        reader = read(passed)
        last_line = lines_of(decoded(passed))[1]

        assert arrived.startswith(passed)
        assert framing.held == len(held)
        assert framing.events == len(reader.dispatched)
        assert framing.has_event or framing.events == before
        check_nothing_waits(passed, held)
        if not framing.close_event():
            assert not reader.is_pending
            assert last_line == ""
        if framing.takes_error:
            closed = passed + framing.close_event()
            assert dispatched(closed + ERROR) == [
                *dispatched(closed),
                ("error", '{"error":"stream_stalled"}'),
            ]
    assert passed + framing.finish() == stream


def check_nothing_waits(passed: bytes, held: bytes) -> None:
    """Neither an event nor a comment between events is held once it has ended, nor what is none."""
    assert dispatched(passed + held) == dispatched(passed)
    ended, _ = lines_of(held.decode("utf-8", "replace"))
    assert "" not in ended
    assert not ended or ended[0].partition(":")[0] in ("data", "event", "id", "retry")


@given(st.lists(PIECES, max_size=30).map(b"".join), CUTS)
def test_whatever_arrives_goes_on_by_whole_events(stream: bytes, sizes: list[int]) -> None:
    check(stream, cut(stream, sizes))


@given(st.binary(max_size=60), CUTS)
def test_bytes_that_are_no_events_go_on_untouched(stream: bytes, sizes: list[int]) -> None:
    check(stream, cut(stream, sizes))


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_an_event_may_be_split_at_any_byte(stream: bytes) -> None:
    for at in range(1, len(stream) + 1):
        check(stream, iter((stream[:at], stream[at:])))
    check(stream, cut(stream, [1]))


@given(st.lists(PIECES, max_size=30).map(b"".join), CUTS, st.integers(0, 40))
def test_a_heartbeat_between_any_two_reads_changes_nothing(
    stream: bytes, sizes: list[int], turn: int
) -> None:
    framing, passed = Sse(), b""
    for number, data in enumerate(cut(stream, sizes)):
        if number == turn:
            passed += framing.heartbeat()
        passed += framing.feed(data)
    passed += framing.finish()

    assert dispatched(passed) == dispatched(stream)


def test_a_heartbeat_is_a_comment() -> None:
    """One line end: at a blank line some clients dispatch an empty event."""
    assert Sse().heartbeat() == KEEP_ALIVE == b": keep-alive\n"


def test_a_mark_behind_a_heartbeat_is_dropped_or_it_would_hide_the_first_event() -> None:
    framing = Sse()
    passed = framing.feed(BOM[:1]) + framing.heartbeat() + framing.feed(BOM[1:] + b"data: a\n\n")

    assert passed == KEEP_ALIVE + b"data: a\n\n"


@pytest.mark.parametrize(
    ("reads", "passed"),
    [
        pytest.param([b"data: a\n", b"\n"], [b"", b"data: a\n\n"], id="an event waits for its end"),
        pytest.param([b"data: a\n\nda"], [b"data: a\n\n"], id="a whole one waits for no other"),
        pytest.param(
            [b"data: a\r\r", b"\ndata: b\r", b"\n", b"\r", b"\n"],
            [b"data: a\r\r", b"\n", b"", b"data: b\r\n\r", b"\n"],
            id="a CR that ends an event waits for no LF",
        ),
        pytest.param([b": ping\n"], [b": ping\n"], id="a comment needs no blank line"),
        pytest.param([b": ping\r", b"\n"], [b": ping\r", b"\n"], id="nor a comment with CRLF"),
        pytest.param([b": pi", b"ng\n"], [b"", b": ping\n"], id="a comment waits for its end"),
        pytest.param([b"id: 1\n: ping\n"], [b""], id="a comment within an event stays there"),
        pytest.param(
            [b"data: a\n\n: ping\ndata: b"], [b"data: a\n\n: ping\n"], id="a comment behind one"
        ),
        pytest.param([b"\n"], [b"\n"], id="a blank line between events"),
        pytest.param([BOM[:2], BOM[2:]], [b"", BOM], id="a byte order mark"),
    ],
)
def test_what_goes_on_when(reads: list[bytes], passed: list[bytes]) -> None:
    framing = Sse()

    assert [framing.feed(data) for data in reads] == passed


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        pytest.param(b"data: a\n\n", 1, id="data"),
        pytest.param(b"data\n\n", 1, id="data without a colon"),
        pytest.param(b"data: a\ndata: b\n\n", 1, id="two lines of data"),
        pytest.param(b"data: a\n\ndata: b\n\ndata: c\n\n", 3, id="three in one read"),
        pytest.param(b"event: a\ndata: 1\n\nevent: b\ndata: 2\n\n", 2, id="names before the data"),
        pytest.param(b": ping\n\n", 0, id="a comment"),
        pytest.param(b": data:\n\n", 0, id="a comment about data"),
        pytest.param(b"event: ping\n\n", 0, id="a name alone"),
        pytest.param(b"data: a\n\nevent: b\n\n", 1, id="a name alone behind data"),
        pytest.param(b"x: \ndata: 1\r\n\r\n", 1, id="CRLF"),
        pytest.param(b"data: a\n\n\n\n\ndata: b\n\n", 2, id="blank lines in between"),
        pytest.param(b"data: a\n\n\ndata: b\n\n: c\n", 2, id="a comment at the end"),
        pytest.param(b"data: a\n", 0, id="no end"),
    ],
)
def test_what_counts_as_an_event(stream: bytes, events: int) -> None:
    framing = Sse()
    framing.feed(stream)

    assert (framing.events, framing.has_event) == (events, events > 0)


def test_a_heartbeat_of_the_upstream_ends_no_wait_for_an_event() -> None:
    framing = Sse()
    told = []
    for data in (b"data: a\n\n", b": ping\n\n", b"data: b", b"\n\n"):
        framing.feed(data)
        told.append(framing.has_event)

    assert told == [True, False, False, True]


def test_a_tail_is_held_up_to_its_limit() -> None:
    framing = Sse()
    tail = b"data: " + b"x" * (MAX_HELD - 6)

    assert (framing.feed(tail), framing.held, framing.is_raw) == (b"", MAX_HELD, False)
    assert (framing.feed(b"\n\n"), framing.held, framing.is_raw) == (tail + b"\n\n", 0, False)


LARGE = b"data: " + b"x" * MAX_HELD


def test_a_larger_event_goes_on_in_pieces_and_is_counted_at_its_end() -> None:
    framing = Sse()
    reads = [b"data: a\n\n" + LARGE, b"yy", b"y\n", b"\ndata: b\n\ndata: c"]
    passed, counted = [], []
    for data in reads:
        passed.append(framing.feed(data))
        counted.append((framing.events, framing.has_event, framing.takes_error))

    assert passed == [*reads[:3], b"\ndata: b\n\n"]
    assert counted == [(1, True, False), (1, True, False), (1, True, True), (3, True, True)]
    assert (framing.is_raw, framing.held) == (False, len(b"data: c"))


@pytest.mark.parametrize("ends", [b"\n\n", b"\r\n\r\n", b"\r\r", b"\n\r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_after_an_event_in_pieces_the_framing_is_back(ends: bytes, size: int) -> None:
    framing = Sse()
    framing.feed(LARGE)
    rest = b"y" + ends + b"data: b" + ends + b"data: half"
    passed = b"".join(framing.feed(data) for data in cut(rest, [size]))

    assert passed == rest.removesuffix(b"data: half")
    assert (framing.events, framing.held) == (2, len(b"data: half"))


def test_an_event_in_pieces_that_carries_no_data_is_none() -> None:
    framing = Sse()
    framing.feed(b"id: " + b"x" * MAX_HELD)
    framing.feed(b"\n\n")

    assert framing.events == 0


@pytest.mark.parametrize(
    "reads",
    [
        pytest.param([b"Hel", b"lo", b" wor", b"ld"], id="plain tokens"),
        pytest.param([b'0:"a"\n', b'0:"b"\n', b'd:{"x":1}\n'], id="lines of another protocol"),
        pytest.param([b"id", b" est"], id="what began like a field"),
        pytest.param([b"da", b"nce\ndata: a\n"], id="a line that is none, before data"),
    ],
)
def test_what_is_no_event_goes_on_as_it_comes_and_counts_as_data(reads: list[bytes]) -> None:
    framing = Sse()
    passed = [(framing.feed(data), framing.has_event) for data in reads]
    told = b"".join(data for data, _ in passed)

    assert told == b"".join(reads)
    assert (passed[-1][1], framing.is_raw, framing.held) == (True, True, 0)
    assert not framing.takes_error
    assert framing.heartbeat() == b""


def test_what_is_no_event_ends_at_a_blank_line() -> None:
    framing = Sse()
    reads = [b"Hello", b"\n\ndata: a\n\nda", b"ta: b"]

    assert [framing.feed(data) for data in reads] == [b"Hello", b"\n\ndata: a\n\n", b""]
    assert (framing.events, framing.takes_error) == (1, True)
    assert framing.heartbeat() == KEEP_ALIVE


@pytest.mark.parametrize("block", [b"Hello\n\n", b": ping\nda\n\n", b'\n0:"a"\r\n\r\n'])
def test_what_is_no_event_counts_as_data_in_one_read_too(block: bytes) -> None:
    framing = Sse()

    assert (framing.feed(block), framing.has_event, framing.events) == (block, True, 0)
    assert framing.is_raw
    assert not framing.takes_error


def test_whole_lines_of_an_event_are_released_and_an_unfinished_one_is_not() -> None:
    framing = Sse()
    framing.feed(b"event: x\ndata: a\ndata: b")
    released = framing.release(), framing.has_event, framing.held
    again = framing.release()
    closing = framing.takes_error, framing.close_event(), framing.heartbeat()
    rest = framing.feed(b"c\n\n")

    assert released == (b"event: x\ndata: a\n", True, len(b"data: b"))
    assert (again, closing) == (b"", (True, b"\n", b""))
    assert (rest, framing.events, framing.close_event()) == (b"data: bc\n\n", 1, b"")
    assert framing.whole == b"event: x\ndata: a\ndata: bc\n\n"


def test_released_lines_without_data_are_no_event() -> None:
    framing = Sse()
    framing.feed(b"event: x\nda")

    assert (framing.release(), framing.has_event) == (b"event: x\n", False)


def test_behind_a_released_cr_the_event_is_closed_by_two_line_ends() -> None:
    framing = Sse()
    framing.feed(b"data: a\r")

    assert (framing.release(), framing.close_event()) == (b"data: a\r", b"\n\n")
    assert (framing.feed(b"\n\r\n"), framing.events) == (b"\n\r\n", 1)


@given(st.lists(PIECES, max_size=30).map(b"".join), CUTS, st.integers(0, 40))
def test_a_release_between_any_two_reads_changes_nothing(
    stream: bytes, sizes: list[int], turn: int
) -> None:
    framing, passed, plain = Sse(), b"", Sse()
    for number, data in enumerate(cut(stream, sizes)):
        if number == turn:
            passed += framing.release()
        passed += framing.feed(data)
        plain.feed(data)
    passed += framing.finish()

    assert (passed, framing.events) == (stream, plain.events)


def test_released_lines_count_for_the_size_of_their_event() -> None:
    framing = Sse()
    framing.feed(b"data: a\nda")
    released = framing.release()
    rest = framing.feed(b"ta: " + b"x" * MAX_HELD)

    assert released + rest == b"data: a\ndata: " + b"x" * MAX_HELD
    assert not framing.takes_error


@pytest.mark.parametrize(
    ("tail", "has_event"),
    [
        pytest.param(b"data: a", True, id="data"),
        pytest.param(b"event: x", False, id="a name"),
        pytest.param(b": ping", False, id="a comment"),
    ],
)
def test_a_tail_may_carry_data(tail: bytes, has_event: bool) -> None:
    framing = Sse()
    framing.feed(tail)

    assert (framing.finish(), framing.has_event) == (tail, has_event)


def test_a_whole_event_of_any_size_is_not_held() -> None:
    framing = Sse()
    event = b"data: " + b"x" * (2 * MAX_HELD) + b"\n\n"

    assert (framing.feed(event), framing.is_raw) == (event, False)


def test_the_tail_is_given_once() -> None:
    framing = Sse()
    framing.feed(b"data: a")

    assert (framing.finish(), framing.finish(), framing.held) == (b"data: a", b"", 0)


def test_events_are_read_with_name_and_data() -> None:
    stream = (
        BOM
        + b"event: a\r\ndata: 1\r\ndata:2\r\n\r\n: x\r\n\r\nevent:end\r\n\r\n\r\n\r\ndata\r\n\r\n"
    )

    assert list(Sse().read(stream)) == [
        StreamEvent(b"a", b"1\n2"),
        StreamEvent(b"", b""),
        StreamEvent(b"end", b""),
        StreamEvent(b"", b""),
    ]
