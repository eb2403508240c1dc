"""The API in front of a real house: what it says is true, and of the documented form."""

import asyncio
import json
import signal

import pytest

from proxy.admin.api.shapes import SHAPES
from proxy.cli import main
from tests.admin.api.test_openapi import check
from tests.house.fault_upstream import reset_before_head, status
from tests.house.raw_client import Answer, RawClient, fetch, request

ONCE = {"attempts": 1}


async def ask(port: int, path: str, method: str = "GET") -> Answer:
    """As a script on the same machine does."""
    body = b"{}" if method == "POST" else b""
    headers = ("Content-Type: application/json",)
    async with RawClient(port) as client:
        await client.send(request(method, path, *headers, body=body, host="localhost"))
        return await client.answer(method)


async def broken(house, upstream):
    house = await house(retry=ONCE, breaker={"consecutive": 3})
    upstream.on("/", reset_before_head, status(200), reset_before_head)
    answers = [await house.fetch() for _ in range(3)]
    return house, answers[0].header("X-Request-ID")


async def test_every_answer_has_the_documented_form(upstream, house):
    house, reference = await broken(house, upstream)
    groups = (await ask(house.app.admin_port, "/api/errors")).json()["groups"]
    for path, shape in (
        ("/api/requests", "Summaries"), (f"/api/requests/{reference}", "Stories"),
        ("/api/errors", "Errors"), (f"/api/errors/{groups[0]['fingerprint']}", "ErrorGroup"),
        ("/api/alerts", "Alerts"), ("/api/breakers", "Breakers"), ("/api/routes", "Routes"),
        ("/api/live", "Live"), ("/api/config", "Config"), ("/drain", "Drain"),
    ):  # fmt: skip
        answer = await ask(house.app.admin_port, path)

        assert 200 == answer.status, path
        check(answer.json(), SHAPES[shape], path)


async def test_the_figures_agree(upstream, house):
    house, _ = await broken(house, upstream)
    port = house.app.admin_port
    slots = (await ask(port, "/api/live")).json()["slots"]
    listed = (await ask(port, "/api/requests")).json()["requests"]
    errors = (await ask(port, "/api/errors")).json()

    assert (3, 2) == (sum(s["requests"] for s in slots), sum(s["errors"] for s in slots))
    assert 2 == len([each for each in listed if each["level"] == "error"])
    assert 2 == sum(group["total"] for group in errors["groups"])
    assert 2 == errors["summary"]["last_24h"]["error"]


@pytest.mark.parametrize("order", ["open", "close", "reset"])
async def test_an_order_to_a_circuit_is_obeyed_and_shown(upstream, house, order: str):
    house = await house()
    answer = await ask(house.app.admin_port, f"/api/breakers/all/{order}", "POST")

    assert ("open" if order == "open" else "closed") == answer.json()["state"]


async def test_a_drain_can_be_asked_for(upstream, process):
    process = await process(drain={"readiness_delay": "0s", "limit": "1s"})
    answer = await ask(process.admin_port, "/drain", "POST")

    assert 202 == answer.status
    assert 0 == await process.ended()
    assert 1 == len(process.events("drain_ended"))
    assert ["POST /drain"] == [event["signal"] for event in process.events("drain_began")]


async def test_the_log_tells_the_same_story_when_nobody_is_left_to_ask(
    upstream, process, capsys, tmp_path
):
    process = await process(retry=ONCE)
    upstream.on("/", reset_before_head)
    reference = (await fetch(process.port)).header("X-Request-ID")
    process.tell(signal.SIGINT)
    await process.ended()
    log = tmp_path / "copy.log"
    log.write_bytes(b"".join(json.dumps({"log": e}).encode() + b"\n" for e in [
        json.dumps(event) for event in process.events()]))  # fmt: skip

    typed = ["explain", "--admin", "http://127.0.0.1:1", reference, str(log)]

    assert 0 == await asyncio.to_thread(main, typed)
    assert "upstream_reset" in capsys.readouterr().out
