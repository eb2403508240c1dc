"""Stories out of logs."""

import json

import pytest

from proxy.commands.logs import LoggedStories, stories_in

EVENT = {
    "timestamp": "2026-11-22T03:00:22.000Z", "level": "error", "service": "sidelight",
    "event": "exchange", "request_id": "req-1", "route": "chat", "upstream": "model",
    "method": "POST", "path": "/api/chat", "status": 504, "code": "head_timeout", "term": "uH",
    "attempts": 1, "attempt_results": ["head_timeout"], "duration_ms": 30000.0,
}  # fmt: skip
LINE = json.dumps(EVENT)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(LINE, id="as it was written"),
        pytest.param(f"2026-11-22T03:00:22Z stdout F {LINE}\n", id="in a line of containerd"),
        pytest.param(json.dumps({"log": LINE + "\n", "stream": "stdout"}), id="in one of Docker"),
        pytest.param(json.dumps({"MESSAGE": LINE}), id="in one of journald"),
    ],
)
def test_an_exchange_is_found(line: str) -> None:
    (story,) = stories_in([line], "req-1").stories

    assert ("req-1", "head_timeout") == (story["request_id"], story["code"])


@pytest.mark.parametrize(
    "line",
    ["", "req-1", '["req-1"]', '{"log": "req-1"}', json.dumps({**EVENT, "event": "stream_started"}),
     json.dumps({**EVENT, "request_id": "req-10"})],
)  # fmt: skip
def test_anything_else_is_passed_over(line: str) -> None:
    assert LoggedStories([], 0) == stories_in([line], "req-1")


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('{"request_id": "req-1"', id="cut short"),
        pytest.param('{"log": "req-1 {"}', id="cut short within a runtime's"),
        pytest.param('{"request_id": "req-1", "status": ' + "9" * 5000 + "}", id="digits"),
        pytest.param('{"request_id": "req-1", "a": ' + "[" * 200_000, id="nested"),
        pytest.param('{"a": ' * 200_000 + '"req-1"', id="nested sections"),
    ],
)
def test_what_cannot_be_read_is_counted_and_costs_no_other(line: str) -> None:
    found = stories_in([line, LINE, line], "req-1")

    assert (1, 2) == (len(found.stories), found.unread)


@pytest.mark.parametrize("name", ["client_request_id", "upstream_request_id"])
def test_the_ids_of_others_lead_to_it_too(name: str) -> None:
    assert 1 == len(stories_in([json.dumps({**EVENT, name: "theirs-1"})], "theirs-1").stories)


def test_every_id_of_the_upstream_leads_to_it() -> None:
    event = {**EVENT, "upstream_request_id": "a", "upstream_ids": {"A": "a", "CF-Ray": "8a-FRA"}}
    (story,) = stories_in([json.dumps(event)], "8a-FRA").stories

    assert {"A": "a", "CF-Ray": "8a-FRA"} == story["upstream_ids"]


def test_an_id_that_json_spells_otherwise_is_found() -> None:
    line = json.dumps({"log": json.dumps({**EVENT, "client_request_id": 'a"b'})})

    assert 1 == len(stories_in([line], 'a"b').stories)


def test_the_newest_stands_first() -> None:
    lines = [json.dumps({**EVENT, "status": status}) for status in (502, 503)]

    assert [503, 502] == [story["status"] for story in stories_in(lines, "req-1").stories]
