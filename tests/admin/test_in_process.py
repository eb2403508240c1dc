"""What the admin side sees of the house, and what it may ask of it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from proxy.app import App
from proxy.clock import now
from proxy.exchange import Exchange
from proxy.outcome import COMPLETED
from proxy.settings.load import parse
from tests.records import exchange

SETTINGS = """
upstreams: { model: { endpoints: ["http://127.0.0.1:9"] } }
routes:
  - { name: rest, match: { path: / }, upstream: model, breaker: { enabled: false } }
  - { name: chat, match: { path: /api/chat }, upstream: model }
"""


@pytest.fixture
async def app(tmp_path) -> AsyncIterator[App]:
    with (tmp_path / "log").open("wb") as log:
        app = App(parse(SETTINGS), log_fd=log.fileno())
        app.not_ready_because = None
        yield app
        await app.stop()


def running(app: App, **unusual: Any) -> Exchange:
    x = exchange(**unusual)
    app.observer.opened(x)
    return x


async def test_what_runs_is_counted_by_route(app) -> None:
    running(app, route="chat", streamed=True, committed=1.0)
    running(app, route="chat", streamed=True)
    running(app)
    live = app.in_process_admin.live()

    assert (3, 1) == (live.in_flight, live.streams)
    assert {"rest": 0, "chat": 2, "": 1} == {n: r.in_flight for n, r in live.running.items()}


async def test_what_has_ended_is_found_at_once(app) -> None:
    x = running(app, route="chat", request_id="req-1", outcome=COMPLETED, ended=1.0)
    app.observer.close(x)

    assert 1 == len((await app.in_process_admin.diagnostics.story("req-1")).stories)
    assert 1 == app.in_process_admin.summary()["total_requests"]


async def test_routes_stand_in_the_order_in_which_they_are_tried(app) -> None:
    assert ["chat", "rest"] == [route["name"] for route in app.in_process_admin.routes()]


@pytest.mark.parametrize(
    ("orders", "state", "causes"),
    [
        pytest.param(["open"], "open", ["manual"], id="opened by hand"),
        pytest.param(["open", "open"], "open", ["manual"], id="an open one stays as it is"),
        pytest.param(["close"], "closed", [], id="a closed one too"),
        pytest.param(["open", "close"], "closed", ["manual", "manual"], id="and closed again"),
        pytest.param(["reset"], "closed", ["manual"], id="a reset forgets in any state"),
    ],
)
async def test_a_circuit_obeys_and_its_changes_are_remembered(app, orders, state, causes) -> None:
    assert [None] * len(orders) == [app.in_process_admin.order_breaker("chat", o) for o in orders]
    chat = next(b for b in app.in_process_admin.breakers() if b["route"] == "chat")

    assert state == chat["state"]
    assert causes == [change["cause"] for change in chat["changes"]]


async def test_only_the_latest_ten_changes_are_kept(app) -> None:
    for _ in range(8):
        app.in_process_admin.order_breaker("chat", "open")
        app.in_process_admin.order_breaker("chat", "close")
    changes = next(b for b in app.in_process_admin.breakers() if b["route"] == "chat")["changes"]

    assert ["closed", "open"] * 5 == [change["to"] for change in changes]


async def test_an_order_that_cannot_be_obeyed_says_why(app) -> None:
    assert "route_not_found" == app.in_process_admin.order_breaker("nope", "open")
    assert "breaker_disabled" == app.in_process_admin.order_breaker("rest", "open")


async def test_alerts_see_the_circuits_that_are_not_closed(app) -> None:
    assert () == app.in_process_admin.system_state().circuits_open
    app.in_process_admin.order_breaker("chat", "open")

    assert ("chat",) == app.in_process_admin.system_state().circuits_open


async def test_an_open_critical_circuit_is_a_failing_upstream(app) -> None:
    unknown = app.in_process_admin.health().upstreams["model"]
    app.in_process_admin.order_breaker("chat", "open")
    failing = app.in_process_admin.health().upstreams["model"]

    assert ("unknown", None) == (unknown.status, unknown.since)
    assert ("failing", "circuit of chat is open") == (failing.status, failing.reason)
    assert failing.since is not None


async def test_a_moment_keeps_its_date_until_somebody_sets_the_clock(app, monkeypatch) -> None:
    """However late one of the two clocks was read."""
    clock = {"ahead": 1e9}
    monkeypatch.setattr("proxy.admin.in_process.wall", lambda: now() + clock["ahead"])
    at, dates = now(), []
    for clock["ahead"] in (1e9, 1e9 + 0.004, 1e9 - 0.03, 1e9 + 60):
        dates.append(app.in_process_admin.health().dated(at))

    assert 1 == len(set(dates[:3]))
    assert dates[3] != dates[0]


async def test_a_drain_needs_somebody_who_can_end_the_process_and_begins_once(app) -> None:
    asked: list[str] = []

    assert not app.in_process_admin.start_drain()
    app.ask_to_end = lambda: asked.append("end")
    assert app.in_process_admin.start_drain()
    assert not app.in_process_admin.start_drain(), "a second signal would end everything at once"
    assert ["end"] == asked
    assert {"draining": True, "running": 0} == app.in_process_admin.drain_view()
