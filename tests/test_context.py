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


PAIR = {"endpoints": ["http://127.0.0.1:9", "http://127.0.0.2:9"]}


async def on_one_of_two(line):
    """An exchange whose attempt went to one of two endpoints; that one and the other."""
    ctx = line(upstream=PAIR).context()
    choice = ctx.choice = ctx.upstream.choice(ctx.asked, ctx.exchange)
    one, other = ctx.upstream.endpoints.all
    choice.endpoint = one
    ctx.exchange.attempts.append(attempt(outcome=o.UPSTREAM_RESET))
    ctx.permit = ctx.route.breaker.admit(0.0)
    return ctx, one, other


async def test_a_commit_shows_that_the_endpoint_answers(line) -> None:
    ctx, one, _ = await on_one_of_two(line)
    at = ctx.exchange.spent.since
    ctx.commit(500, b"head")
    assert not one.ejection.works(at)
    ctx.commit(200, b"head")

    assert one.ejection.works(at)


async def test_a_failed_attempt_is_known_of_its_endpoint(line) -> None:
    ctx, one, _ = await on_one_of_two(line)
    ctx.settle("failure", 0.0)

    assert 2 == one.ejection.failed("upstream_reset", had_answer=False)
    assert (1, 1) == ctx.route.breaker.counts(0.0)


async def test_an_error_that_was_passed_on_is_no_answer_that_broke_off(line) -> None:
    """Any answer between them ends the row."""
    ctx, one, _ = await on_one_of_two(line)
    ctx.exchange.upstream_status = 500
    ctx.settle("ratio", 0.0)
    one.ejection.answered(0.0)

    assert 1 == one.ejection.failed("upstream_error", had_answer=False)


async def test_an_attempt_without_a_permit_is_known_of_its_endpoint_too(line) -> None:
    """That of a fallback."""
    ctx, one, _ = await on_one_of_two(line)
    ctx.permit = None
    ctx.settle("failure", 0.0)

    assert 2 == one.ejection.failed("upstream_reset", had_answer=False)


async def test_it_counts_for_no_circuit_while_another_endpoint_works(line) -> None:
    ctx, _, other = await on_one_of_two(line)
    other.ejection.answered(0.0)
    ctx.settle("failure", 0.0)

    assert (0, 0) == ctx.route.breaker.counts(0.0)


async def test_with_one_endpoint_there_is_nothing_to_remember(line) -> None:
    ctx = line().context()

    assert ctx.upstream.choice(ctx.asked, ctx.exchange) is None
