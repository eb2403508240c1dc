"""The upstream breaks, in every way it can: what the client got, what the upstream saw,
what the event said.
"""

import asyncio
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from proxy.clock import now
from proxy.timing.loop_lag import stalled
from tests.house.admin import stories
from tests.house.fault_upstream import (
    Script,
    close_before_head,
    never,
    raw,
    reset_before_head,
    slow_head,
    sse,
    status,
)
from tests.house.raw_client import eventually, request

OK = "HTTP/1.1 200 OK\r\n"
CHUNKED = f"{OK}Transfer-Encoding: chunked\r\n\r\n"
GOOD = status(200, body=b"good")
FULL = f"{OK}Content-Length: 2\r\n\r\nok"


@dataclass(frozen=True)
class Fault:
    """A fault and what must follow; `attempts` is also what the upstream must have seen."""

    scripts: tuple[Script, ...]
    status: int
    code: str
    term: str
    attempts: int = 1
    results: tuple[str, ...] = ()
    stopped: str | None = None
    method: str = "GET"
    settings: dict[str, Any] = field(default_factory=dict)


def fault(name: str, *scripts: Script, **rest: Any):
    return pytest.param(Fault(scripts, **rest), id=name)


LOST = {"status": 502, "code": "upstream_reset", "term": "UH"}
INVALID = {
    "status": 502,
    "code": "upstream_protocol_error",
    "term": "UH",
    "results": ("protocol_error",),
    "stopped": "not_retryable",
}
HUGE = INVALID | {"code": "upstream_headers_too_large"}
LATE = {
    "status": 504,
    "code": "head_timeout",
    "term": "uH",
    "settings": {"timeouts": {"head": "100ms"}},
}

BEFORE_THE_HEAD = [
    fault("a reset GET is tried three times", reset_before_head,
          attempts=3, results=("reset",) * 3, stopped="attempts_spent", **LOST),
    fault("a reset POST may have arrived", reset_before_head, method="POST",
          results=("reset",), stopped="not_idempotent", **LOST),
    fault("a close without a word is a reset", close_before_head, method="POST",
          results=("reset",), stopped="not_idempotent", **LOST),
    fault("half a head is a reset", raw(f"{OK}Content-Le", then="close"), method="POST",
          results=("reset",), stopped="not_idempotent", **LOST),
    fault("a lost GET recovers", reset_before_head, GOOD,
          status=200, code="completed", term="--", attempts=2, results=("reset", "ok")),
    fault("a PUT is idempotent", reset_before_head, GOOD, method="PUT",
          status=200, code="completed", term="--", attempts=2, results=("reset", "ok")),
    fault("no head in time", never,
          results=("head_timeout",), stopped="not_retryable", **LATE),
    fault("no head in time, where the route retries that", never,
          attempts=3, results=("head_timeout",) * 3, stopped="attempts_spent",
          **LATE | {"settings": {"timeouts": {"head": "50ms"},
                                 "retry": {"on": ["head_timeout"]}}}),
    fault("no head before the total is over", never, status=504, code="total_timeout", term="uH",
          settings={"timeouts": {"head": "10s", "total": "100ms"}}),
    fault("garbage", raw("garbage\r\n\r\n"), **INVALID),
    fault("a head in garbage", raw("\x00\xff\x00\xff\r\n\r\n"), **INVALID),
    fault("another protocol", raw("SSH-2.0-OpenSSH_9.9\r\n"), **INVALID),
    fault("CL and TE", raw(f"{OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
          **INVALID),
    fault("two lengths", raw(f"{OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc"), **INVALID),
    fault("a length that is none", raw(f"{OK}Content-Length: 0x2\r\n\r\nab"), **INVALID),
    fault("a negative length", raw(f"{OK}Content-Length: -2\r\n\r\nab"), **INVALID),
    fault("a coding we do not know", raw(f"{OK}Transfer-Encoding: gzip\r\n\r\nab"), **INVALID),
    fault("chunked is not last", raw(f"{OK}Transfer-Encoding: chunked, gzip\r\n\r\n"), **INVALID),
    fault("status 099", raw("HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n"), **INVALID),
    fault("the same length twice", raw(f"{OK}Content-Length: 2\r\nContent-Length: 2\r\n\r\nok"),
          **INVALID),
    fault("lines by LF alone", raw("HTTP/1.1 200 OK\nContent-Length: 0\n\n"), **INVALID),
    fault("chunked twice", raw(OK + "Transfer-Encoding: chunked\r\n" * 2 + "\r\n0\r\n\r\n"),
          **INVALID),
    fault("a 101 nobody asked for", raw("HTTP/1.1 101 Switch\r\nUpgrade: x\r\n\r\n"), **INVALID),
    fault("NUL in a header", raw(f"{OK}X: a\0b\r\nContent-Length: 0\r\n\r\n"), **INVALID),
    fault("too many header bytes", raw(f"{OK}X: {'a' * 70_000}\r\nContent-Length: 0\r\n\r\n"),
          **HUGE),
    fault("too many headers", raw(OK + "X: a\r\n" * 200 + "Content-Length: 0\r\n\r\n"), **HUGE),
    fault("endless 1xx", raw(*["HTTP/1.1 103 Early\r\nX: " + "a" * 40_000 + "\r\n\r\n"] * 2),
          **HUGE),
]  # fmt: skip


@pytest.mark.parametrize("fault", BEFORE_THE_HEAD)
async def test_upstream_breaks_before_the_head(upstream, house, fault):
    house = await house(**fault.settings)
    upstream.on("/x", *fault.scripts)
    answer = await house.fetch("/x", method=fault.method)
    event = await house.event_of(answer)

    assert (fault.status, "clean") == (answer.status, answer.end)
    assert fault.attempts == len(upstream.seen) == event["attempts"]
    assert (fault.code, fault.term) == (event["code"], event["term"])
    assert not fault.results or fault.results == event["attempt_results"]
    assert fault.stopped in (None, event.get("retry_stopped"))
    if fault.status >= 500:
        said = answer.json()
        assert fault.code == said["error"] == answer.header("X-Sidelight-Error")
        assert answer.header("X-Request-ID") == said["request_id"]
        assert answer.header("Cache-Control") == "no-store"
        assert "127.0.0.1" not in answer.body.decode()


TOLERABLE = [
    pytest.param(raw(f"{OK}Content-Length : 2\r\n\r\nok"), 200, id="a blank before the colon"),
    pytest.param(raw(f"{OK}Content-Length", " ", ": 2\r\n\r\nok"), 200, id="in three segments"),
    pytest.param(raw(f"{CHUNKED}2  \r\nok\r\n0 \r\n\r\n"), 200, id="chunk sizes with blanks"),
    pytest.param(raw(f"{CHUNKED}2 ", " \r\nok\r\n0", " \r\n\r\n"), 200, id="in segments"),
    pytest.param(raw(f"{CHUNKED}2\r\nok\r\n0\r\nContent-Length: 2\r\n\r\n"), 200,
                 id="a length behind the chunks"),
    pytest.param(raw("HTTP/1.1 600 X\r\nContent-Length: 2\r\n\r\nok"), 600, id="status 600"),
    pytest.param(raw("HTTP/1.1 999 X\r\nContent-Length: 2\r\n\r\nok"), 999, id="status 999"),
]  # fmt: skip


@pytest.mark.parametrize(("script", "code"), TOLERABLE)
async def test_what_other_proxies_bear_is_borne(upstream, house, script, code):
    house = await house()
    upstream.on("/x", script)
    answer = await house.fetch("/x")
    event = await house.event_of(answer)

    assert (code, b"ok", "clean") == (answer.status, answer.body, answer.end)
    assert ("completed" if code < 400 else "upstream_error") == event["code"]
    assert 1 == event["attempts"]
    assert answer.header("Content-Length ") is None


DURING_THE_BODY = [
    pytest.param(raw(f"{OK}Content-Length: 9\r\n\r\nhalf", then="close"), "stream_truncated", "US",
                 id="fewer bytes than announced"),
    pytest.param(raw(f"{OK}Content-Length: 9\r\n\r\nhalf", then="reset"), "stream_reset", "US",
                 id="a reset after half the bytes"),
    pytest.param(raw(f"{CHUNKED}4\r\nhalf\r\n", then="close"), "stream_truncated", "US",
                 id="no last chunk"),
    pytest.param(raw(f"{CHUNKED}9\r\nhalf", then="close"), "stream_truncated", "US",
                 id="cut within a chunk"),
    pytest.param(raw(f"{CHUNKED}4\r\nhalf\r\n", then="reset"), "stream_reset", "US",
                 id="a reset between chunks"),
    pytest.param(raw(f"{CHUNKED}4\r\nhalf\r\n", "zz\r\nwrong"), "stream_malformed", "US",
                 id="a malformed chunk in a later segment"),
    pytest.param(raw(f"{CHUNKED}4\r\nhalf\r\n", "2\r\nabcd\r\n"), "stream_malformed", "US",
                 id="a chunk longer than it said"),
    pytest.param(raw(f"{CHUNKED}4\r\nhalf\r\n", "f" * 17 + "\r\n"), "stream_malformed", "US",
                 id="a chunk size beyond 64 bits"),
    pytest.param(raw(f"{OK}\r\nhalf", then="reset"), "stream_reset", "US",
                 id="a reset of a body until close"),
    pytest.param(raw(f"{OK}Content-Length: 9\r\n\r\nhalf"), "stream_stalled", "uS",
                 id="silence after half the bytes"),
    pytest.param(raw(f"{CHUNKED}4\r\nhalf\r\n"), "stream_stalled", "uS",
                 id="silence between chunks"),
]  # fmt: skip


@pytest.mark.parametrize(("script", "code", "term"), DURING_THE_BODY)
async def test_half_an_answer_never_looks_like_a_whole_one(upstream, house, script, code, term):
    house = await house(timeouts={"gap": "100ms"})
    upstream.on("/x", script)
    answer = await house.fetch("/x")
    event = await house.event_of(answer)

    assert 200 == answer.status == event["status"]
    assert answer.end in ("cut", "reset")
    assert answer.framing in ("length", "chunked")
    assert (code, term, 1) == (event["code"], event["term"], event["attempts"])
    assert 1 == len(upstream.seen)
    assert "ERROR" == event["level"]


@pytest.mark.parametrize("end", ["cut", "malformed"])
async def test_a_broken_event_stream_does_not_end_as_a_whole_one(upstream, house, end):
    house = await house()
    events = sse("data: one\n\n", 0.01, end=False)
    broken = raw(f"{OK}Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
                 "b\r\ndata: one\n\n\r\n", "zz\r\n")  # fmt: skip
    upstream.on("/x", events if end == "cut" else broken)
    answer = await house.fetch("/x")

    assert answer.body.startswith(b"data: one\n\n")
    assert answer.end in ("cut", "reset") or b"event: error" in answer.body


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_refused_connections_are_retried_whatever_the_method(upstream, house, method):
    house = await house()
    await upstream.refuse()
    answer = await house.fetch(method=method, body=b"x" if method == "POST" else b"")
    event = await house.event_of(answer)

    assert (502, "connect_refused") == (answer.status, answer.header("X-Sidelight-Error"))
    assert ("connect_refused",) * 3 == event["attempt_results"]
    assert ("attempts_spent", "UC") == (event["retry_stopped"], event["term"])


async def test_upstream_comes_back_between_attempts(upstream, house):
    house = await house(retry={"first_pause": "200ms", "max_pause": "200ms"})
    await upstream.refuse()
    asking = asyncio.create_task(house.fetch(method="POST", body=b"x"))
    await asyncio.sleep(0.05)
    await upstream.open()
    answer = await asking
    event = await house.event_of(answer)

    assert (200, 1) == (answer.status, len(upstream.seen))
    first, *more, last = event["attempt_results"]
    assert ("connect_refused", "ok") == (first, last)
    assert {"connect_refused"} >= {*more}, "the machine may stand still meanwhile"


async def test_blackhole_is_left_in_time(upstream, house):
    upstream.blackhole()
    house = await house(timeouts={"head": "100ms"})
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert (504, "head_timeout") == (answer.status, event["code"])
    assert 90 <= event["duration_ms"] < 1000


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_a_stale_connection_lost_is_sent_again_whatever_the_method(
    upstream, house, method
):
    """It is proven that the upstream read no byte of it."""
    house = await house()
    await house.fetch()
    house.lose_kept_connections()
    answer = await house.fetch(method=method, body=b"once" if method == "POST" else b"")
    event = await house.event_of(answer)

    assert (200, 2) == (answer.status, len(upstream.seen))
    assert ("stale_connection", "ok") == event["attempt_results"]
    assert "closed" == await house.breaker()


async def test_a_body_that_was_not_kept_is_not_sent_again_over_a_stale_connection(upstream, house):
    house = await house(retry={"replay_body": "1B"})
    await house.fetch()
    house.lose_kept_connections()
    answer = await house.fetch(method="PUT", body=b"once" * 25_000)
    event = await house.event_of(answer)

    assert (502, 1) == (answer.status, len(upstream.seen))
    assert ("stale_connection", "body_not_replayable") == (event["code"], event["retry_stopped"])


async def test_a_kept_connection_that_died_at_work_is_a_reset_and_counted(upstream, house):
    house = await house(breaker={"consecutive": 1})
    upstream.on("/", status(200), close_before_head, status(200))
    await house.fetch()
    answer = await house.fetch(method="POST", body=b"once")
    event = await house.event_of(answer)

    assert (502, 2) == (answer.status, len(upstream.seen))
    assert ("upstream_reset", "not_idempotent") == (event["code"], event["retry_stopped"])
    assert "open" == await house.breaker()


async def test_what_a_new_connection_closed_at_once_lost_is_sent_again(upstream, house):
    """It was accepted and closed before the request came: an upstream that has no room."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        loop = asyncio.get_running_loop()
        loop.add_reader(listener, lambda: listener.accept()[0].close())
        full = f"http://127.0.0.1:{listener.getsockname()[1]}"
        house = await house(upstream={"endpoints": [full, upstream.url]})
        answer = await house.fetch(method="POST", body=b"once")
        loop.remove_reader(listener)
    event = await house.event_of(answer)

    assert (200, 1) == (answer.status, len(upstream.seen))
    assert ("reset", "ok") == event["attempt_results"]


async def test_unfinished_uploads_are_the_clients_account(upstream, house):
    """The upstream waited for bodies that never came: that opens the circuit for nobody."""

    async def gives_up(turn):
        await asyncio.sleep(0.3)
        turn.close()

    async def half_an_upload():
        async with house.client() as client:
            await client.send("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nhalf")
            return await client.answer("POST")

    house = await house(breaker={"consecutive": 2})
    upstream.on("/up", gives_up)
    answers = await asyncio.gather(*(half_an_upload() for _ in range(5)))
    event = await house.event_of(answers[0])

    assert [408] * 5 == [answer.status for answer in answers]
    assert ("request_timeout", "cR", ("client_gone",)) == (
        event["code"], event["term"], event["attempt_results"],
    )  # fmt: skip
    assert "the upstream did not wait for the rest of the body" == event["detail"]
    assert "closed" == await house.breaker()
    assert 200 == (await house.fetch()).status


@pytest.mark.parametrize("code", [500, 502, 599])
async def test_behind_a_5xx_the_connection_is_not_kept(upstream, house, code):
    """Some servers close right behind it, and the next request would meet that."""
    house = await house(retry={"attempts": 1})
    upstream.on("/x", status(code))
    await house.fetch("/x")
    await upstream.connections[0].gone.wait()
    answer = await house.fetch(method="POST", body=b"once")

    assert 200 == answer.status
    assert [0, 1] == [seen.connection for seen in upstream.seen]


async def test_behind_a_4xx_the_connection_is_kept(upstream, house):
    house = await house()
    upstream.on("/x", status(404))
    await house.fetch("/x")
    await house.fetch()

    assert [0, 0] == [seen.connection for seen in upstream.seen]


async def test_idle_connection_closed_by_the_upstream_is_not_used(upstream, house):
    house = await house()
    await house.fetch()
    upstream.connections[0].close()
    await upstream.connections[0].gone.wait()
    answer = await house.fetch(method="POST", body=b"once")

    assert 200 == answer.status
    assert 1 == (await house.event_of(answer))["attempts"]


@pytest.mark.parametrize(
    "pushed",
    [
        pytest.param("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong", id="a whole answer"),
        pytest.param("x", id="one byte"),
        pytest.param("HTTP/1.1 408 Timeout\r\nConnection: close\r\n\r\n", id="a 408"),
    ],
)
@pytest.mark.parametrize("when", ["with the answer", "later"])
async def test_unsolicited_bytes_reach_nobody(upstream, house, pushed, when):
    house = await house()
    segments = (FULL + pushed,) if when == "with the answer" else (FULL, pushed)
    upstream.on("/x", raw(*segments))
    first = await house.fetch("/x")
    await upstream.connections[0].gone.wait()
    second = await house.fetch("/y")

    assert b"ok" == first.body
    assert "/y" == second.json()["target"]
    assert [0, 1] == [seen.connection for seen in upstream.seen]


async def test_body_longer_than_announced_is_cut_to_its_length(upstream, house):
    house = await house()
    upstream.on("/x", raw(f"{OK}Content-Length: 2\r\n\r\nok and more"))
    answer = await house.fetch("/x")
    event = await house.event_of(answer)

    assert (b"ok", "clean", "completed") == (answer.body, answer.end, event["code"])
    await upstream.connections[0].gone.wait()


@pytest.mark.parametrize("framing", ["Content-Length: 4\r\n\r\n", "\r\n"])
async def test_segmented_answers_arrive_whole(upstream, house, framing):
    house = await house()
    whole = f"{OK}{framing}body"
    upstream.on("/x", raw(*whole, then="close", between=0.0))
    answer = await house.fetch("/x")

    assert (200, b"body", "clean") == (answer.status, answer.body, answer.end)


async def test_slow_head_is_no_fault(upstream, house):
    house = await house(timeouts={"head": "1s"})
    upstream.on("/", slow_head(0.15))
    began = now()
    answer = await house.fetch()
    waited = 0.15 - stalled(began, now())  # a stall of the machine is nobody's wait
    event = await house.event_of(answer)

    assert (200, "completed") == (answer.status, event["code"])
    assert event["head_ms"] >= 1000 * waited * 0.9
    assert event["duration_ms"] - event["overhead_ms"] >= 1000 * waited * 0.9


@pytest.mark.parametrize("code", [502, 503, 504])
async def test_retryable_answers_are_tried_again(upstream, house, code):
    house = await house()
    upstream.on("/", status(code), status(code), GOOD)
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert (200, b"good", 3) == (answer.status, answer.body, len(upstream.seen))
    assert ("status_5xx", "status_5xx", "ok") == event["attempt_results"]


async def test_client_gets_the_last_real_answer(upstream, house):
    house = await house()
    upstream.on("/", status(503, "X-Try: 1"), status(502, "X-Try: 2"), reset_before_head)
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert (502, "2", b"upstream's own words") == (
        answer.status,
        answer.header("X-Try"),
        answer.body,
    )
    assert answer.header("X-Sidelight-Error") is None
    assert ("upstream_error", 3, "attempts_spent") == (
        event["code"],
        event["attempts"],
        event["retry_stopped"],
    )


async def test_answers_too_large_to_keep_are_relayed_at_once(upstream, house):
    house = await house(retry={"keep_answer": "1KiB"})
    upstream.on("/", status(503, body=b"x" * 5000), GOOD)
    answer = await house.fetch()

    assert (503, 5000, 1) == (answer.status, len(answer.body), len(upstream.seen))


@pytest.mark.parametrize("code", [400, 401, 404, 409, 429, 500, 501])
async def test_other_errors_pass_untouched(upstream, house, code):
    house = await house()
    upstream.on("/", status(code, "X-Own: yes"))
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert (code, b"upstream's own words", 1) == (answer.status, answer.body, len(upstream.seen))
    assert ("yes", None) == (answer.header("X-Own"), answer.header("X-Sidelight-Error"))
    assert "upstream_error" == event["code"]
    assert ("ERROR" if code >= 500 else "INFO") == event["level"]


async def test_masked_errors_are_ours(upstream, house):
    house = await house(route={"mask_upstream_errors": True})
    upstream.on("/", status(500, "X-Own: secret", body=b"Traceback: secret"))
    answer = await house.fetch()

    assert (500, "upstream_error") == (answer.status, answer.json()["error"])
    assert b"secret" not in answer.head + answer.body


async def test_long_retry_after_is_passed_on_and_recorded(upstream, house):
    house = await house()
    upstream.on("/", status(503, "Retry-After: 60"), GOOD)
    answer = await house.fetch()
    event = await house.event_of(answer)
    (story,) = await stories(house.app.admin_port, event["request_id"])

    assert (503, "60", 1) == (answer.status, answer.header("Retry-After"), len(upstream.seen))
    assert ("retry_after_too_long", 60_000) == (event["retry_stopped"], event["retry_after_ms"])
    assert 60_000 == story["attempts"][0]["retry_after_ms"]
    assert (
        "the upstream asked for a rest of 60.0 s, longer than the retry_after_cap of 5 s"
        in story["diagnosis"]
    )


@pytest.mark.parametrize(
    ("code", "asks"),
    [
        pytest.param(529, "Retry-After: 30", id="529, overloaded"),
        pytest.param(500, "Retry-After: 30", id="500"),
        pytest.param(429, "Retry-After: 30", id="429"),
        pytest.param(503, "Retry-After: 5.5", id="a fraction"),
        pytest.param(503, "retry-after-ms: 5001", id="milliseconds"),
        pytest.param(503, "x-ms-retry-after-ms: 5001", id="Azure's milliseconds"),
    ],
)
async def test_every_retryable_status_may_ask_for_rest(upstream, house, code, asks):
    house = await house(retry={"statuses": [429, 500, 503, 529]})
    upstream.on("/", status(code, asks), GOOD)
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert (code, 1, "retry_after_too_long") == (
        answer.status,
        len(upstream.seen),
        event["retry_stopped"],
    )


async def test_a_short_rest_is_waited_for(upstream, house):
    house = await house()
    upstream.on("/", status(503, "retry-after-ms: 150", "Retry-After: 60"), GOOD)
    answer = await house.fetch()
    (story,) = await stories(house.app.admin_port, answer.header("X-Request-ID"))

    assert (200, 150) == (answer.status, story["attempts"][0]["pause_ms"])


async def test_a_masked_answer_that_says_when_is_retryable(upstream, house):
    house = await house(route={"mask_upstream_errors": True})
    upstream.on("/", status(500, "Retry-After: 2.5"))
    said = (await house.fetch()).json()

    assert (True, 3) == (said["retryable"], said["retry_after"])


async def test_a_repeat_that_meets_its_own_first_attempt_is_no_failure(upstream, house):
    """409 to a repeat with the same key: the first attempt is still at work."""
    house = await house(retry={"idempotency_key": True, "statuses": [409, 503]})
    upstream.on("/", reset_before_head, status(409), GOOD)
    answer = await house.fetch("/", "Idempotency-Key: k", method="POST", body=b"x")
    event = await house.event_of(answer)

    assert (409, 2) == (answer.status, len(upstream.seen))
    assert ("INFO", "upstream_error") == (event["level"], event["code"])
    assert "the first attempt is still at work" in event["detail"]
    assert "retry_stopped" not in event
    assert "closed" == await house.breaker()


async def test_a_first_409_is_an_answer_like_any_other(upstream, house):
    house = await house(retry={"idempotency_key": True, "statuses": [409, 503]})
    upstream.on("/", status(409), status(409), GOOD)
    answer = await house.fetch("/", "Idempotency-Key: k", method="POST", body=b"x")

    assert (200, 3) == (answer.status, len(upstream.seen))


async def test_bodies_over_the_cap_are_not_repeated(upstream, house):
    house = await house(retry={"replay_body": "1KiB"})
    upstream.on("/", reset_before_head, GOOD)
    answer = await house.fetch(method="PUT", body=b"x" * 2000)
    event = await house.event_of(answer)

    assert (502, 1) == (answer.status, len(upstream.seen))
    assert "body_not_replayable" == event["retry_stopped"]


async def test_repeated_body_is_the_same(upstream, house):
    house = await house()
    upstream.on("/", reset_before_head, GOOD)
    await house.fetch(method="PUT", body=b"x" * 2000)

    assert [b"x" * 2000] * 2 == [seen.body for seen in upstream.seen]


async def test_early_answer_while_uploading_reaches_the_client(upstream, house):
    async def early(turn):
        await turn.connection.some(10)
        await turn.answer(413, "Connection: close", body=b"too much for me")
        turn.close()

    house = await house()
    upstream.on("/", early)
    async with house.client() as client:
        await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n")
        await client.send(b"x" * 200_000)
        answer = await client.answer()
    event = await house.event_of(answer)

    assert (413, b"too much for me") == (answer.status, answer.body)
    assert ("upstream_error", 1) == (event["code"], event["attempts"])


async def test_tls_to_a_plain_port_is_a_tls_failure(upstream, house):
    async def plain(reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    house = await house(upstream={"endpoints": [f"https://127.0.0.1:{port}"]})
    answer = await house.fetch()
    server.close()

    assert (502, "tls_failure") == (answer.status, answer.header("X-Sidelight-Error"))
    assert answer.json()["retryable"] is False


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_client_certificate_that_is_demanded_is_a_tls_failure(
    house, server_tls, certificate, method
):
    """By TLS 1.3 the server says so only when the handshake is over for us."""
    server_tls.verify_mode = ssl.CERT_REQUIRED
    server_tls.load_verify_locations(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():  # in a thread: asyncio's servers close and do not say why
        with listener.accept()[0] as sock, suppress(ssl.SSLError):
            server_tls.wrap_socket(sock, server_side=True)

    serving = asyncio.create_task(asyncio.to_thread(serve))
    url = f"https://127.0.0.1:{listener.getsockname()[1]}"
    house = await house(upstream={"endpoints": [url], "tls": {"verify": False}})
    answer = await house.fetch(method=method)
    event = await house.event_of(answer)
    await serving
    listener.close()

    assert (502, "tls_failure") == (answer.status, event["code"])
    assert ("tls_failure",) == event["attempt_results"]


async def test_full_pool_is_our_refusal_and_nobody_elses_fault(upstream, house):
    house = await house(upstream={"pool": {"size": 1}}, timeouts={"pool_wait": "50ms"})
    upstream.on("/slow", never)
    async with house.client() as busy:
        await busy.send(request("GET", "/slow"))
        await eventually(lambda: upstream.seen)
        began = now()
        answer = await house.fetch("/x")
        waited = 0.05 - stalled(began, now())
        event = await house.event_of(answer)

        assert (503, "pool_timeout", "PC") == (answer.status, event["code"], event["term"])
        assert event["queue_ms"] >= 1000 * waited * 0.9
        assert 1 == len(upstream.seen)
        assert "closed" == await house.breaker()
