"""The end marker is found where it is, and nowhere else."""

import pytest
from pydantic import ValidationError

from proxy.streams.framing import MAX_HELD, EventFraming
from proxy.streams.markers import end_marker
from proxy.streams.ndjson import Ndjson
from proxy.streams.rules import EndMarkerRule
from proxy.streams.sse import Sse

DONE = EndMarkerRule(mode="strict", data="[DONE]")
NAMED = EndMarkerRule(mode="strict", event="done")
FINISH = EndMarkerRule(mode="strict", json_field="choices.0.finish_reason")
FLAG = EndMarkerRule(mode="strict", json_field="done")


def carries(rule: EndMarkerRule, framing: EventFraming, stream: bytes, size: int) -> bool:
    """Whether the marker is found in `stream`, which arrives in reads of `size` bytes."""
    marker = end_marker(rule, framing)
    assert marker
    for at in range(0, len(stream), size):
        marker.see(framing.feed(stream[at : at + size]))
    marker.see(framing.finish())
    return marker.is_carried


def finish_reason(value: bytes) -> bytes:
    return b'data: {"choices":[{"delta":{},"finish_reason":%b}]}\n\n' % value


SSE = [
    pytest.param(DONE, b"data: a\n\ndata: [DONE]\n\n", True, id="[DONE]"),
    pytest.param(DONE, b"data:[DONE]\n\n", True, id="[DONE] without a space"),
    pytest.param(DONE, b"data: [DONE] \n\n", True, id="[DONE] with a space behind"),
    pytest.param(DONE, b"data: a\r\n\r\ndata: [DONE]\r\n\r\n", True, id="[DONE] with CRLF"),
    pytest.param(DONE, b"data: a\r\rdata: [DONE]\r\r", True, id="[DONE] with CR"),
    pytest.param(DONE, b"\xef\xbb\xbfdata: [DONE]\n\n", True, id="[DONE] behind a mark"),
    pytest.param(DONE, b"event: x\nid: 1\ndata: [DONE]\n\n", True, id="[DONE] under a name"),
    pytest.param(DONE, b"data: [DONE]\n\ndata: usage\n\n", True, id="[DONE] before others"),
    pytest.param(DONE, b"data: [DONE]\n", True, id="[DONE] without its blank line"),
    pytest.param(DONE, b"data: [DONE]", True, id="[DONE] without its line end"),
    pytest.param(DONE, b"data: [DO", False, id="half of [DONE]"),
    pytest.param(DONE, b"data: say [DONE]\n\n", False, id="[DONE] within a text"),
    pytest.param(DONE, b"data: a\ndata: [DONE]\n\n", False, id="[DONE] as a second line"),
    pytest.param(DONE, b": [DONE]\n\n", False, id="[DONE] in a comment"),
    pytest.param(DONE, b"id: [DONE]\ndata: a\n\n", False, id="[DONE] in another field"),
    pytest.param(DONE, b"", False, id="nothing at all"),
    pytest.param(NAMED, b"event: done\ndata: {}\n\n", True, id="a name"),
    pytest.param(NAMED, b"event:done\r\ndata: {}\r\n\r\n", True, id="a name with CRLF"),
    pytest.param(NAMED, b"data: {}\nevent: done\n\n", True, id="a name behind the data"),
    pytest.param(NAMED, b"data: a\n\nevent: done\n\n", True, id="a name without data"),
    pytest.param(NAMED, b"event: done\nevent: more\ndata: a\n\n", False, id="the last name counts"),
    pytest.param(NAMED, b"event: undone\ndata: a\n\n", False, id="another name"),
    pytest.param(NAMED, b"data: event: done\n\ndata: done\n\n", False, id="a name in a text"),
    pytest.param(FINISH, finish_reason(b'"stop"'), True, id="a field"),
    pytest.param(FINISH, finish_reason(b"0"), True, id="a field that is nought"),
    pytest.param(FINISH, finish_reason(b"null"), False, id="a field that is null"),
    pytest.param(FINISH, finish_reason(b"false"), False, id="a field that is false"),
    pytest.param(FINISH, finish_reason(b'""'), False, id="a field that is empty"),
    pytest.param(
        FINISH, b'data: {"choices":[\ndata: {"finish_reason":1}]}\n\n', True, id="in two lines"
    ),
    pytest.param(
        FINISH,
        finish_reason(b"null") + finish_reason(b'"stop"') + b'data: {"choices":[]}\n\n',
        True,
        id="a field before the usage",
    ),
    pytest.param(FINISH, b'data: {"finish_reason":"stop"}\n\n', False, id="not at its path"),
    pytest.param(FINISH, b'data: {"choices":[],"finish_reason":1}\n\n', False, id="an empty list"),
    pytest.param(FINISH, b'data: {"choices":"finish_reason"}\n\n', False, id="another shape"),
    pytest.param(FINISH, b'data: ["finish_reason"]\n\n', False, id="no object"),
    pytest.param(FINISH, b"data: finish_reason\n\ndata: [DONE]\n\n", False, id="no JSON"),
]

NDJSON = [
    pytest.param(FLAG, b'{"done":false}\n{"done":true}\n', True, id="a flag"),
    pytest.param(FLAG, b'{"done":false}\r\n{"done":true}\r\n', True, id="a flag with CRLF"),
    pytest.param(FLAG, b'{"done":false}\n{"done":true}', True, id="a last line without its end"),
    pytest.param(FLAG, b'{"done":false}\n{"done":tr', False, id="half of the last line"),
    pytest.param(FLAG, b'{"done":false}\n', False, id="a flag that is not set"),
    pytest.param(DONE, b"{}\n[DONE]\n", True, id="a line"),
    pytest.param(DONE, b'"[DONE]"\n', False, id="another line"),
]


@pytest.mark.parametrize(("rule", "stream", "is_carried"), SSE)
def test_in_server_sent_events(rule: EndMarkerRule, stream: bytes, is_carried: bool) -> None:
    found = {carries(rule, Sse(), stream, size) for size in (1, 2, 3, 7, 1000)}

    assert found == {is_carried}


@pytest.mark.parametrize(("rule", "stream", "is_carried"), NDJSON)
def test_in_lines_of_json(rule: EndMarkerRule, stream: bytes, is_carried: bool) -> None:
    found = {carries(rule, Ndjson(), stream, size) for size in (1, 2, 3, 7, 1000)}

    assert found == {is_carried}


@pytest.mark.parametrize(
    ("path", "data"),
    [
        pytest.param("fin<al", rb'{"fin\u003cal":1}', id="a sign that some escape"),
        pytest.param("é", rb'{"\u00e9":1}', id="a letter beyond ASCII"),
        pytest.param("parts.1", b"{" + rb'"parts":[null,"x"]}', id="an index at the end"),
        pytest.param("parts.1", b'{"parts":{"1":true}}', id="a number as a name"),
    ],
)
def test_a_field_is_found_however_it_is_written(path: str, data: bytes) -> None:
    rule = EndMarkerRule(mode="warn", json_field=path)

    assert carries(rule, Ndjson(), data + b"\n", 1000)


@pytest.mark.parametrize(
    ("stream", "is_missing"),
    [
        pytest.param(b"data: a\n\n", True, id="a stream without it"),
        pytest.param(b"data: [DONE]\n\n", False, id="a stream with it"),
        pytest.param(b"x" * (MAX_HELD + 1), False, id="a raw stream is not judged"),
    ],
)
def test_what_lacks_its_marker(stream: bytes, is_missing: bool) -> None:
    framing = Sse()
    marker = end_marker(DONE, framing)
    assert marker
    marker.see(framing.feed(stream))

    assert marker.is_missing is is_missing


def test_a_route_that_asks_for_none_pays_for_none() -> None:
    assert end_marker(EndMarkerRule(), Sse()) is None
    assert end_marker(EndMarkerRule(mode="off", data="[DONE]"), Sse()) is None


def test_lines_of_json_have_no_names_to_wait_for() -> None:
    assert end_marker(NAMED, Ndjson()) is None


@pytest.mark.parametrize(
    ("given", "found"),
    [
        pytest.param({}, "here none", id="nothing"),
        pytest.param({"data": "[DONE]", "event": "done"}, "here data and event", id="two"),
    ],
)
@pytest.mark.parametrize("mode", ["warn", "strict"])
def test_a_rule_names_exactly_one_marker(mode: str, given: dict[str, str], found: str) -> None:
    with pytest.raises(ValidationError, match=found):
        EndMarkerRule.model_validate({"mode": mode, **given})


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"data": " "}, id="blank data"),
        pytest.param({"data": "a\nb"}, id="two lines"),
        pytest.param({"event": ""}, id="an empty name"),
        pytest.param({"json_field": "a..b"}, id="a path with a hole"),
        pytest.param({"json_field": ".a"}, id="a path from nowhere"),
    ],
)
def test_a_marker_that_no_stream_could_carry_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        EndMarkerRule.model_validate({"mode": "warn", **given})


def test_space_around_a_marker_means_nothing() -> None:
    assert EndMarkerRule(mode="warn", data=" [DONE] ").data == "[DONE]"
