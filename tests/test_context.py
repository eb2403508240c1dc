"""What an exchange holds, commits and gives back."""

import pytest

from proxy import outcome as o
from proxy.context import MOST_INTERIM
from proxy.http.framing import ResponseHead
from proxy.time_spent import RELAY
from proxy.upstream.result import Failed
from tests.line import ENDPOINT, OK, Line, asked
from tests.records import attempt


async def test_a_commit_writes_and_marks_the_record(line) -> None:
    ctx = line().context()
    ctx.exchange.enter("H")
    ctx.commit(200, b"head")

    x = ctx.exchange
    assert b"head" == ctx.client.transport.written
    assert (200, "S", RELAY) == (x.status, x.phase, x.spent.part)
    assert x.committed == x.spent.since


async def test_an_answer_of_our_own_keeps_the_phase_it_ended_in(line) -> None:
    ctx = line().context()
    ctx.exchange.enter("H")
    ctx.end(o.TOTAL_TIMEOUT)
    ctx.commit(504, b"head")

    assert "uH" == ctx.exchange.term


@pytest.mark.parametrize(
    ("detail", "kept"),
    [
        pytest.param(None, "of the attempt", id="none"),
        pytest.param("of the end", "of the end", id="its own"),
    ],
)
async def test_an_end_without_words_keeps_those_of_the_last_attempt(line, detail, kept) -> None:
    ctx = line().context()
    ctx.exchange.note("of the attempt")
    ctx.end(o.UPSTREAM_RESET, detail)

    assert (o.UPSTREAM_RESET, kept) == (ctx.exchange.outcome, ctx.exchange.detail)


@pytest.mark.parametrize(("committed", "status"), [(False, 499), (True, 200)])
async def test_a_client_that_left_before_a_head_was_sent_499(line, committed, status) -> None:
    ctx = line().context()
    if committed:
        ctx.commit(200, b"")
    ctx.end(o.CLIENT_CLOSED_REQUEST)

    assert status == ctx.exchange.status


async def test_a_permit_is_settled_once(line) -> None:
    line = line()
    ctx, breaker = line.context(), line.route.breaker
    ctx.exchange.attempts.append(attempt(ENDPOINT, 0.0))
    ctx.permit = breaker.admit(0.0)
    ctx.settle("failure", 0.0)
    ctx.settle("failure", 0.0)

    assert ctx.permit is None
    assert (1, 1) == breaker.counts(0.0)


@pytest.mark.parametrize(
    ("unusual", "keeps"),
    [
        pytest.param({}, True, id="as a rule"),
        pytest.param({"closing": True}, False, id="not when it is to close"),
        pytest.param({"has_begun": True}, False, id="not while draining"),
        pytest.param({"keep_alive": False}, False, id="not when the client does not want it"),
    ],
)
async def test_whether_the_connection_goes_on(line, unusual: dict[str, bool], keeps: bool) -> None:
    head = asked()
    head.keep_alive = unusual.get("keep_alive", True)
    ctx = line().opened(head)
    ctx.closing = unusual.get("closing", False)
    ctx.drain.has_begun = unusual.get("has_begun", False)

    assert keeps is ctx.keeps_alive


@pytest.mark.parametrize("whole", [True, False])
async def test_a_connection_goes_back_only_behind_a_whole_answer(line, whole: bool) -> None:
    line = line()
    ctx = await connected(line)
    ctx.let_go(whole=whole)

    assert ctx.connection is None
    assert whole is not line.wires[0].is_aborted


async def connected(line: Line):
    """A context whose connection has carried a whole exchange."""
    line.answers = [OK]
    ctx = line.context()
    acquired = await ctx.upstream.acquire(connect=1, pool_wait=1)
    assert not isinstance(acquired, Failed)
    ctx.connection = acquired
    ctx.connection.request("GET", b"GET / HTTP/1.1\r\n\r\n")
    await ctx.connection.head(30)
    while isinstance(await ctx.connection.read(30), bytes):
        pass
    return ctx


async def test_interim_answers_are_passed_on_up_to_a_number_and_are_no_commit(line) -> None:
    ctx = line().context()
    head = ResponseHead(103, b"Early Hints", [], "1.1", "none", None)
    for _ in range(MOST_INTERIM + 2):
        ctx.pass_on_interim(head)

    assert (103,) * MOST_INTERIM == ctx.exchange.interim
    assert ctx.exchange.committed is None
