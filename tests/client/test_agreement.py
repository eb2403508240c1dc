"""Whatever clients send and however it is cut, it is read as RFC 9112 says.

The reader of the house is held against `reference`, which is written from the standard.
"""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.client.head_reader import RequestRefusal
from proxy.client.request_reader import RequestReader
from proxy.guards import refuse_request
from tests.client.faults import FAULTS
from tests.client.pipelines import faulty, mutated, pipelines, requests
from tests.client.reference import Limits, Message, Reading, read

many = settings(max_examples=400, deadline=None, database=None)
ROOMY = Limits()
GOOD = b"GET /good HTTP/1.1\r\nHost: h\r\n\r\n"
TIGHT = Limits(header_bytes=40, head_bytes=90, header_count=4, uri_bytes=24)


@dataclass
class Connection:
    """What a connection does with its reader, without sockets, tasks or clocks."""

    limits: Limits

    def __post_init__(self) -> None:
        self.reader = RequestReader(self.limits)
        self.found = Reading()
        self.current: Message | None = None
        self.is_over = False

    def receive(self, data: bytes, *, is_answered: bool) -> None:
        """Bytes come; `is_answered` says whether the exchange under way is over by then."""
        reader = self.reader
        reader.add(data)
        assert reader.body.buffered <= 64 * 1024 + len(data)
        assert reader.held <= self.limits.uri_bytes + self.limits.head_bytes + 64 * 1024 + len(data)
        if self.current is not None:
            self.current.body += reader.body.take()
            if reader.body.is_whole and not reader.may_switch:
                reader.is_ready()
        elif reader.is_ready():
            pass  # its task is woken, and more may come before it looks
        if is_answered:
            self.settle()

    def settle(self) -> None:
        while self.current is None or self.end_exchange():
            if self.is_over or not self.reader.is_ready():
                return
            self.begin_exchange()

    def begin_exchange(self) -> None:
        asked = self.reader.take()
        refused = (
            asked.outcome if isinstance(asked, RequestRefusal) else refuse_request(asked, b"-")
        )
        if refused is not None or isinstance(asked, RequestRefusal):
            self.stop({refused.status} if refused and refused.status else set())
            return
        self.current = Message(asked.method, asked.target, asked.version, list(asked.raw))
        self.found.messages.append(self.current)
        self.keeps_alive = asked.keep_alive

    def end_exchange(self) -> bool:
        """Whether the request under way was read whole."""
        assert self.current is not None
        body = self.reader.body
        self.current.body += body.take()
        self.current.is_whole = body.is_whole
        if body.failure is not None:
            self.stop({body.failure.status or 0})
        elif body.is_whole:
            self.current = None
            if not self.keeps_alive:
                self.stop(set())
            return True
        return False

    def stop(self, ends: set[int]) -> None:
        self.found.ends = ends
        self.is_over = True


def read_cut(data: bytes, cuts: list[tuple[int, bool]], limits: Limits) -> Reading:
    connection = Connection(limits)
    begin = 0
    for cut, is_answered in sorted(cuts):
        if begin < cut < len(data):
            connection.receive(data[begin:cut], is_answered=is_answered)
            begin = cut
    connection.receive(data[begin:], is_answered=True)
    return connection.found


def everywhere(data: bytes) -> list[tuple[int, bool]]:
    return [(at, True) for at in range(1, len(data))]


cuts = st.lists(st.tuples(st.integers(1, 600), st.booleans()), max_size=12)


def assert_same(data: bytes, found: Reading, limits: Limits) -> None:
    expected = read(data, limits)
    assert expected.messages == found.messages
    assert bool(expected.ends) == bool(found.ends)
    assert found.ends <= expected.ends


@many
@given(pipelines, cuts)
def test_any_pipeline_cut_anywhere_is_read_as_the_standard_says(data, cuts) -> None:
    assert_same(data, read_cut(data, cuts, ROOMY), ROOMY)


@many
@given(pipelines, cuts)
def test_limits_are_the_same_however_heads_are_cut(data, cuts) -> None:
    assert_same(data, read_cut(data, cuts, TIGHT), TIGHT)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: repr(fault[-60:]))
@pytest.mark.parametrize("before", [b"", GOOD], ids=["alone", "behind a good one"])
def test_every_known_oddity_is_judged_alike_however_it_is_cut(fault, before) -> None:
    data = before + fault
    once = range(1, len(data), 1 + len(data) // 200)

    for cuts in [[], everywhere(data), *([(at, False)] for at in once)]:
        assert_same(data, read_cut(data, cuts, ROOMY), ROOMY)


@many
@given(requests(), mutated(requests()) | mutated(faulty), cuts)
def test_what_the_standard_refuses_is_never_accepted(first, second, cuts) -> None:
    """To be stricter than the standard is allowed, to be laxer is not."""
    expected, found = read(first + second, ROOMY), read_cut(first + second, cuts, ROOMY)

    assert expected.messages[: len(found.messages)] == found.messages
    assert found.ends or (expected == found)


@many
@given(pipelines)
def test_byte_by_byte_is_as_good_as_in_one_segment(data) -> None:
    assert_same(data, read_cut(data, everywhere(data), ROOMY), ROOMY)
