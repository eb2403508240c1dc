"""A fixed answer in the form that a client asks for, and each form whole."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.fallback.static_answer import static_answer
from proxy.streams.markers import end_marker
from proxy.streams.recognition import FRAMINGS
from proxy.streams.rules import EndMarkerRule

WORDS = "I'm having trouble processing your request right now. Please try again in a moment."
JSON = json.dumps({"message": WORDS}, indent=2)
NO_MARKER = EndMarkerRule()
DONE = EndMarkerRule(mode="strict", data="[DONE]")
SSE = b"text/event-stream"
LINES = b"application/x-ndjson"


def form(accept: bytes | None, *, kind: str = "application/json", body: str = JSON, **rule: Any):
    return static_answer(200, kind, body.encode(), EndMarkerRule(**rule)).form(accept)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        pytest.param(None, b"application/json", id="nothing said"),
        pytest.param(b"*/*", b"application/json", id="anything"),
        pytest.param(b"text/*", b"application/json", id="no stream by name"),
        pytest.param(b"application/json", b"application/json", id="as it is"),
        pytest.param(b"text/event-stream", SSE, id="events"),
        pytest.param(b"Text/Event-Stream, */*", SSE, id="events, and what a library adds"),
        pytest.param(b"application/json, text/event-stream", SSE, id="both alike"),
        pytest.param(b"text/event-stream;q=0.5, application/json", b"application/json",
                     id="JSON rather"),
        pytest.param(b"text/event-stream;q=0", b"application/json", id="events refused"),
        pytest.param(b"application/x-ndjson", LINES, id="lines"),
        pytest.param(b"application/jsonl", b"application/jsonl", id="lines by another name"),
        pytest.param(b"application/x-ndjson, text/event-stream;q=0.9", LINES, id="lines rather"),
        pytest.param(b"application/json-seq", b"application/json-seq", id="records"),
    ],
)  # fmt: skip
def test_a_stream_is_for_who_names_it_and_wants_it_no_less(
    accept: bytes | None, kind: bytes
) -> None:
    assert kind == form(accept)[0]


def test_as_it_is_not_a_byte_is_changed() -> None:
    assert JSON.encode() == form(None)[1]


@pytest.mark.parametrize(
    ("kind", "accept", "stream"),
    [
        pytest.param("application/json", SSE, b'data: {"a":1}\n\n', id="JSON in one line"),
        pytest.param("application/json", LINES, b'{"a":1}\n', id="JSON as a line"),
        pytest.param("application/json", b"application/json-seq", b'\x1e{"a":1}\n', id="a record"),
        pytest.param("text/plain", SSE, b'data: {"a":\ndata:  1}\n\n', id="text line by line"),
        pytest.param("text/plain", LINES, b'{"message":"{\\"a\\":\\n 1}"}\n', id="text as JSON"),
        pytest.param("application/problem+json", SSE, b'data: {"a":1}\n\n', id="a kind of JSON"),
    ],
)
def test_the_words_are_one_event(kind: str, accept: bytes, stream: bytes) -> None:
    assert stream == form(accept, kind=kind, body='{"a":\n 1}\n')[1]


@pytest.mark.parametrize("ending", ["\r\n", "\r", "\n"])
def test_no_line_of_a_text_leaves_its_event(ending: str) -> None:
    stream = form(SSE, kind="text/plain", body=f"one{ending}event: evil{ending}data: two")[1]

    assert b"data: one\ndata: event: evil\ndata: data: two\n\n" == stream


@pytest.mark.parametrize("mode", ["off", "warn", "strict"])
@pytest.mark.parametrize(
    ("marker", "accept", "tail"),
    [
        pytest.param({"data": "[DONE]"}, SSE, b"\n\ndata: [DONE]\n\n", id="data"),
        pytest.param({"data": "[DONE]"}, LINES, b"}\n[DONE]\n", id="a line"),
        pytest.param({"event": "done"}, SSE, b"\n\nevent: done\ndata: {}\n\n", id="a name"),
        pytest.param({"event": "done"}, LINES, b'."}\n', id="a name that lines do not have"),
        pytest.param({"json_field": "choices.0.finish_reason"}, SSE,
                     b'\n\ndata: {"choices":[{"finish_reason":true}]}\n\n', id="a field"),
        pytest.param({"json_field": "done"}, LINES, b'}\n{"done":true}\n', id="a field of a line"),
    ],
)  # fmt: skip
def test_the_end_marker_of_the_route_stands_behind_it(
    mode: str, marker: dict[str, str], accept: bytes, tail: bytes
) -> None:
    assert form(accept, mode=mode, **marker)[1].endswith(tail)


def test_a_marker_that_the_words_carry_is_not_added() -> None:
    body = '{"message": "sorry", "done": true}'
    stream = form(SSE, body=body, mode="strict", json_field="done")[1]

    assert b'data: {"message":"sorry","done":true}\n\n' == stream


@pytest.mark.parametrize("accept", list(FRAMINGS))
@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
@pytest.mark.parametrize(
    "marker",
    [{"data": "[DONE]"}, {"event": "done"}, {"json_field": "choices.0.delta.stop"}],
    ids=["data", "event", "field"],
)
def test_our_own_reader_finds_each_form_whole(
    accept: bytes, kind: str, marker: dict[str, str]
) -> None:
    rule = EndMarkerRule.model_validate({"mode": "strict", **marker})
    stream = static_answer(200, kind, JSON.encode(), rule).form(accept)[1]
    framing = FRAMINGS[accept]()
    watch = end_marker(rule, framing)
    passed = framing.feed(stream)

    assert stream == passed
    assert not framing.held
    assert framing.events
    if watch is not None:
        watch.see(framing.whole)
        assert watch.is_carried


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_any_text_is_one_event_with_the_same_lines(text: str) -> None:
    stream = form(SSE, kind="text/plain", body=text)[1]
    framing = FRAMINGS[SSE]()
    framing.feed(stream)
    (event,) = framing.read(framing.whole)
    lines = re.split("\r\n|\r|\n", text.rstrip("\r\n"))

    assert "\n".join(lines).encode() == event.data
    assert b"" == event.name


def test_text_says_that_it_is_utf_8() -> None:
    assert b"text/plain; charset=utf-8" == form(None, kind="text/plain")[0]
    assert b"text/plain; charset=latin-1" == form(None, kind="text/plain; charset=latin-1")[0]


def test_a_stream_is_given_to_all_as_it_is_and_ended() -> None:
    events = "event: token\ndata: sorry\n\ndata: bye"
    given = [form(accept, kind="text/event-stream", body=events, data="[DONE]", mode="strict")
             for accept in (None, b"application/json", LINES)]  # fmt: skip

    assert {(SSE, events.encode() + b"\n\ndata: [DONE]\n\n")} == set(given)


def test_a_stream_that_ends_as_it_should_is_not_ended_twice() -> None:
    events = "data: sorry\n\ndata: [DONE]\n\n"
    given = form(None, kind="text/event-stream", body=events, mode="strict", data="[DONE]")

    assert events.encode() == given[1]


def test_an_image_is_no_stream() -> None:
    assert (b"image/png", b"\x89PNG") == static_answer(200, "image/png", b"\x89PNG", DONE).form(SSE)


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        pytest.param("application/json", b"{message: x}", "is no JSON", id="no JSON"),
        pytest.param("application/json", b"\xff", "is no JSON", id="no text either"),
        pytest.param("text/event-stream", b"sorry", "has no event in it", id="no event"),
        pytest.param("text/event-stream", b": sorry", "has no event in it", id="a comment"),
        pytest.param("text/plain", b"\xff\xfe", "is not UTF-8", id="no text"),
        pytest.param("image/png", bytes(64 * 1024 + 1), "is larger than 64KiB", id="too large"),
    ],
)
def test_what_is_not_what_its_type_says_is_refused(kind: str, body: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        static_answer(200, kind, body, NO_MARKER)
