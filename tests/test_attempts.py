"""The loop of attempts: what ends it, and what the client is given then."""

import asyncio

import pytest

from proxy import outcome as o
from proxy.attempts import call
from proxy.client.body import Body
from proxy.client.request import RequestError
from proxy.streams.upstream_response import UpstreamResponse
from proxy.time_spent import PAUSE
from proxy.upload import keep_body, read_whole
from proxy.upstream.result import Failed, NoAnswer
from tests.line import BUSY, CLOSE, CUT, ENDPOINT, OK, until

REFUSED = Failed(o.CONNECT_REFUSED, "no", ENDPOINT)
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = b"9\r\ndata: a\n\n\r\n"
LARGE = b"HTTP/1.1 503 Busy\r\nContent-Length: 99999999\r\n\r\nbusy"
UNMEASURED = b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbusy\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("answers", "results"),
    [
        pytest.param([OK], ["ok"], id="at once"),
        pytest.param([BUSY, OK], ["status_5xx", "ok"], id="after a bad status"),
        pytest.param([CLOSE, OK], ["reset", "ok"], id="after a lost connection"),
        pytest.param([BUSY, CLOSE, OK], ["status_5xx", "reset", "ok"], id="the third time"),
    ],
)
async def test_a_good_answer_ends_the_loop(line, answers, results) -> None:
    line = line()
    line.answers = list(answers)
    ctx = line.context()
    got = await call(ctx)

    assert isinstance(got, UpstreamResponse)
    assert 200 == got.head.status
    assert results == [tried.result for tried in ctx.exchange.attempts]
    assert ctx.exchange.retry_stopped is None
    ctx.let_go(whole=False)


@pytest.mark.parametrize(
    ("answers", "status", "stopped"),
    [
        pytest.param([BUSY] * 3, 503, "attempts_spent", id="the last one"),
        pytest.param([BUSY, CLOSE, CLOSE], 503, "attempts_spent", id="one before that was real"),
        pytest.param([LARGE], 503, "committed", id="one too large to be kept"),
        pytest.param(
            [b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"], 404, None, id="nobody's failure"
        ),
        pytest.param(
            [b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"], 500, "not_retryable",
            id="a failure that is not repeated",
        ),
    ],
)  # fmt: skip
async def test_the_client_is_given_the_last_real_answer(line, answers, status, stopped) -> None:
    line = line()
    line.answers = list(answers)
    ctx = line.context()
    got = await call(ctx)

    assert isinstance(got, UpstreamResponse)
    assert (status, stopped) == (got.head.status, ctx.exchange.retry_stopped)
    ctx.let_go(whole=False)


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        pytest.param([CLOSE] * 3, o.UPSTREAM_RESET, id="lost connections"),
        pytest.param([CLOSE, CLOSE, CUT.replace(b"200 OK", b"503 No")], None, id="a real answer"),
    ],
)
async def test_where_none_answered_it_ends_as_the_last_attempt_did(line, answers, outcome) -> None:
    line = line()
    line.answers = list(answers)
    ctx = line.context()
    got = await call(ctx)

    assert outcome is (got.outcome if isinstance(got, NoAnswer) else None)
    ctx.let_go(whole=False)


async def test_an_answer_that_is_set_aside_is_given_whole(line) -> None:
    line = line(retry={"attempts": 2})
    line.answers = [UNMEASURED, CLOSE]
    ctx = line.context()
    got = await call(ctx)

    assert isinstance(got, UpstreamResponse)
    assert (b"busy", True) == (got.body, got.is_whole)


async def test_half_an_answer_that_is_set_aside_is_none(line) -> None:
    line = line(retry={"attempts": 2})
    line.answers = [(BUSY[:-2], CLOSE), CLOSE]
    got = await call(line.context())

    assert NoAnswer(o.UPSTREAM_RESET) == got


@pytest.mark.parametrize(
    ("method", "outcomes", "stopped"),
    [
        pytest.param("POST", [REFUSED, CLOSE], "not_idempotent", id="it may have arrived"),
        pytest.param("GET", [REFUSED, OK], None, id="nothing was sent, or it does no harm"),
    ],
)
async def test_what_may_have_arrived_is_not_repeated(line, method, outcomes, stopped) -> None:
    line = line()
    line.dials, line.answers = outcomes[:1], outcomes[1:]
    ctx = line.context(method=method)
    await call(ctx)

    assert 2 == len(ctx.exchange.attempts)
    assert stopped == ctx.exchange.retry_stopped
    ctx.let_go(whole=False)


async def test_a_circuit_that_is_open_refuses_the_first_attempt(line) -> None:
    line = line()
    ctx = line.context()
    line.route.breaker.open(ctx.exchange.started)
    got = await call(ctx)

    assert o.CIRCUIT_OPEN is got.outcome
    assert (got.retry_in or 0) > 0
    assert ("B", []) == (ctx.exchange.phase, ctx.exchange.attempts)


async def test_a_circuit_that_opens_meanwhile_gives_the_last_answer_and_the_token_back(
    line,
) -> None:
    line = line(breaker={"consecutive": 1})
    line.answers = [BUSY]
    ctx = line.context()
    before = line.route.budget.tokens(ctx.exchange.started)
    got = await call(ctx)

    assert 503 == got.head.status
    assert "circuit_open" == ctx.exchange.retry_stopped
    assert before <= line.route.budget.tokens(ctx.exchange.started)


async def test_a_silent_stream_that_is_held_fails_over(line) -> None:
    line = line(
        route={"stream": {"hold_first_event": True}}, timeouts={"first_event": "1ms"},
        retry={"on": ["first_event_timeout"]},
    )  # fmt: skip
    line.answers = [SSE, (SSE, EVENT)]
    ctx = line.context()
    got = await call(ctx)

    assert isinstance(got, UpstreamResponse)
    assert got.stream is not None
    assert ["first_event_timeout", "ok"] == [tried.result for tried in ctx.exchange.attempts]
    assert (1, "F") == (ctx.exchange.reads, ctx.exchange.phase)
    ctx.let_go(whole=False)


async def test_a_pause_that_is_broken_off_counts(line) -> None:
    line = line(retry={"first_pause": "30s", "max_pause": "30s"})
    line.answers = [BUSY]
    ctx = line.context()
    calling = asyncio.ensure_future(call(ctx))
    await until(lambda: ctx.exchange.spent.part == PAUSE)
    calling.cancel()
    await asyncio.wait([calling])

    assert ctx.exchange.spent.pause > 0
    assert PAUSE != ctx.exchange.spent.part


@pytest.mark.parametrize(
    ("length", "expects", "kept"),
    [
        pytest.param(b"4", False, b"body", id="a small one"),
        pytest.param(b"4", True, None, id="not one that waits for our word"),
        pytest.param(b"99999999", False, None, id="not a large one"),
    ],
)
async def test_a_body_that_can_be_sent_again_is_kept(line, length, expects, kept) -> None:
    body = Body(int(length))
    lines = [(b"Content-Length", length)]
    if expects:
        lines.append((b"Expect", b"100-continue"))
    ctx = line().context(*lines, method="POST", body=body)
    if kept is not None:
        body.feed(b"body")
    await keep_body(ctx)

    assert kept == ctx.body


async def test_a_body_that_failed_costs_no_attempt(line) -> None:
    body = Body(4)
    body.fail(o.BAD_REQUEST, "broken")
    ctx = line().context((b"Content-Length", b"4"), method="POST", body=body)

    with pytest.raises(RequestError, match="broken"):
        await keep_body(ctx)


async def test_a_kept_upload_that_is_broken_off_counts(line) -> None:
    ctx = line().context((b"Content-Length", b"4"), method="POST", body=Body(4))
    keeping = asyncio.ensure_future(read_whole(ctx, 4))
    await asyncio.sleep(0)
    keeping.cancel()
    await asyncio.wait([keeping])

    assert ctx.exchange.spent.client > 0


PAIR = {"endpoints": ["http://127.0.0.1:9", "http://127.0.0.2:9"], "balance": "round_robin"}


def asks_for_rest(status: int) -> bytes:
    return b"HTTP/1.1 %d Busy\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n" % status


async def test_a_retry_goes_to_another_endpoint_without_a_pause(line) -> None:
    line = line(upstream=PAIR, retry={"first_pause": "1h", "max_pause": "1h"})
    line.answers = [BUSY, OK]
    ctx = line.context()
    got = await call(ctx)
    first, second = ctx.exchange.attempts

    assert isinstance(got, UpstreamResponse)
    assert PAIR["endpoints"] == [first.endpoint, second.endpoint]
    assert ("turn", "elsewhere") == (first.chosen.why, second.chosen.why)
    assert 0.0 == first.pause
    ctx.let_go(whole=False)


@pytest.mark.parametrize(
    ("unusual", "paused"),
    [
        pytest.param({"upstream": PAIR}, False, id="another endpoint"),
        pytest.param({}, True, id="no other endpoint"),
        pytest.param({"upstream": PAIR, "retry": {"elsewhere": "pause"}}, True, id="by the rule"),
    ],
)
async def test_a_pause_is_slept_where_the_rule_says_so_or_there_is_no_other(
    line, unusual, paused
) -> None:
    line = line(**unusual)
    line.answers = [BUSY, OK]
    ctx = line.context()
    await call(ctx)

    assert paused is (ctx.exchange.attempts[0].pause > 0)
    ctx.let_go(whole=False)


@pytest.mark.parametrize(
    ("status", "rests"),
    [
        pytest.param(503, True, id="a busy endpoint"),
        pytest.param(429, False, id="a 429 is about one user"),
    ],
)
async def test_an_endpoint_that_asks_for_rest_is_left_alone(line, status, rests) -> None:
    line = line(upstream=PAIR, retry={"statuses": [429, 503]})
    line.answers = [asks_for_rest(status), OK]
    ctx = line.context()
    await call(ctx)
    used = ctx.upstream.endpoints.usable

    assert rests is (len(used) == 1)
    assert "ok" == ctx.exchange.attempts[-1].result
    ctx.let_go(whole=False)
