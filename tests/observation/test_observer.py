"""Every exchange ends in exactly one record; every change of state is said."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from proxy.observation import observer as module
from proxy.observation.log import Log
from proxy.observation.metrics import Metrics
from proxy.observation.observer import Observer
from proxy.observation.summary import Summary
from proxy.outcome import DRAIN_CUT, HEAD_TIMEOUT
from proxy.resilience.permits import Transition
from proxy.upstream.endpoint_change import EndpointChange

GONE, BACK = (EndpointChange("http://a:1", kind, "why") for kind in ("down", "up"))


class House:
    """An observer and all that it tells."""

    def __init__(self, reader) -> None:
        self.reader = reader
        self.log = Log("widget", reader.fd)
        self.metrics = Metrics({"chat": "backend"})
        self.summary = Summary(0.0)
        self.due: list[Callable[[], None]] = []
        self.observer = Observer(
            self.log, self.metrics, self.summary, later=lambda _, call: self.due.append(call)
        )

    def a_moment_passes(self) -> None:
        while self.due:
            self.due.pop()()

    def events(self) -> list[dict[str, Any]]:
        self.a_moment_passes()
        self.log.close()
        return self.reader.events()

    def told(self, *names: str) -> list[tuple[object, ...]]:
        return [tuple(event.get(name) for name in names) for event in self.events()]

    def numbers(self, name: str) -> Mapping[tuple[str, ...], object]:
        return self.metrics.snapshot()[f"sidelight_{name}"]

    def see(self, x) -> None:
        self.observer.opened(x)
        self.observer.close(x)


@pytest.fixture
def house(reader) -> House:
    return House(reader)


def test_an_exchange_makes_one_line_one_count_and_one_figure(house: House, exchange) -> None:
    house.see(exchange(config_hash="c0ffee"))

    house.a_moment_passes()

    assert {("chat", "GET", "200"): 1} == house.numbers("requests_total")
    assert 1 == house.summary.figures(10.0)["total_requests"]
    assert ("INFO", "exchange", "id-1", "c0ffee", 0) == house.told(
        "level", "event", "request_id", "config_hash", "worker"
    )[-1]


def test_exchanges_wait_a_moment_and_are_recorded_together(house: House, exchange) -> None:
    house.see(exchange())
    house.see(exchange())

    assert 1 == len(house.due)
    assert 0 == house.summary.figures(10.0)["total_requests"]
    house.a_moment_passes()
    assert 2 == house.summary.figures(10.0)["total_requests"]


def test_whoever_reads_the_metrics_sees_what_has_ended(house: House, exchange) -> None:
    house.see(exchange())

    assert 1 == house.numbers("terminations_total")["chat", "completed"]


def test_a_flush_records_at_once(house: House, exchange) -> None:
    house.see(exchange())
    house.observer.flush()

    assert 1 == house.summary.figures(10.0)["total_requests"]


@pytest.mark.parametrize(
    "change",
    [
        lambda observer: observer.config_loaded("c0ffee"),
        lambda observer: observer.breaker_changed(Transition("chat", "open", "ratio", 30.0, 1.0)),
        lambda observer: observer.endpoint_changed(
            "backend", EndpointChange("http://a:1", "up", "why")
        ),
        lambda observer: observer.endpoint_changed(
            "backend", EndpointChange("http://a:1", "down", "why")
        ),
        lambda observer: observer.drain_began("SIGTERM", 1.0),
        lambda observer: observer.drain_ended(),
    ],
    ids=["config", "breaker", "endpoint up", "endpoint down", "drain began", "drain ended"],
)
def test_a_change_of_state_is_not_told_before_what_led_to_it(
    house: House, exchange, change: Callable[[Observer], None]
) -> None:
    house.see(exchange())
    change(house.observer)

    events = house.events()
    assert "exchange" == events[0]["event"]
    assert "config_hash" not in events[0]
    assert 2 == len(events)


def test_closing_twice_records_once(house: House, exchange) -> None:
    x = exchange()
    house.see(x)
    house.observer.close(x)

    assert {("chat", "GET", "200"): 1} == house.numbers("requests_total")
    assert 1 == len(house.events())


def test_an_exchange_that_was_not_ended_ends_now(house: House, exchange, monkeypatch) -> None:
    monkeypatch.setattr(module.clock, "now", lambda: 11.0)  # type: ignore[attr-defined]
    x = exchange(ended=0.0)
    house.see(x)
    monkeypatch.undo()

    assert 11.0 == x.ended
    assert [(1000.0,)] == house.told("duration_ms")


def test_what_runs_is_told_by_route(house: House, exchange) -> None:
    first, second = exchange(), exchange(streamed=True, committed=10.0)
    unrouted, head_pending = exchange(route=""), exchange(streamed=True)
    for x in (first, second, unrouted, head_pending):
        house.observer.opened(x)
    assert {("chat",): 3, ("none",): 1} == house.numbers("requests_in_flight")
    assert {("chat",): 1} == house.numbers("streams_active")

    for x in (first, second, unrouted, head_pending):
        house.observer.close(x)

    assert {("chat",): 0} == house.numbers("requests_in_flight")
    assert {("chat",): 0} == house.numbers("streams_active")


def test_lost_lines_are_counted(house: House) -> None:
    house.log.dropped["queue_full"] = 3

    assert {("queue_full",): 3, ("write_failed",): 0} == house.numbers("log_dropped_total")


def test_whoever_asks_for_health_is_told_of_the_last_exchange(house: House, exchange) -> None:
    house.see(exchange())
    house.see(exchange(outcome=HEAD_TIMEOUT))

    assert 1 == house.observer.histories["backend"].health(11.0).failures


@pytest.mark.parametrize(
    ("change", "event"),
    [
        (
            Transition("chat", "open", "ratio", 30.0, 1.0),
            ("WARNING", "breaker_opened", "chat", "ratio", 30_000.0),
        ),
        (
            Transition("chat", "half_open", "cooled_down", 0.0, 1.0),
            ("INFO", "breaker_half_open", "chat", "cooled_down", None),
        ),
        (
            Transition("chat", "closed", "probe_succeeded", 0.0, 1.0),
            ("INFO", "breaker_closed", "chat", "probe_succeeded", None),
        ),
    ],
)
def test_a_breaker_that_changes_is_told(house: House, change: Transition, event) -> None:
    house.observer.breaker_changed(change)

    assert {("chat", change.to, change.cause): 1} == house.numbers("circuit_transitions_total")
    assert [event] == house.told("level", "event", "route", "cause", "cool_down_ms")


def test_an_endpoint_that_goes_and_comes_is_told(house: House) -> None:
    house.observer.endpoint_changed("backend", GONE)
    house.observer.endpoint_changed("backend", BACK)

    assert [
        ("WARNING", "endpoint_down", "backend", "http://a:1"),
        ("INFO", "endpoint_up", "backend", "http://a:1"),
    ] == house.told("level", "event", "upstream", "endpoint")


def test_the_start_is_told(house: House) -> None:
    house.observer.started(port=8080)
    house.observer.config_loaded("c0ffee", file="x.yaml")

    assert {("c0ffee",): 1} == house.numbers("config_info")
    assert [
        ("started", 8080, 0, None, None),
        ("config_loaded", None, None, "c0ffee", "x.yaml"),
    ] == house.told("event", "port", "worker", "config_hash", "file")


def test_a_drain_is_told_with_what_became_of_the_running(
    house: House, exchange, monkeypatch
) -> None:
    good, cut, left = exchange(), exchange(outcome=DRAIN_CUT), exchange()
    house.see(exchange())
    for x in (good, cut, left):
        house.observer.opened(x)
    monkeypatch.setattr(module.clock, "now", lambda: 100.0)  # type: ignore[attr-defined]
    house.observer.drain_began("SIGTERM", 120.0)
    house.observer.close(good)
    house.observer.close(cut)
    monkeypatch.setattr(module.clock, "now", lambda: 101.5)  # type: ignore[attr-defined]
    house.observer.drain_ended()
    monkeypatch.undo()

    assert {("finished",): 1, ("cut",): 1} == house.numbers("drain_exchanges_total")
    began, ended = (
        {name: event[name] for name in list(event)[3:]}
        for event in house.events()
        if str(event["event"]).startswith("drain")
    )
    assert {
        "event": "drain_began",
        "signal": "SIGTERM",
        "limit_ms": 120_000.0,
        "running": 3,
    } == began
    assert {
        "event": "drain_ended",
        "duration_ms": 1500.0,
        "running": 1,
        "finished": 1,
        "cut": 1,
        "client_left": 0,
    } == ended


def test_a_long_stall_of_the_loop_is_said_and_then_seldom(house: House, monkeypatch) -> None:
    at = [100.0]
    monkeypatch.setattr(module.clock, "now", lambda: at[0])  # type: ignore[attr-defined]
    for moment, lag in ((100.0, 0.9), (101.0, 3.0), (105.0, 2.0), (106.0, 1.0), (112.0, 4.0)):
        at[0] = moment
        house.observer.loop_lag(lag)

    assert [("loop_stalled", 3000.0, 1), ("loop_stalled", 7000.0, 3)] == house.told(
        "event", "stalled_ms", "stalls"
    )
