"""A stream of events is told by its content type, and read only where it is not compressed."""

import pytest

from proxy.streams.ndjson import JsonSequence, Ndjson
from proxy.streams.raw import Raw
from proxy.streams.recognition import framing_for, is_stream
from proxy.streams.sse import Sse


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        pytest.param(b"text/event-stream", Sse, id="server-sent events"),
        pytest.param(b"text/event-stream; charset=utf-8", Sse, id="with a parameter"),
        pytest.param(b"text/event-stream;charset=utf-8", Sse, id="without a space"),
        pytest.param(b"Text/Event-Stream ; Charset=UTF-8", Sse, id="in any case"),
        pytest.param(b"application/x-ndjson", Ndjson, id="lines of JSON"),
        pytest.param(b"application/ndjson", Ndjson, id="lines of JSON, registered"),
        pytest.param(b"application/jsonl", Ndjson, id="jsonl"),
        pytest.param(b"application/x-jsonl", Ndjson, id="x-jsonl"),
        pytest.param(b"application/x-jsonlines", Ndjson, id="x-jsonlines"),
        pytest.param(b"application/stream+json", Ndjson, id="stream+json"),
        pytest.param(b"application/json-seq", JsonSequence, id="a sequence"),
        pytest.param(b"application/json", type(None), id="JSON"),
        pytest.param(b"text/event-streams", type(None), id="another type"),
        pytest.param(b"text/plain; a=text/event-stream", type(None), id="in a parameter"),
        pytest.param(b"", type(None), id="empty"),
        pytest.param(None, type(None), id="absent"),
    ],
)
def test_the_content_type_tells_the_framing(content_type: bytes | None, kind: type) -> None:
    assert type(framing_for(content_type, None)) is kind
    assert is_stream(content_type) is (kind is not type(None))


@pytest.mark.parametrize(
    ("coding", "is_read"),
    [
        pytest.param(None, True, id="absent"),
        pytest.param(b"", True, id="empty"),
        pytest.param(b"Identity", True, id="identity"),
        pytest.param(b"identity, identity", True, id="identity twice"),
        pytest.param(b"gzip", False, id="gzip"),
        pytest.param(b"identity, br", False, id="one of two"),
    ],
)
def test_a_compressed_stream_is_passed_raw(coding: bytes | None, is_read: bool) -> None:
    assert type(framing_for(b"text/event-stream", coding)) is (Sse if is_read else Raw)
    assert is_stream(b"text/event-stream")


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        pytest.param(b"Application/Vnd.Amazon.Eventstream; a=b", Raw, id="a type that is listed"),
        pytest.param(b"application/json", type(None), id="another"),
        pytest.param(b"text/event-stream", Sse, id="a known one that is listed too"),
        pytest.param(None, type(None), id="no type"),
    ],
)
def test_further_types_are_passed_raw(content_type: bytes | None, kind: type) -> None:
    listed = ("application/vnd.amazon.eventstream", "text/event-stream")

    assert type(framing_for(content_type, None, listed)) is kind


def test_each_stream_has_its_own() -> None:
    first = framing_for(b"text/event-stream", None)
    second = framing_for(b"text/event-stream", None)

    assert first is not second
