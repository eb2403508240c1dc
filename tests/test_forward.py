"""The way of a request, from its head to its one record, without sockets."""

import pytest

from proxy import outcome as o
from tests.line import BUSY, CUT, OK, PSEUDONYM, SILENCE, until

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
CORS = {"cors": {"origins": ["https://app.example"]}}


async def test_an_answer_goes_to_the_client_and_is_recorded_once(line) -> None:
    line = line()
    line.answers = [OK]
    written, x = await line.ask(LAST)

    assert written.startswith(b"HTTP/1.1 200 OK\r\n")
    assert written.endswith(b"\r\n\r\nok")
    assert (o.COMPLETED, 200, 2) == (x.outcome, x.status, x.bytes_out)
    assert line.observer.begun == line.observer.ended == [x]


@pytest.mark.parametrize(
    ("asked", "outcome"),
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 %b\r\n\r\n" % PSEUDONYM.encode(),
                     o.PROXY_LOOP, id="it has been here"),
        pytest.param(b"GET /elsewhere HTTP/1.1\r\nHost: a\r\n\r\n", o.ROUTE_NOT_FOUND,
                     id="no route takes it"),
        pytest.param(b"PUT /a/ HTTP/1.1\r\nHost: a\r\n\r\n", o.METHOD_NOT_ALLOWED,
                     id="no route takes its method"),
        pytest.param(b"GET /a%2fb HTTP/1.1\r\nHost: a\r\n\r\n", o.ROUTE_NOT_FOUND,
                     id="an encoded slash is no slash"),
        pytest.param(b"POST /a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n",
                     o.BODY_TOO_LARGE, id="the route does not take its size"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", o.BAD_REQUEST, id="what its reader refused"),
    ],
)  # fmt: skip
async def test_what_is_refused_costs_no_attempt(line, asked: bytes, outcome) -> None:
    line = line(
        route={"match": {"path": "/a/", "methods": ["GET", "POST"]}}, max_body="10B"
    )  # fmt: skip
    written, x = await line.ask(asked)

    assert b"HTTP/1.1 %d " % outcome.status in written
    assert outcome is x.outcome
    assert ([], []) == (x.attempts, line.wires)
    assert [x] == line.observer.ended


async def test_a_loop_is_seen_before_a_drain_and_a_drain_before_the_route(line) -> None:
    line = line(route={"match": {"path": "/a"}})
    line.forward.drain.refuses = True
    via = b"Via: 1.1 %b\r\n\r\n" % PSEUDONYM.encode()
    _, loop = await line.ask(GET.replace(b"\r\n\r\n", b"\r\n" + via))
    _, unrouted = await line.ask(GET)

    assert (o.PROXY_LOOP, o.DRAINING) == (loop.outcome, unrouted.outcome)
    assert "" == unrouted.route


async def test_what_an_upstream_may_take_for_another_route_is_refused_with_the_reason(line) -> None:
    secret = {"name": "secret", "match": {"path": "/a/secret"}, "upstream": "chat"}
    line = line(more_routes=[secret])
    _, x = await line.ask(b"GET /a%2fsecret HTTP/1.1\r\nHost: a\r\n\r\n")

    assert o.BAD_REQUEST is x.outcome
    assert "secret" in (x.detail or "")


async def test_a_preflight_is_answered_in_the_upstreams_place(line) -> None:
    line = line(route=CORS)
    written, x = await line.ask(
        b"OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: https://app.example\r\n"
        b"Access-Control-Request-Method: POST\r\n\r\n"
    )

    assert b"Access-Control-Allow-Origin: https://app.example\r\n" in written
    assert (o.COMPLETED, 204, []) == (x.outcome, x.status, line.wires)


async def test_no_attempt_can_be_made_and_the_client_is_told(line) -> None:
    line = line(retry={"attempts": 1})
    line.answers = [BUSY]
    written, x = await line.ask(LAST)

    assert written.endswith(b"busy")
    assert (o.UPSTREAM_ERROR, 503) == (x.outcome, x.status)


async def test_a_connection_goes_on_behind_a_whole_answer(line) -> None:
    line = line()
    line.answers = [OK, OK]
    _, wire = line.client()
    for n in (1, 2):
        wire.feed(GET)
        await line.end(n)

    assert 2 == wire.written.count(b"HTTP/1.1 200 OK")
    assert 1 == len(line.wires)
    assert not wire.is_closed


@pytest.mark.parametrize(
    ("answer", "seen", "outcome", "status"),
    [
        pytest.param(SILENCE, b"", o.CLIENT_CLOSED_REQUEST, 499, id="before the head"),
        pytest.param(CUT, b"half", o.CLIENT_CLOSED_STREAM, 200, id="within the body"),
    ],
)
async def test_a_client_that_leaves_is_recorded_as_such(
    line, answer, seen, outcome, status
) -> None:
    line = line()
    line.answers = [answer]
    _, wire = line.client()
    wire.feed(GET)
    await until(lambda: line.wires and line.wires[0].written and seen in wire.written)
    wire.lose()
    x = await line.end()

    assert (outcome, status) == (x.outcome, x.status)
    assert x.cancelled is not None
    assert line.wires[0].is_aborted
    assert set() == line.forward.drain.running


async def test_a_drain_that_cuts_tells_the_client(line) -> None:
    line = line()
    line.answers = [SILENCE]
    _, wire = line.client()
    wire.feed(GET)
    await until(lambda: line.wires and line.wires[0].written)
    await line.forward.drain.cut()
    x = await line.end()

    assert b"HTTP/1.1 503 " in wire.written
    assert (o.DRAINING, "drain limit", "drained") == (x.outcome, x.detail, x.attempts[0].result)


async def test_a_drain_that_cuts_an_answer_breaks_the_connection(line) -> None:
    line = line()
    line.answers = [CUT]
    _, wire = line.client()
    wire.feed(GET)
    await until(lambda: b"half" in wire.written)
    await line.forward.drain.cut()
    x = await line.end()

    assert wire.is_aborted
    assert (o.DRAIN_CUT, 200) == (x.outcome, x.status)


async def test_a_fault_of_ours_is_an_answer_and_a_place(line) -> None:
    line = line()
    del line.plan.upstreams["chat"]
    written, x = await line.ask(GET)

    assert b"HTTP/1.1 500 " in written
    assert (o.INTERNAL_ERROR, "KeyError") == (x.outcome, x.detail)
    assert x.fault is not None
    assert x.fault.place.startswith("KeyError at ")


async def test_a_fault_while_the_record_begins_is_an_answer_too(line) -> None:
    def broken(_: object) -> dict[str, str]:
        raise ZeroDivisionError

    line = line(fields=broken)
    written, x = await line.ask(GET)

    assert b"HTTP/1.1 500 " in written
    assert (o.INTERNAL_ERROR, "before it was read") == (x.outcome, x.detail)
    assert [x] == line.observer.ended


async def test_the_parts_of_the_time_add_up_to_the_whole(line) -> None:
    line = line(retry={"first_pause": "1ms", "max_pause": "1ms"})
    line.answers = [BUSY, OK]
    _, x = await line.ask(LAST)

    assert sum(x.spent.by_name().values()) == pytest.approx(x.duration)
    assert {"parse", "guards", "route", "upstream", "pause", "relay", "ours"} <= set(
        x.spent.by_name()
    )
