"""An upstream's own error inside a stream is seen, and what only talks of errors is not."""

import pytest

from proxy.streams.framing import EventFraming
from proxy.streams.ndjson import JsonSequence, Ndjson
from proxy.streams.sse import Sse
from proxy.streams.upstream_errors import error_in

NAMED, DATA = "the upstream sent an event named error", "the upstream sent an error as data"


@pytest.mark.parametrize(
    ("framing", "stream", "words"),
    [
        pytest.param(Sse, b"event: error\ndata: x\n\n", NAMED, id="a named event"),
        pytest.param(Sse, b"event: error\n\n", NAMED, id="without data"),
        pytest.param(
            Sse,
            b'event:error\r\ndata: {"type":"error","error":{"type":"overloaded_error"}}\r\n\r\n',
            NAMED + " (overloaded_error)",
            id="with its type",
        ),
        pytest.param(Sse, b'data: {"error": {"message": "x"}}\n\n', DATA, id="an object"),
        pytest.param(Sse, b'data: {"error": "x"}\n\n', DATA, id="a text"),
        pytest.param(
            Sse, b'data: {"error":{"code":"insufficient_quota"}}\n\n',
            DATA + " (insufficient_quota)", id="its code",
        ),
        pytest.param(
            Sse, b'data: {"error":{"code":"say it in words"}}\n\n', DATA, id="no message is told"
        ),
        pytest.param(Sse, b'data: {"type": "error"}\n\n', DATA, id="a type"),
        pytest.param(Sse, b'data: {"a":1}\n\ndata: {"error":\ndata: 1}\n\n', DATA, id="two lines"),
        pytest.param(Sse, b'{"error": "x"}\n\n', DATA, id="a line that is no event"),
        pytest.param(Sse, b'data: {"error": null}\n\n', None, id="null"),
        pytest.param(Sse, b'data: {"error": ""}\n\n', None, id="an empty text"),
        pytest.param(Sse, b'data: {"error": false}\n\n', None, id="false"),
        pytest.param(Sse, b'data: {"error": {}}\n\n', None, id="an empty object"),
        pytest.param(Sse, b'data: {"a": {"error": "x"}}\n\n', None, id="deeper"),
        pytest.param(Sse, b'data: {"text": "an error"}\n\n', None, id="in a text"),
        pytest.param(Sse, b"data: error\n\n", None, id="a word"),
        pytest.param(Sse, b'data: ["error"]\n\n', None, id="a list"),
        pytest.param(Sse, b": error\n\n", None, id="a comment"),
        pytest.param(Sse, b"event: errors\ndata: x\n\n", None, id="another name"),
        pytest.param(Ndjson, b'{"a":1}\n{"error":"x"}\n', DATA, id="a line"),
        pytest.param(Ndjson, b'{"error":null}\n', None, id="a line with null"),
        pytest.param(JsonSequence, b'\x1e{"error":"x"}\n', DATA, id="a record"),
    ],
)  # fmt: skip
def test_what_is_an_error(framing: type[EventFraming], stream: bytes, words: str | None) -> None:
    reader = framing()
    reader.feed(stream)

    assert words == error_in(reader)


def test_an_error_whose_lines_were_released_is_seen_at_its_end() -> None:
    framing = Sse()
    framing.feed(b"event: error\nda")
    framing.release()
    framing.feed(b"ta: x\n\n")

    assert NAMED == error_in(framing)
