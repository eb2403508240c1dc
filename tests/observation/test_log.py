"""An event is one line of JSON, whatever its values are."""

import re

import pytest

from proxy.observation.log import Log


def test_an_event_begins_with_time_level_service_and_name(reader) -> None:
    log = Log("widget", reader.fd)
    log.emit("started", "warning", port=8080)
    log.close()

    (event,) = reader.events()
    assert ["timestamp", "level", "service", "event", "port"] == list(event)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(event["timestamp"]))
    assert ("WARNING", "widget", "started", 8080) == tuple(event.values())[1:]


@pytest.mark.parametrize("level", ["info", "warning", "error", "critical"])
def test_every_level_is_said_in_capitals(reader, level) -> None:
    log = Log("widget", reader.fd)
    log.emit("x", level)
    log.close()

    assert [level.upper()] == [event["level"] for event in reader.events()]


def test_events_below_the_level_are_not_said(reader) -> None:
    log = Log("widget", reader.fd, level="error")
    log.emit("quiet", "warning")
    log.emit("loud", "error")
    log.close()

    assert ["loud"] == [event["event"] for event in reader.events()]


@pytest.mark.parametrize(
    ("level", "is_heard"),
    [("info", False), ("warning", True), ("error", True), ("critical", True)],
)
def test_a_level_is_heard_from_the_logs_own_up(reader, level, is_heard: bool) -> None:
    log = Log("widget", reader.fd, level="warning")
    log.emit("x", level)

    assert is_heard == log.hears(level)
    log.close()
    assert is_heard == bool(reader.lines())


def test_lines_made_before_are_written_together_as_they_are(reader) -> None:
    log = Log("widget", reader.fd)
    log.put([log.line("x", "info", {"n": n}, 1e9 + n / 1000) for n in range(3)])
    log.put([])
    log.close()

    assert [
        ("2001-09-09T01:46:40.000Z", "INFO", "widget", "x", 0),
        ("2001-09-09T01:46:40.001Z", "INFO", "widget", "x", 1),
        ("2001-09-09T01:46:40.002Z", "INFO", "widget", "x", 2),
    ] == [tuple(event.values()) for event in reader.events()]


def test_lost_lines_that_were_put_together_are_all_counted(reader) -> None:
    log = Log("widget", reader.fd, size=0)
    log.put([log.line("x", "info", {}, 1e9)] * 3)

    assert 3 == log.dropped["queue_full"]
    log.close()
    reader.lines()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("\udc80", id="a lone surrogate"),
        pytest.param(2**70, id="a huge integer"),
        pytest.param(object(), id="an object"),
        pytest.param('a\n{"event":"forged"}', id="a line end"),
    ],
)
def test_no_value_can_stop_or_forge_a_line(reader, value: object) -> None:
    log = Log("widget", reader.fd)
    log.emit("x", "info", value=value)
    log.close()

    assert ["x"] == [event["event"] for event in reader.events()]


def test_values_are_taken_when_the_event_is_said(reader) -> None:
    log = Log("widget", reader.fd)
    results = ["ok"]
    log.say("x", "info", {"results": results})
    results.append("later")
    log.close()

    assert [["ok"]] == [event["results"] for event in reader.events()]


def test_lost_lines_are_told_by_cause(reader) -> None:
    log = Log("widget", reader.fd, size=0)
    log.emit("x")
    log.close()

    (event,) = reader.events()
    assert {"queue_full": 1, "write_failed": 0} == log.dropped
    assert ("WARNING", "widget", "log_dropped", 1, 0) == tuple(event.values())[1:]


def test_another_level_holds_from_now_on(reader) -> None:
    log = Log("widget", reader.fd, level="error")
    log.emit("quiet", "info")
    log.listen_from("info")
    log.emit("loud", "info")
    log.close()

    assert ["loud"] == [event["event"] for event in reader.events()]
    assert log.hears("info")
