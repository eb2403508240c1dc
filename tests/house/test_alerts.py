"""Errors that really happened reach whoever is to be told: once, signed, with Reference IDs.

Windows are scaled by a hundred: the minute of the settings is 600 ms here.
"""

import asyncio
import hashlib
import hmac
import json
import socket
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from proxy.diagnostics.alerts.counts import CountWindow
from tests.house.admin import ask
from tests.house.fault_upstream import FaultUpstream, Turn, reset_before_head, status
from tests.house.raw_client import eventually

SECRET = "a key of sixteen and more"
ONCE = {"attempts": 1}
UNBROKEN = {"enabled": False}


@dataclass(slots=True)
class Receiver:
    """Takes webhooks; `answers` are the statuses it gives, the last one for ever."""

    port: int
    answers: list[int] = field(default_factory=lambda: [200])
    posts: list[Any] = field(default_factory=list)

    async def __call__(self, turn: Turn) -> None:
        await turn.body()
        self.posts.append(turn.request)
        status = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        await turn.answer(status)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/T0KEN"

    def events(self) -> list[tuple[str, str]]:
        bodies = [json.loads(post.body) for post in self.posts]
        return [(body["event"], body["alert"]["rule"]) for body in bodies]


@pytest.fixture
async def receiver():
    async with FaultUpstream() as server:
        receiver = Receiver(server.port)
        server.on("/hook/T0KEN", receiver)
        yield receiver
    assert [] == server.errors


@pytest.fixture(autouse=True)
def scaled(monkeypatch):
    total = CountWindow.total
    monkeypatch.setattr("proxy.diagnostics.alerts.counts.SLOT", 0.1)
    monkeypatch.setattr("proxy.diagnostics.service.TICK", 0.01)
    monkeypatch.setattr("proxy.diagnostics.alerts.notify.FIRST_PAUSE", 0.01)
    monkeypatch.setattr(
        CountWindow, "total", lambda self, name, seconds, now: total(self, name, seconds / 100, now)
    )


def alerts(receiver: Receiver, *, form: str = "json", secret: str | None = SECRET, **unusual: Any):
    hook = {"url": receiver.url, "format": form} | ({"secret": secret} if secret else {})
    rules = {"errors": {"above": 2, "window": "1m"}, "error_rate": {"above": None}}
    return {"webhooks": [hook], "every": "10ms", "hold": "50ms", **rules, **unusual}


def quiet(**rest: Any) -> dict[str, Any]:
    return {"retry": ONCE, "breaker": UNBROKEN, **rest}


async def break_three(house) -> list[str]:
    return [(await house.fetch("/x")).header("X-Request-ID") for _ in range(3)]


async def test_an_alert_is_raised_signed_and_cleared(upstream, house, receiver):
    runbooks = "https://wiki.example/runbooks#"
    house = await house(**quiet(alerts=alerts(receiver, runbooks=runbooks), service="till"))
    upstream.on("/x", reset_before_head)
    broken = await break_three(house)
    await eventually(lambda: len(receiver.posts) == 2)
    raised, cleared = (json.loads(post.body) for post in receiver.posts)
    shown = (await ask(house.app.admin_port, "/api/alerts")).json()["alerts"]

    for post in receiver.posts:
        check_signature(post)
    assert [("raised", "errors"), ("cleared", "errors")] == receiver.events()
    assert ("till", "error") == (raised["service"], raised["alert"]["severity"])
    assert "3 errors within 1m" == raised["alert"]["summary"]
    assert list(reversed(broken)) == raised["alert"]["samples"]
    assert f"{runbooks}errors" == raised["alert"]["runbook"]
    assert raised["alert"]["id"] == cleared["alert"]["id"] == shown[0]["id"]
    assert ("raised", "cleared") == (raised["alert"]["state"], cleared["alert"]["state"])
    assert ["cleared"] == [alert["state"] for alert in shown]
    assert await house.event("alert_raised", rule="errors")
    assert await house.event("alert_cleared", rule="errors")
    assert 'sidelight_alerts_total{result="sent",rule="errors"} 2.0' in await metrics(house)


def check_signature(post) -> None:
    at = post.header("X-Sidelight-Timestamp")
    signed = hmac.new(SECRET.encode(), f"{at}.".encode() + post.body, hashlib.sha256)

    assert abs(int(at) - time.time()) < 60
    assert f"sha256={signed.hexdigest()}" == post.header("X-Sidelight-Signature")
    assert "application/json" == post.header("Content-Type")


async def metrics(house) -> list[str]:
    return (await house.admin("/metrics")).body.decode().splitlines()


async def test_slack_and_its_like_get_a_text(upstream, house, receiver):
    house = await house(**quiet(alerts=alerts(receiver, form="slack", secret=None)))
    upstream.on("/x", status(500))
    broken = await break_three(house)
    await eventually(lambda: receiver.posts)
    body = json.loads(receiver.posts[0].body)

    assert ["text"] == list(body)
    assert f"[sidelight on {socket.gethostname()}] RAISED error: errors" in body["text"]
    assert "3 errors within 1m" in body["text"]
    assert f"Reference IDs: {', '.join(reversed(broken))}" in body["text"]
    assert receiver.posts[0].header("X-Sidelight-Signature") is None


async def test_a_receiver_that_fails_is_tried_again_and_nobody_waits(upstream, house, receiver):
    receiver.answers = [500, 503, 200]
    house = await house(**quiet(alerts=alerts(receiver, hold="1h")))
    upstream.on("/x", status(500))
    await break_three(house)
    await eventually(lambda: len(receiver.posts) == 3)
    await eventually(lambda: dict(house.app.diagnostics._results) == {("errors", "sent"): 1})
    bodies = {post.body for post in receiver.posts}

    assert 1 == len(bodies)


async def test_an_alert_that_goes_on_is_told_once(upstream, house, receiver):
    house = await house(**quiet(alerts=alerts(receiver, hold="10s")))
    upstream.on("/x", status(500))
    for _ in range(10):
        await break_three(house)
        await asyncio.sleep(0.02)  # several rounds of judging pass

    assert [("raised", "errors")] == receiver.events()


async def test_an_open_circuit_is_an_alert_until_it_closes(upstream, house, receiver):
    house = await house(
        retry=ONCE,
        breaker={"consecutive": 2, "cool_down": "100ms", "jitter": 0},
        alerts=alerts(receiver),
    )
    upstream.on("/x", status(503), status(503), status(200))
    first = await house.fetch("/x")
    await house.event_of(first)
    await house.fetch("/x")
    await eventually(lambda: receiver.posts)
    await eventually(lambda: house.app.routes[0].breaker.state(time.monotonic()) != "open")
    assert 200 == (await house.fetch("/x")).status
    await eventually(lambda: len(receiver.posts) == 2)
    alert = json.loads(receiver.posts[0].body)["alert"]

    assert [("raised", "breaker_open"), ("cleared", "breaker_open")] == receiver.events()
    assert "all" == alert["subject"]
    assert first.header("X-Request-ID") in alert["samples"]


async def test_the_url_of_a_receiver_is_shown_nowhere(upstream, house, receiver):
    receiver.answers = [500]
    house = await house(**quiet(alerts=alerts(receiver)))
    upstream.on("/x", status(500))
    await break_three(house)
    await eventually(lambda: receiver.posts)
    paths = ("/api/config", "/api/alerts", "/metrics", "/", "/alerts")
    shown = [(await ask(house.app.admin_port, path)).body for path in paths]

    assert b"T0KEN" not in b"".join(shown)
    assert SECRET.encode() not in b"".join(shown)
    assert "T0KEN" not in json.dumps(house.events)
