"""Alerts are sent in the background, tried again, counted, and never waited for."""

import asyncio
import json
from collections import Counter

import pytest
from aiohttp import web

from proxy.diagnostics.alerts.message import SIGNATURE, TIMESTAMP, signature
from proxy.diagnostics.alerts.notify import QUEUE, TRIES, Message, Notifier
from proxy.diagnostics.alerts.rules import Webhook

RAISED = Message("raised", {"rule": "errors", "severity": "error", "summary": "", "runbook": ""})


class Receiver:
    """Answers with `statuses` in turn, then 200."""

    def __init__(self):
        self.statuses = []
        self.taken = []
        self.came = asyncio.Event()
        self.url = ""

    async def take(self, request):
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.taken.append((dict(request.headers), await request.read()))
            self.came.set()
        return web.Response(status=status, headers={"Location": "/elsewhere"})


@pytest.fixture
async def receiver(aiohttp_raw_server):
    receiver = Receiver()
    server = await aiohttp_raw_server(receiver.take)
    receiver.url = str(server.make_url("/T0/secret-path"))
    return receiver


@pytest.fixture
async def results():
    return Counter()


@pytest.fixture
async def notifier(receiver, results):
    pauses = []

    async def sleep(seconds):
        pauses.append(seconds)

    hook = Webhook(url=receiver.url, secret="hush")
    notifier = Notifier([hook], "chat", results, sleep)
    notifier.pauses = pauses  # type: ignore[attr-defined]
    yield notifier
    await notifier.stop()


async def until(is_so):
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110  # of another task, which tells nobody
            await asyncio.sleep(0.005)


async def test_a_message_arrives_signed(notifier, receiver, results) -> None:
    notifier.start()
    notifier.put(RAISED)
    await until(lambda: results)
    headers, body = receiver.taken[0]

    assert json.loads(body)["event"] == "raised"
    assert headers[SIGNATURE] == signature(body, "hush", headers[TIMESTAMP])
    assert results == {("errors", "sent"): 1}


async def test_it_is_tried_again_with_growing_pauses(notifier, receiver, results) -> None:
    receiver.statuses = [500, 302, 429]
    notifier.start()
    notifier.put(RAISED)
    await until(lambda: results)

    assert results == {("errors", "sent"): 1}
    assert len(receiver.taken) == 1
    assert len(notifier.pauses) == 3
    assert notifier.pauses == sorted(notifier.pauses)


async def test_in_the_end_it_is_given_up(notifier, receiver, results) -> None:
    receiver.statuses = [500] * TRIES
    notifier.start()
    notifier.put(RAISED)
    await until(lambda: results)

    assert results == {("errors", "failed"): 1}
    assert len(notifier.pauses) == TRIES - 1


@pytest.mark.parametrize(("statuses", "heard"), [([500, 200], ["raised"]), ([500] * TRIES, [])])
async def test_who_wants_to_know_is_told_of_what_was_taken(
    notifier, receiver, results, statuses, heard
) -> None:
    receiver.statuses, known = list(statuses), []
    notifier.delivered = lambda event, alert: known.append(event)
    notifier.start()
    notifier.put(RAISED)
    await until(lambda: results)

    assert heard == known


async def test_a_full_queue_drops_and_counts(notifier, results) -> None:
    for _ in range(QUEUE + 2):
        notifier.put(RAISED)

    assert results == {("errors", "dropped"): 2}


async def test_a_test_says_how_each_receiver_took_it(receiver, results) -> None:
    hooks = [Webhook(url=receiver.url), Webhook(url="http://127.0.0.1:1/secret-path")]
    notifier = Notifier(hooks, "chat", results)
    said = await notifier.test(Message("test", RAISED.alert))
    await notifier.stop()

    assert said == [
        {"receiver": "127.0.0.1", "result": "sent", "detail": ""},
        {"receiver": "127.0.0.1", "result": "failed", "detail": "ClientConnectorError"},
    ]
    assert json.loads(receiver.taken[0][1])["event"] == "test"


async def test_a_receiver_that_is_down_does_not_hold_up_the_other(receiver, results) -> None:
    async def sleep(_):
        await asyncio.Event().wait()

    hooks = [Webhook(url="http://127.0.0.1:1"), Webhook(url=receiver.url)]
    notifier = Notifier(hooks, "chat", results, sleep)
    notifier.start()
    notifier.put(RAISED)
    notifier.put(RAISED)
    await until(lambda: len(receiver.taken) == 2)
    await notifier.stop()


async def test_without_receivers_nothing_is_done(results) -> None:
    notifier = Notifier([], "chat", results)
    notifier.start()
    notifier.put(RAISED)
    await notifier.stop()

    assert not notifier.has_receivers
    assert results == {}


async def test_a_receiver_that_stays_keeps_what_waits_for_it(receiver, results) -> None:
    gone, kept = Webhook(url="http://127.0.0.1:1"), Webhook(url=receiver.url, secret="hush")
    notifier = Notifier([gone, kept], "chat", results)
    notifier.put(RAISED)
    notifier.take([Webhook(url=receiver.url, secret="hush")])

    assert results == {("errors", "dropped"): 1}
    notifier.start()
    await until(lambda: results["errors", "sent"])
    await notifier.stop()


async def test_another_receiver_is_sent_to_at_once(notifier, receiver, results) -> None:
    notifier.take([])
    notifier.start()
    assert not notifier.has_receivers
    notifier.take([Webhook(url=receiver.url)])
    notifier.put(RAISED)
    await until(lambda: results)

    assert SIGNATURE not in receiver.taken[0][0]
    notifier.take([])
    notifier.put(RAISED)
    assert results == {("errors", "sent"): 1}
