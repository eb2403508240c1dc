"""A stream of events is told by its content type, and read only where it is not compressed."""

import pytest

from proxy.streams.ndjson import Ndjson
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
def test_a_compressed_stream_has_no_framing(coding: bytes | None, is_read: bool) -> None:
    assert (framing_for(b"text/event-stream", coding) is not None) is is_read
    assert is_stream(b"text/event-stream")


def test_each_stream_has_its_own() -> None:
    first = framing_for(b"text/event-stream", None)
    second = framing_for(b"text/event-stream", None)

    assert first is not second
