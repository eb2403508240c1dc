"""What is made of exchanges that have ended."""

from collections.abc import Mapping
from math import nan
from typing import Any

import pytest

from proxy import clock
from proxy.observation.log import Log
from proxy.observation.metrics import Metrics
from proxy.observation.recorder import Recorder, drain_result
from proxy.observation.summary import Summary
from proxy.outcome import (
    CLIENT_CLOSED_STREAM,
    COMPLETED,
    DRAIN_CUT,
    DRAINING,
    HEAD_TIMEOUT,
    UPSTREAM_ERROR,
    Level,
)
from tests.records import attempt, fallen_back


class Desk:
    """A recorder and all that it writes to."""

    def __init__(self, reader, *, level: Level = "info", **options: Any) -> None:
        self.reader = reader
        self.log = Log("widget", reader.fd, level=level)
        self.metrics = Metrics({"chat": "backend"})
        self.summary = Summary(0.0)
        self.recorder = Recorder(self.log, self.metrics, self.summary, **options)

    def record(self, *ended) -> None:
        self.recorder.record([*ended])

    def told(self, *names: str) -> list[tuple[object, ...]]:
        self.log.close()
        return [tuple(event.get(name) for name in names) for event in self.reader.events()]

    def numbers(self, name: str) -> Mapping[tuple[str, ...], object]:
        return self.metrics.snapshot()[f"sidelight_{name}"]


@pytest.fixture
def desk(reader) -> Desk:
    return Desk(reader)


def test_exchanges_are_recorded_in_their_order(desk: Desk, exchange) -> None:
    desk.record(*(exchange(request_id=f"id-{n}") for n in range(100)))

    assert {("chat", "GET", "200"): 100} == desk.numbers("requests_total")
    assert 100 == desk.summary.figures(10.0)["total_requests"]
    assert [(f"id-{n}",) for n in range(100)] == desk.told("request_id")


def test_nothing_to_record_writes_nothing(desk: Desk) -> None:
    desk.record()

    assert [] == desk.told("event")


def test_the_timestamp_is_when_it_ended(desk: Desk, exchange, monkeypatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: 12.0)
    monkeypatch.setattr(clock, "wall", lambda: 1e9)
    desk.record(exchange(ended=11.5))
    monkeypatch.undo()

    assert [(clock.iso(1e9 - 0.5),)] == desk.told("timestamp")


def test_a_line_names_settings_and_worker(reader, exchange) -> None:
    desk = Desk(reader, worker=3)
    desk.record(exchange(config_hash="c0ffee"))

    assert [("exchange", "c0ffee", 3)] == desk.told("event", "config_hash", "worker")


def test_the_level_is_that_of_the_outcome(desk: Desk, exchange) -> None:
    desk.record(
        exchange(outcome=HEAD_TIMEOUT),
        exchange(outcome=CLIENT_CLOSED_STREAM),
        exchange(outcome=UPSTREAM_ERROR, upstream_status=404),
    )

    assert [("ERROR",), ("INFO",), ("INFO",)] == desk.told("level")


def test_what_the_log_does_not_hear_is_counted_all_the_same(reader, exchange) -> None:
    desk = Desk(reader, level="error")
    desk.record(exchange(), exchange(outcome=HEAD_TIMEOUT))

    assert 2 == desk.summary.figures(10.0)["total_requests"]
    assert [("head_timeout",)] == desk.told("code")


def test_an_exchange_without_an_outcome_is_our_fault(desk: Desk, exchange) -> None:
    desk.record(exchange(outcome=None))

    assert [("CRITICAL", "internal_error", "ended without an outcome")] == desk.told(
        "level", "code", "detail"
    )


def test_a_fault_of_ours_is_said_and_harms_no_other_exchange(desk: Desk, exchange) -> None:
    desk.record(exchange(ended=nan), exchange(request_id="id-2"))

    assert {("critical", "internal_error"): 1} == desk.numbers("errors_total")
    ((level, event, request_id, fault), last) = desk.told("level", "event", "request_id", "fault")
    assert ("CRITICAL", "observer_failed", "id-1") == (level, event, request_id)
    assert str(fault).startswith("ValueError at clock.py:")
    assert ("INFO", "exchange", "id-2", None) == last


def test_completed_exchanges_are_sampled_and_failures_never(reader, exchange) -> None:
    chances = iter([0.05, 0.5, 0.0999, 0.1])
    desk = Desk(reader, sample=0.1, rng=lambda: next(chances))
    for n in range(4):
        desk.record(
            exchange(request_id=f"good-{n}"),
            exchange(request_id=f"bad-{n}", outcome=HEAD_TIMEOUT),
            exchange(request_id=f"404-{n}", outcome=UPSTREAM_ERROR, upstream_status=404),
        )

    assert {("chat", "GET", "200"): 12} == desk.numbers("requests_total")
    ids = {str(request_id) for (request_id,) in desk.told("request_id")}
    assert {"good-0", "good-2"} == {one for one in ids if one.startswith("good")}
    assert 10 == len(ids)


def test_the_health_of_an_upstream_follows_from_its_exchanges(desk: Desk, exchange) -> None:
    failed = [exchange(outcome=HEAD_TIMEOUT) for _ in range(3)]
    desk.record(exchange(), *failed, exchange(upstream="", route="", attempts=[]))
    health = desk.recorder.histories["backend"].health(11.0)

    assert ["backend"] == list(desk.recorder.histories)
    assert ("failing", "head_timeout", 3) == (health.status, health.reason, health.failures)


@pytest.mark.parametrize(
    ("unusual", "result"),
    [
        pytest.param({"outcome": COMPLETED}, "finished", id="finished"),
        pytest.param({"outcome": HEAD_TIMEOUT}, "finished", id="failed, but not by us"),
        pytest.param({"outcome": DRAIN_CUT}, "cut", id="cut after the commit"),
        pytest.param({"outcome": DRAINING}, "cut", id="cut before the commit"),
        pytest.param({"outcome": DRAINING, "route": ""}, None, id="refused: it never began"),
        pytest.param({"outcome": CLIENT_CLOSED_STREAM}, "client_left", id="the client left"),
    ],
)
def test_an_exchange_gets_away_from_a_drain(exchange, unusual, result: str | None) -> None:
    assert result == drain_result(exchange(**unusual))


def test_a_fallback_that_is_cut_or_left_is_no_exchange_that_finished(exchange) -> None:
    x = exchange(outcome=HEAD_TIMEOUT, fallback=fallen_back("spare", outcome=DRAIN_CUT))
    left = exchange(
        outcome=HEAD_TIMEOUT, fallback=fallen_back("spare", outcome=CLIENT_CLOSED_STREAM)
    )

    assert ("cut", "client_left") == (drain_result(x), drain_result(left))


def test_the_attempt_of_a_fallback_shows_the_health_of_its_own_upstream(
    desk: Desk, exchange
) -> None:
    for _ in range(3):
        tried = attempt("http://s:1", 10.0, status=503, result="status_5xx")
        desk.record(exchange(fallback=fallen_back("static", "spare", tried), ended=10.0))
    histories = desk.recorder.histories

    assert "failing" == histories["spare"].health(11.0).status
    assert "connected" == histories["backend"].health(11.0).status


def test_what_cannot_be_redacted_is_hidden_from_all_who_read_it(desk: Desk, exchange) -> None:
    x = exchange(target="/CANARY", fields={"user": 7})
    desk.record(x)

    assert ("[redacted]", {}) == (x.target, x.fields)
    assert [("observer_failed", "[redacted]")] == desk.told("event", "request_id")
