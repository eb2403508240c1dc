"""Exchanges wait for the thread in bounded room, and each is written once or counted as lost."""

from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans

from proxy.exchange import Exchange
from proxy.tracing.record import SpanRecord
from proxy.tracing.span_queue import SpanQueue
from proxy.tracing.spans import SpanWriter
from tests.records import attempt, exchange


def ended(span_id: str = "a" * 16, **unusual: object) -> Exchange:
    x = exchange(attempts=[attempt(span_id="b" * 16)], **unusual)
    x.span = SpanRecord("c" * 32, span_id, "", "01")
    return x


def queue(room: int = 100) -> SpanQueue:
    return SpanQueue(SpanWriter({}), room)


def ids(written: bytes) -> list[str]:
    return [span.span_id.hex() for span in ScopeSpans.FromString(written).spans]


def test_batches_are_taken_in_turn_until_nothing_waits() -> None:
    waiting = queue()
    waiting.add([ended("1" * 16), ended("2" * 16)])
    waiting.add([ended("3" * 16)])
    first = waiting.next(3)
    assert (6, 2) == (waiting.waiting, waiting.unwritten)
    second = waiting.next(3)

    assert (["1" * 16, "b" * 16, "2" * 16, "b" * 16], 4) == (ids(first[0]), first[1])
    assert (["3" * 16, "b" * 16], 2) == (ids(second[0]), second[1])
    assert waiting.is_empty
    assert 6 == waiting.waiting


def test_what_is_done_with_makes_room() -> None:
    waiting = queue(room=5)
    waiting.add([ended(), ended(), ended()])
    waiting.done(waiting.next(10)[1])
    waiting.add([ended()])

    assert (2, {"queue_full": 2}) == (waiting.waiting, waiting.dropped)


def test_what_has_no_span_or_is_not_sampled_does_not_wait() -> None:
    waiting, unsampled, without = queue(), ended(), ended()
    without.span = None
    assert unsampled.span is not None
    unsampled.span.sampled = False
    waiting.add([without, unsampled])

    assert (0, True) == (waiting.waiting, waiting.is_empty)


def test_one_that_cannot_be_written_is_counted_and_leaves_nothing_behind() -> None:
    waiting, broken = queue(), ended()
    broken.attempts[0].span_id = "no ID"
    waiting.add([ended("1" * 16), broken, ended("2" * 16)])
    written, spans = waiting.next(10)

    assert (["1" * 16, "b" * 16, "2" * 16, "b" * 16], 4) == (ids(written), spans)
    assert (4, {"rejected": 2}) == (waiting.waiting, waiting.dropped)
