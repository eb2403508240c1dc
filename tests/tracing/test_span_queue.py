"""Exchanges wait for the thread in bounded room, and each is written once or counted as lost."""

from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans

from proxy.exchange import Exchange
from proxy.tracing.record import SpanRecord
from proxy.tracing.span_queue import SpanQueue
from proxy.tracing.spans import SpanWriter
from proxy.tracing.trace_flags import flags_of
from tests.records import attempt, exchange


def ended(span_id: str = "a" * 16, **unusual: object) -> Exchange:
    x = exchange(attempts=[attempt(span_id=b"\xbb" * 8)], **unusual)
    x.span = SpanRecord(bytes.fromhex("c" * 32 + span_id + "b" * 16), b"", flags_of("01"))
    return x


def queue(room: int = 100) -> SpanQueue:
    return SpanQueue(SpanWriter({}), room)


def ids(pieces: list[bytes]) -> list[str]:
    return [span.span_id.hex() for span in ScopeSpans.FromString(b"".join(pieces)).spans]


def test_what_was_written_at_a_time_is_taken_until_it_is_enough() -> None:
    waiting = queue()
    waiting.add([ended("1" * 16), ended("2" * 16)])
    waiting.add([ended("3" * 16)])
    first = waiting.take(3)
    assert (6, 2) == (waiting.waiting, waiting.untaken)
    second = waiting.take(3)

    assert (["1" * 16, "b" * 16, "2" * 16, "b" * 16], 4) == (ids(first[0]), first[1])
    assert (["3" * 16, "b" * 16], 2) == (ids(second[0]), second[1])
    assert (6, 0) == (waiting.waiting, waiting.untaken)


def test_what_is_written_is_what_the_record_says_when_it_is_added() -> None:
    waiting, x = queue(), ended("1" * 16)
    waiting.add([x])
    x.attempts.clear()

    assert ["1" * 16, "b" * 16] == ids(waiting.take(1)[0])


def test_records_are_kept_without_what_spans_alone_are_made_of() -> None:
    waiting, unsampled, taken, beyond = queue(room=2), ended(), ended(), ended()
    assert unsampled.span is not None
    unsampled.span.sampled = False
    waiting.add([unsampled, taken, beyond])

    assert [(None, b"")] * 3 == [
        (x.span, x.attempts[0].span_id) for x in (unsampled, taken, beyond)
    ]


def test_what_is_done_with_makes_room() -> None:
    waiting = queue(room=5)
    waiting.add([ended(), ended(), ended()])
    waiting.done(waiting.take(10)[1])
    waiting.add([ended()])

    assert (2, {"queue_full": 2}) == (waiting.waiting, waiting.dropped)


def test_what_has_no_span_or_is_not_sampled_does_not_wait() -> None:
    waiting, unsampled, without = queue(), ended(), ended()
    without.span = None
    assert unsampled.span is not None
    unsampled.span.sampled = False
    waiting.add([without, unsampled])

    assert (0, ([], 0)) == (waiting.waiting, waiting.take(1))


def test_one_that_cannot_be_written_is_counted_and_leaves_nothing_behind() -> None:
    waiting, broken, another = queue(), ended(), ended()
    broken.started_wall = another.started_wall = -1e9  # no span is so old
    waiting.add([ended("1" * 16), broken, ended("2" * 16)])
    waiting.add([another])
    pieces, spans = waiting.take(10)

    assert (["1" * 16, "b" * 16, "2" * 16, "b" * 16], 4) == (ids(pieces), spans)
    assert (4, {"rejected": 4}) == (waiting.waiting, waiting.dropped)
    waiting.done(spans)
    assert (0, 0) == (waiting.waiting, waiting.untaken)
