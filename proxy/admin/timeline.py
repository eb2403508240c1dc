"""A story as lengths of time side by side: what was waited for, when, and for how long.

Decides what is drawn; how is the business of those who draw. All times are milliseconds from the
opening of the exchange.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from proxy.admin.json_view import JsonObject, as_count, as_number, length, part, rows, text

SegmentKind = Literal[
    "queue", "connect", "upload", "wait", "pause", "body", "events", "gap", "silence"
]

MEANINGS: Final[dict[SegmentKind, str]] = {
    "queue": "waiting for a connection slot",
    "connect": "connecting",
    "upload": "the request's body, as the client sends it",
    "wait": "waiting for the upstream",
    "pause": "pause before the retry",
    "body": "body",
    "events": "events",
    "gap": "longest silence between two reads",
    "silence": "nothing came",
}
_WAITS: Final = ("queue_ms", "connect_ms", "upload_ms", "head_ms")
"""What an attempt waits for, in its order, up to the head."""
_VISIBLE: Final = 0.02
"""A silence shorter than this share of the exchange is not worth a mark."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A length of time; `words` name it."""

    kind: SegmentKind
    began: float
    lasted: float
    words: str

    @property
    def ended(self) -> float:
        return self.began + self.lasted


@dataclass(frozen=True, slots=True)
class Lane:
    """Bars that belong together, in the order in which they are drawn."""

    name: str
    bars: tuple[Bar, ...]
    end: str = ""
    """What came of it."""


def lanes_of(story: JsonObject) -> list[Lane]:
    """A lane for each attempt, and one for the answer; none where nothing was waited for."""
    attempts = rows(story, "attempts")
    lanes = [
        Lane(f"Attempt {n}", tuple(_attempt(attempt)), _result(attempt))
        for n, attempt in enumerate(attempts, 1)
    ]
    head = _head_at(story, attempts[-1]) if attempts else None
    if head is not None:
        stream = part(story, "stream")
        bars = _stream(story, stream, head) if stream else _body(story, head)
        lanes.append(Lane("Answer", tuple(bars), text(story, "code")))
    return lanes


def extent(story: JsonObject) -> float:
    """How long the whole took; never nothing, so that it can be divided by."""
    ends = [bar.ended for lane in lanes_of(story) for bar in lane.bars]
    return max(as_number(story, "duration_ms") or 0.0, *ends, 0.001)


def _attempt(attempt: JsonObject) -> Iterator[Bar]:
    at = as_number(attempt, "at_ms")
    if at is None:
        return  # out of a log, which does not say when
    if not any(as_number(attempt, key) for key in _WAITS):
        yield Bar("connect", at, 0.0, "at once")
    for kind, key, name in (
        ("queue", "queue_ms", "queue"), ("connect", "connect_ms", "connect"),
        ("upload", "upload_ms", "upload"), ("wait", "head_ms", "head after"),
        ("pause", "pause_ms", "pause"),
    ):  # fmt: skip
        lasted = as_number(attempt, key)
        if lasted:
            if kind == "wait" and as_number(attempt, "status") is None:
                kind, name = "silence", "no head for"  # none came
            yield Bar(kind, at, lasted, f"{name} {length(lasted)}")  # type: ignore[arg-type]
            at += lasted


def _result(attempt: JsonObject) -> str:
    status = text(attempt, "status")
    return status or text(attempt, "result", "?")


def _head_at(story: JsonObject, last: JsonObject) -> float | None:
    """When the head of the answer had come; None where none came."""
    head = as_number(part(story, "stream"), "head_ms")
    if head is not None or as_number(last, "status") is None:
        return head
    return sum(as_number(last, key) or 0.0 for key in ("at_ms", *_WAITS))


def _body(story: JsonObject, head: float) -> Iterator[Bar]:
    end = max(head, as_number(story, "duration_ms") or head)
    last = as_number(part(story, "body"), "last_byte_ms")
    stopped = end if last is None else min(end, max(head, last))
    lasted = stopped - head
    yield Bar("body", head, lasted, f"{as_count(story, 'bytes_out')} bytes in {length(lasted)}")
    if end - stopped > _VISIBLE * end:
        yield Bar("silence", stopped, end - stopped, f"silence {length(end - stopped)}")


def _stream(story: JsonObject, stream: JsonObject, head: float) -> Iterator[Bar]:
    end = as_number(story, "duration_ms") or head
    first, last = as_number(stream, "first_event_ms"), as_number(stream, "last_byte_ms")
    began = head if first is None else first
    if first is not None and first > head:
        words = f"first event {length(first - head)} after the head"
        yield Bar("wait", head, first - head, words)
    elif first is None and stream.get("raw") is not True and stream.get("tunnel") is not True:
        yield Bar("silence", head, max(0.0, end - head), f"no event for {length(end - head)}")
        return
    stopped = end if last is None else max(began, last)
    if stopped > began or first is not None:
        yield Bar("events", began, max(0.0, stopped - began), _events(stream))
    gap, gap_at = as_number(stream, "max_gap_ms"), as_number(stream, "max_gap_at_ms")
    if gap and gap_at is not None and gap > _VISIBLE * end:
        yield Bar("gap", gap_at, gap, f"gap {length(gap)}")
    if end - stopped > _VISIBLE * end:
        yield Bar("silence", stopped, end - stopped, f"silence {length(end - stopped)}")


def _events(stream: JsonObject) -> str:
    if stream.get("raw") is True:
        return "passed on unseen"
    n = as_count(stream, "events")
    return "1 event" if n == 1 else f"{n} events"
