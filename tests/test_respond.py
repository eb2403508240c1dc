"""The upstream's answer and our own: one commit, and what follows it."""

import pytest

from proxy import outcome as o
from proxy.clock import now
from proxy.http.peer import Peer
from proxy.own_response import refuse
from tests.line import CLOSE, CUT, OK, until

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
OLD = b"GET / HTTP/1.0\r\nHost: a\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
TO_THE_END = (b"HTTP/1.1 200 OK\r\n\r\n", b"ok", CLOSE)
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = b"9\r\ndata: a\n\n\r\n"
TRACE = b"Traceback (most recent call last):\n  File '/app/x.py', line 1, in f\nValueError: no\n"
FAULT = b"HTTP/1.1 500 No\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(TRACE)


@pytest.mark.parametrize(
    ("asked", "answer", "framing", "body"),
    [
        pytest.param(GET, OK, b"Content-Length: 2\r\n", b"ok", id="announced"),
        pytest.param(
            GET, CHUNKED, b"Transfer-Encoding: chunked\r\n", b"2\r\nok\r\n0\r\n\r\n", id="chunks"
        ),
        pytest.param(OLD, CHUNKED, b"Connection: close\r\n", b"ok", id="chunks for HTTP/1.0"),
        pytest.param(
            GET, TO_THE_END, b"Transfer-Encoding: chunked\r\n", b"2\r\nok\r\n0\r\n\r\n",
            id="up to the end of the connection",
        ),
        pytest.param(HEAD, OK[:-2], b"Content-Length: 2\r\n", b"", id="none to HEAD"),
    ],
)  # fmt: skip
async def test_how_an_answer_is_framed(line, asked, answer, framing, body) -> None:
    line = line()
    line.answers = [answer]
    written, x = await line.ask(asked + b"\r\n")
    head, _, rest = written.partition(b"\r\n\r\n")

    assert framing in head + b"\r\n"
    assert body == rest
    assert (o.COMPLETED, 200, 200) == (x.outcome, x.status, x.upstream_status)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        pytest.param((CUT, CLOSE), o.STREAM_TRUNCATED, id="cut"),
        pytest.param((SSE, EVENT, CLOSE), o.STREAM_TRUNCATED, id="a stream that is cut"),
        pytest.param((SSE, EVENT, b"what?\r\n"), o.STREAM_MALFORMED, id="a stream that is broken"),
    ],
)
async def test_what_breaks_behind_the_commit_changes_no_status(line, answer, outcome) -> None:
    """Half an answer never looks whole: the connection is broken, or the stream says so."""
    line = line()
    line.answers = [answer]
    _, wire = line.client()
    wire.feed(GET + b"\r\n")
    x = await line.end()

    assert (outcome, 200, "S") == (x.outcome, x.status, x.phase)
    assert 1 == wire.written.count(b"HTTP/1.1 ")
    assert wire.is_aborted is not x.inband_error
    assert x.inband_error is (b"event: error" in wire.written)
    await until(lambda: wire.is_closed)


@pytest.mark.parametrize(
    ("asked", "answer", "last"),
    [
        pytest.param(OLD, OK, True, id="whole"),
        pytest.param(b"GET / HTTP/1.1\r\n", OK, True, id="our own"),
        pytest.param(GET, OK, False, id="another may follow"),
        pytest.param(OLD, OK[:-1], False, id="the rest of the body is to come"),
    ],
)
async def test_the_last_answer_of_a_connection_is_written_as_such(
    line, asked, answer, last
) -> None:
    line = line()
    line.answers = [answer]
    client, wire = line.client()
    client.source.peer = Peer("192.0.2.1", scheme=b"https")
    wire.feed(asked + b"\r\n")
    await until(lambda: wire.written)
    wire.lose()

    assert wire.written_last == (wire.written if last else b"")


async def test_a_probe_has_succeeded_with_the_first_event(line) -> None:
    """A long answer must not hold the circuit half-open until it ends."""
    line = line()
    line.route.breaker.open(now() - 1000.0)
    line.answers = [(SSE, EVENT)]
    _, wire = line.client()
    wire.feed(GET + b"\r\n")
    await until(lambda: b"data: a" in wire.written)

    assert "closed" == line.route.breaker.state(now())
    wire.lose()
    await line.end()


async def test_a_stack_trace_is_replaced_by_words_of_ours_with_its_status(line) -> None:
    line = line(retry={"attempts": 1})
    line.answers = [FAULT + TRACE]
    written, x = await line.ask(GET + b"\r\n")

    assert written.startswith(b"HTTP/1.1 500 ")
    assert b"Traceback" not in written
    assert (o.UPSTREAM_ERROR, 500, True) == (x.outcome, x.status, x.masked)


@pytest.mark.parametrize(
    ("outcome", "closes"),
    [
        pytest.param(o.BAD_REQUEST, True, id="what the client did wrong"),
        pytest.param(o.DRAINING, True, id="what would be refused for ever"),
        pytest.param(o.ROUTE_NOT_FOUND, False, id="anything else"),
    ],
)
async def test_an_answer_of_our_own_says_whether_the_connection_goes_on(
    line, outcome, closes: bool
) -> None:
    ctx = line().context()
    keeps = refuse(ctx, outcome, "because", retry_in=3.0)
    written = ctx.client.transport.written

    assert written.startswith(b"HTTP/1.1 %d " % outcome.status)
    assert closes is (b"Connection: close\r\n" in written)
    assert closes is not keeps
    assert (outcome, "because", 3.0) == (
        ctx.exchange.outcome, ctx.exchange.detail, ctx.exchange.retry_in,
    )  # fmt: skip
