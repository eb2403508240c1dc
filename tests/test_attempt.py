"""One attempt: what it waits for, and what the record says of it."""

import asyncio

import pytest

from proxy import outcome as o
from proxy.attempt import attempt
from proxy.client.body import Body
from proxy.clock import now
from proxy.http.framing import ResponseHead
from proxy.resilience.deadline import Deadline
from proxy.time_spent import CLIENT, CONNECT, OURS, PARTS, QUEUE, UPSTREAM
from proxy.upstream.result import Failed
from tests.line import BUSY, CLOSE, ENDPOINT, OK, SILENCE, Line, until

LENGTH = (b"Content-Length", b"4")


def ready(line: Line, *lines: tuple[bytes, bytes], total: float = 60.0, **more):
    """A context whose attempts may begin."""
    ctx = line.context(*lines, **more)
    ctx.deadline = Deadline.after(total, ctx.exchange.started)
    return ctx


@pytest.mark.parametrize(
    ("answer", "status", "result"),
    [pytest.param(OK, 200, "ok", id="a good one"), pytest.param(BUSY, 503, "status_5xx", id="bad")],
)
async def test_an_attempt_ends_at_the_head(line, answer: bytes, status: int, result: str) -> None:
    line = line()
    line.answers = [answer]
    ctx = ready(line)
    head = await attempt(ctx, now())

    assert isinstance(head, ResponseHead)
    (tried,) = ctx.exchange.attempts
    assert (status, result, None) == (tried.status, tried.result, tried.outcome)
    assert (ENDPOINT, False, True) == (tried.endpoint, tried.reused, tried.sent)
    assert ctx.connection is not None
    assert (OURS, "H") == (ctx.exchange.spent.part, ctx.exchange.phase)
    ctx.let_go(whole=False)


@pytest.mark.parametrize(
    ("unusual", "outcome", "sent"),
    [
        pytest.param({"dials": [Failed(o.CONNECT_REFUSED, "no", ENDPOINT)]}, o.CONNECT_REFUSED,
                     False, id="no connection"),
        pytest.param({"answers": [CLOSE]}, o.UPSTREAM_RESET, True, id="closed before the head"),
        pytest.param({"answers": [b"what?\r\n\r\n"]}, o.UPSTREAM_PROTOCOL_ERROR, True,
                     id="no HTTP"),
    ],
)  # fmt: skip
async def test_a_failed_attempt_says_why_and_holds_nothing(line, unusual, outcome, sent) -> None:
    line = line()
    line.answers, line.dials = list(unusual.get("answers", ())), list(unusual.get("dials", ()))
    ctx = ready(line)
    failed = await attempt(ctx, now())

    assert isinstance(failed, Failed)
    (tried,) = ctx.exchange.attempts
    assert (outcome, outcome.result, sent) == (tried.outcome, tried.result, tried.sent)
    assert failed.detail == tried.detail == ctx.exchange.detail
    assert ctx.connection is None
    await until(lambda: 0 == line.upstreams["chat"].view().in_use)


async def test_where_we_are_full_no_attempt_was_made(line) -> None:
    line = line(upstream={"pool": {"size": 1, "max_waiting": 0}})
    held = await line.upstreams["chat"].acquire(connect=1, pool_wait=1)
    ctx = ready(line)
    failed = await attempt(ctx, now())

    assert o.POOL_TIMEOUT is failed.outcome
    assert [] == ctx.exchange.attempts
    held.abort()


@pytest.mark.parametrize(
    ("total", "outcome"),
    [
        pytest.param(60.0, o.HEAD_TIMEOUT, id="the head's"),
        pytest.param(0.0, o.TOTAL_TIMEOUT, id="the total, where less of it was left"),
    ],
)
async def test_which_clock_it_was_that_ran_out(line, total: float, outcome) -> None:
    line = line(timeouts={"head": "1ms"})
    line.answers = [SILENCE]
    failed = await attempt(ready(line, total=total), now())

    assert outcome is failed.outcome


async def test_a_stale_connection_closes_those_that_idled_longer(line) -> None:
    line = line()
    chat = line.upstreams["chat"]
    held = [await chat.acquire(connect=1, pool_wait=1) for _ in range(2)]
    line.answers = [OK, OK, CLOSE]
    for connection in held:
        connection.request("GET", b"GET / HTTP/1.1\r\n\r\n")
        await connection.head(30)
        await connection.read(30)
        connection.release()
    assert 2 == chat.view().idle
    failed = await attempt(ready(line), now())

    assert o.STALE_CONNECTION is failed.outcome
    assert 0 == chat.view().idle


async def test_a_streamed_body_is_waited_for_on_the_clients_account(line) -> None:
    line = line()
    body = Body(4)
    ctx = ready(line, LENGTH, method="POST", body=body)
    ctx.body = None
    waiting = asyncio.ensure_future(attempt(ctx, now()))
    await until(lambda: line.wires and line.wires[0].written)
    assert (CLIENT, "W") == (ctx.exchange.spent.part, ctx.exchange.phase)
    body.feed(b"mass")
    ctx.client.waiter.wake()
    await until(lambda: line.wires[0].written.endswith(b"mass"))
    await until(lambda: ctx.exchange.spent.part == UPSTREAM)
    line.wires[0].feed(OK)

    assert isinstance(await waiting, ResponseHead)
    assert ("H", 4) == (ctx.exchange.phase, ctx.exchange.bytes_in)
    ctx.let_go(whole=False)


async def test_an_answer_before_the_end_of_the_upload_was_the_upstreams_to_give(line) -> None:
    line = line()
    line.answers = [OK]
    ctx = ready(line, LENGTH, method="POST", body=Body(4))
    ctx.body = None
    await attempt(ctx, now())

    assert 0.0 == ctx.exchange.spent.client
    assert ctx.exchange.spent.upstream_wait > 0
    ctx.let_go(whole=False)


async def test_a_fault_of_ours_while_sending_ends_the_attempt(line) -> None:
    """Nobody awaits the sender: the answer would be awaited for ever."""
    line = line()
    body = Body(4)
    ctx = ready(line, LENGTH, method="POST", body=body)
    ctx.body = None
    waiting = asyncio.ensure_future(attempt(ctx, now()))
    await until(lambda: line.wires and line.wires[0].written)

    def fail(_: bytes) -> None:
        raise ZeroDivisionError

    line.wires[0].write = fail
    body.feed(b"mass")
    ctx.client.waiter.wake()

    with pytest.raises(ZeroDivisionError):
        await waiting
    ctx.let_go(whole=False)


async def test_a_body_that_breaks_is_the_clients_fault(line) -> None:
    line = line()
    body = Body(4)
    ctx = ready(line, LENGTH, method="POST", body=body)
    ctx.body = None
    body.fail(o.BAD_REQUEST, "broken")
    failed = await attempt(ctx, now())

    assert (o.BAD_REQUEST, "broken") == (failed.outcome, failed.detail)
    assert "client_gone" == ctx.exchange.attempts[0].result


@pytest.mark.parametrize(
    ("scene", "part"),
    [
        pytest.param("queue", QUEUE, id="the wait for a slot"),
        pytest.param("connect", CONNECT, id="connecting"),
        pytest.param("head", UPSTREAM, id="the wait for a head"),
    ],
)
async def test_a_wait_that_is_broken_off_counts(line, monkeypatch, scene: str, part: int) -> None:
    line = line(upstream={"pool": {"size": 1}})
    if scene == "queue":
        held = await line.upstreams["chat"].acquire(connect=1, pool_wait=1)
    elif scene == "connect":
        line.dial = lambda *_: asyncio.sleep(30)
    ctx = ready(line)
    waiting = asyncio.ensure_future(attempt(ctx, now()))
    await until(lambda: ctx.exchange.spent.part == part)
    since = ctx.exchange.spent.since
    waiting.cancel()
    await asyncio.wait([waiting])
    spent = ctx.exchange.spent

    assert part != spent.part
    assert 0 < spent.by_name()[PARTS[part]] == pytest.approx(spent.since - since, abs=1e-3)
    ctx.let_go(whole=False)
    if scene == "queue":
        held.abort()
