"""Where the upstream gives no answer another is given, openly: the failure keeps its name."""

import asyncio
import json

import pytest

from proxy.clock import now
from tests.house.admin import ask, stories
from tests.house.fault_upstream import (
    FaultUpstream,
    never,
    raw,
    reset_before_head,
    sse,
    status,
)
from tests.house.raw_client import eventually, request
from tests.house.test_client_gone_phases import full_house

WORDS = "I'm having trouble processing your request right now. Please try again in a moment."
BODY = json.dumps({"message": WORDS})
STATIC = {"type": "application/json", "body": BODY}
ONCE = {"attempts": 1}
OPEN_AT_ONCE = {"consecutive": 1, "cool_down": "60s"}


HELD = {"route": {"stream": {"hold_first_event": True}}}


async def silent_stream(turn) -> None:
    await turn.begin_chunked("Content-Type: text/event-stream")
    await turn.gone()


@pytest.fixture
async def spare():
    async with FaultUpstream() as spare:
        yield spare
    assert [] == spare.errors
    assert [] == spare.malformed


@pytest.fixture
def falling(house, upstream, spare):
    """Starts a house that falls back: to the spare upstream, a fixed answer, or both."""

    async def start(*, to_spare: bool = True, static: dict | None = None, **unusual):
        route = {"fallback": ({"upstream": "spare"} if to_spare else {}) | (static or {})}
        upstreams = {
            "chat": {"endpoints": [upstream.url]} | unusual.pop("upstream", {}),
            "spare": {"endpoints": [spare.url]} | unusual.pop("spare", {}),
        }
        unusual = {"retry": ONCE} | unusual
        return await house(
            route=route | dict(unusual.pop("route", {})), upstreams=upstreams, **unusual
        )

    return start


def told(answer) -> tuple[int, str | None, str | None]:
    return answer.status, answer.header("X-Sidelight-Fallback"), answer.header("X-Sidelight-Error")


@pytest.mark.parametrize(
    ("script", "settings", "code", "term"),
    [
        pytest.param(reset_before_head, {}, "upstream_reset", "UH", id="no answer"),
        pytest.param(raw("nonsense\r\n\r\n"), {}, "upstream_protocol_error", "UH", id="no HTTP"),
        pytest.param(never, {"timeouts": {"head": "100ms"}}, "head_timeout", "uH", id="too slow"),
        pytest.param(never, {"timeouts": {"total": "100ms"}}, "total_timeout", "uH", id="no time"),
        pytest.param(sse(end=False), HELD, "upstream_reset", "UH", id="a stream without an event"),
        pytest.param(silent_stream, HELD | {"timeouts": {"first_event": "100ms"}},
                     "first_event_timeout", "uF", id="a silent stream"),
        pytest.param(status(503), {}, "upstream_error", "--", id="a 503"),
        pytest.param(status(503, body=b"x" * 200_000), {}, "upstream_error", "--",
                     id="a large 503"),
        pytest.param(status(503), {"retry": {"attempts": 3}}, "upstream_error", "--",
                     id="after retries"),
        pytest.param(status(502, body=b"Traceback (most recent call last):"), {}, "upstream_error",
                     "--", id="a stack trace"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_fixed_answer_stands_in_for_a_failure(
    upstream, falling, script, settings, code, term, method
):
    house = await falling(to_spare=False, static=STATIC, **settings)
    upstream.on("/", script)
    answer = await house.fetch(method=method)
    event = await house.event_of(answer)

    assert (200, "static", code) == told(answer)
    assert ("application/json", BODY.encode()) == (answer.header("Content-Type"), answer.body)
    assert ("no-store", "length") == (answer.header("Cache-Control"), answer.framing)
    assert f'details="{code}"' in answer.header("Proxy-Status")
    assert (code, term, "static", 200, "ERROR") == tuple(
        event[name] for name in ("code", "term", "fallback", "status", "level")
    )


async def test_without_a_rule_nothing_is_different(upstream, house):
    house = await house(retry=ONCE)
    upstream.on("/", reset_before_head)
    answer = await house.fetch()

    assert (502, None, "upstream_reset") == told(answer)
    assert "fallback" not in await house.event_of(answer)


@pytest.mark.parametrize("code", [500, 404, 429, 200])
async def test_other_answers_of_the_upstream_are_its_own(upstream, spare, falling, code):
    house = await falling(static=STATIC)
    upstream.on("/", status(code))
    answer = await house.fetch()

    assert (code, None, b"upstream's own words") == (
        answer.status, answer.header("X-Sidelight-Fallback"), answer.body,
    )  # fmt: skip
    assert [] == spare.seen


async def test_an_open_circuit_is_answered_without_asking(upstream, falling):
    house = await falling(to_spare=False, static=STATIC, breaker=OPEN_AT_ONCE)
    upstream.on("/", status(503))
    await house.fetch()
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert (200, "static", "circuit_open") == told(answer)
    assert int(answer.header("Retry-After")) > 1
    assert ("circuit_open", "PB", "open") == (event["code"], event["term"], event["breaker_state"])
    assert 1 == len(upstream.seen)


async def test_a_route_that_cools_down_is_answered_too(upstream, falling):
    house = await falling(to_spare=False, static=STATIC, breaker={"cool_down_on_429": True})
    upstream.on("/", status(429, "Retry-After: 60"))
    own = await house.fetch()
    answer = await house.fetch()

    assert (429, None, None) == told(own)
    assert (200, "static", "upstream_cooling_down") == told(answer)


async def test_a_fallback_is_no_success_for_breaker_metrics_and_summary(upstream, spare, falling):
    house = await falling(static=STATIC, breaker={"consecutive": 3, "cool_down": "60s"})
    upstream.on("/", reset_before_head)
    for _ in range(3):
        assert (200, "spare", None) == told(await house.fetch())
    assert "open" == await house.breaker()
    assert (200, "spare", None) == told(await house.fetch())
    metrics = (await house.admin("/metrics")).body.decode()
    summary = (await house.admin("/metrics.json")).json()
    health = (await house.admin("/health")).json()
    errors = (await ask(house.app.admin_port, "/api/errors")).json()["groups"]

    for line in (
        'sidelight_fallbacks_total{cause="upstream_reset",route="all"} 3.0',
        'sidelight_fallbacks_total{cause="circuit_open",route="all"} 1.0',
        'sidelight_errors_total{code="upstream_reset",severity="error"} 3.0',
        'sidelight_attempts_total{result="reset",route="all",upstream="chat"} 3.0',
        'sidelight_attempts_total{result="ok",route="all",upstream="spare"} 4.0',
        'sidelight_requests_total{method="GET",route="all",status="200"} 4.0',
    ):
        assert line in metrics
    assert 'code="completed"' not in metrics
    assert 3 == summary["error_count"]
    assert ("failing", "connected") == (
        health["upstreams"]["chat"]["status"], health["upstreams"]["spare"]["status"],
    )  # fmt: skip
    assert ["upstream_reset"] == [g["code"] for g in errors if g["severity"] == "error"]


@pytest.mark.parametrize(
    ("accept", "kind", "body"),
    [
        pytest.param("text/event-stream", "text/event-stream",
                     f'data: {{"message":"{WORDS}"}}\n\ndata: [DONE]\n\n', id="events"),
        pytest.param("application/x-ndjson", "application/x-ndjson",
                     f'{{"message":"{WORDS}"}}\n[DONE]\n', id="lines"),
        pytest.param("*/*", "application/json", BODY, id="anything"),
    ],
)  # fmt: skip
async def test_who_asks_for_a_stream_gets_a_whole_one(upstream, falling, accept, kind, body):
    marker = {"end_marker": {"mode": "strict", "data": "[DONE]"}}
    house = await falling(to_spare=False, static=STATIC, route={"stream": marker})
    upstream.on("/", reset_before_head)
    answer = await house.fetch("/", f"Accept: {accept}", method="POST", body=b"{}")

    assert (kind, body.encode(), "clean") == (
        answer.header("Content-Type"), answer.body, answer.end,
    )  # fmt: skip
    assert str(len(body)) == answer.header("Content-Length")
    assert "Accept" in answer.all("Vary")


async def test_head_gets_the_same_head_and_no_content(upstream, falling):
    house = await falling(to_spare=False, static=STATIC)
    upstream.on("/", reset_before_head)
    async with house.client() as client:
        answer = await client.get(method="HEAD")
        again = await client.get()

    assert (str(len(BODY)), b"") == (answer.header("Content-Length"), answer.body)
    assert BODY.encode() == again.body


async def test_a_page_of_another_origin_may_read_that_it_is_one(upstream, falling):
    house = await falling(
        to_spare=False, static=STATIC, route={"cors": {"origins": ["https://app.example"]}}
    )
    upstream.on("/", reset_before_head)
    answer = await house.fetch("/", "Origin: https://app.example")

    assert "https://app.example" == answer.header("Access-Control-Allow-Origin")
    assert "X-Sidelight-Fallback" in answer.header("Access-Control-Expose-Headers").split(", ")
    assert {"Origin", "Accept"} == set(answer.all("Vary"))


async def test_a_file_and_a_status_of_its_own(upstream, falling, tmp_path):
    (tmp_path / "sorry.html").write_text("<p>sorry")
    page = {"status": 503, "type": "text/html", "file": str(tmp_path / "sorry.html")}
    house = await falling(to_spare=False, static=page)
    upstream.on("/", reset_before_head)
    answer = await house.fetch()

    assert (503, "static", "upstream_reset") == told(answer)
    assert ("text/html; charset=utf-8", b"<p>sorry") == (
        answer.header("Content-Type"), answer.body,
    )  # fmt: skip


@pytest.fixture
def held(upstream):
    """Answers that end when they are told to."""
    gate = asyncio.Event()

    async def hold(turn) -> None:
        await gate.wait()
        await turn.answer()

    upstream.on("/", hold)
    return gate


FULL = {
    "concurrency_limited": {"route": {"concurrency": {"limit": 1, "queue": 0}}},
    "queue_timeout": {"route": {"concurrency": {"limit": 1, "wait": "50ms"}}},
    "pool_timeout": {"upstream": {"pool": {"size": 1}}, "timeouts": {"pool_wait": "50ms"}},
}


@pytest.mark.parametrize("code", FULL)
@pytest.mark.parametrize("to_spare", [False, True], ids=["static", "spare"])
async def test_limits_of_ours_that_are_full(upstream, spare, falling, held, code, to_spare):
    house = await falling(to_spare=to_spare, static=STATIC, **FULL[code])
    first = asyncio.create_task(house.fetch())
    await eventually(lambda: upstream.seen)
    answer = await house.fetch(method="POST", body=b"hello")
    event = await house.event_of(answer)
    held.set()

    assert (200, "spare" if to_spare else "static") == told(answer)[:2]
    assert (code, 1) == (event["code"], len(upstream.seen))
    assert ([b"hello"] if to_spare else []) == [seen.body for seen in spare.seen]
    assert 200 == (await first).status


async def test_where_sidelight_itself_is_full_no_upstream_is_asked(upstream, spare, falling, held):
    house = await falling(static=STATIC, listen={"concurrency": 1})
    first = asyncio.create_task(house.fetch())
    await eventually(lambda: upstream.seen)
    answer = await house.fetch()
    held.set()

    assert (200, "static", "concurrency_limited") == told(answer)
    assert [] == spare.seen
    assert 200 == (await first).status


async def test_what_one_client_did_is_answered_as_ever(upstream, spare, falling):
    house = await falling(
        static=STATIC,
        route={
            "rate_limit": [{"rate": "1/1h"}],
            "content_types": ["application/json"],
            "max_body": "1000B",
        },
    )
    codes = []
    for headers, body in (
        (("Content-Type: image/png",), b"x"),
        (("Content-Type: application/json",), b"x" * 1001),
        ((), b""),
        ((), b""),
    ):
        answer = await house.fetch("/", *headers, method="POST" if body else "GET", body=body)
        assert answer.header("X-Sidelight-Fallback") is None
        codes.append(answer.header("X-Sidelight-Error"))

    assert ["media_type_not_supported", "body_too_large", None, "rate_limited"] == codes
    assert [] == spare.seen


async def test_the_spare_upstream_is_asked_as_the_first_one_was(upstream, spare, falling):
    house = await falling()
    upstream.on("/a", reset_before_head)
    answer = await house.fetch("/a?b=c", "X-Own: 1", method="POST", body=b"hello")
    event = await house.event_of(answer)
    (first,), (second,) = upstream.seen, spare.seen

    assert (200, "spare", None) == told(answer)
    assert (first.method, first.target, first.body) == (
        second.method, second.target, second.body,
    )  # fmt: skip
    assert answer.header("X-Request-ID") == second.header("X-Request-ID")
    assert second.header("X-Own") == "1"
    assert 'error=connection_terminated; details="upstream_reset"' in answer.header("Proxy-Status")
    assert ("upstream_reset", "spare", "spare", "ok", 1, "chat", upstream.url) == tuple(
        event[name]
        for name in (
            "code", "fallback", "fallback_upstream", "fallback_result", "attempts", "upstream",
            "endpoint",
        )
    )  # fmt: skip
    assert "upstream_status" not in event


async def test_it_is_asked_in_the_name_that_it_goes_by(upstream, spare, falling):
    house = await falling(spare={"host": "spare.example"})
    upstream.on("/", reset_before_head)
    await house.fetch()

    assert ("house", "spare.example") == (
        upstream.seen[0].header("Host"), spare.seen[0].header("Host"),
    )  # fmt: skip


async def test_what_is_told_of_the_failure_is_not_what_the_spare_did(upstream, spare, falling):
    house = await falling(breaker={"enabled": False})
    upstream.on("/", reset_before_head)
    await spare.refuse()
    answers = [await house.fetch() for _ in range(2)]
    details = [(await house.event_of(answer))["detail"] for answer in answers]

    assert not any("Connect call failed" in detail for detail in details)


async def test_the_clock_that_ran_out_is_that_of_the_failure(spare, falling):
    with full_house() as port:
        endpoints = {"endpoints": [f"http://127.0.0.1:{port}"]}
        house = await falling(upstream=endpoints, timeouts={"connect": "80ms"})
        await spare.refuse()
        answer = await house.fetch()
    (story,) = await stories(house.app.admin_port, answer.header("X-Request-ID"))
    (over,) = [clock for clock in story["clocks"] if clock["ran_out"]]

    assert (504, None, "connect_timeout") == told(answer)
    assert "connect" == over["clock"]
    assert over["elapsed_ms"] > 70


async def test_it_has_a_pool_of_its_own(upstream, spare, falling):
    house = await falling()
    upstream.on("/", status(503))
    answers = [await house.fetch() for _ in range(3)]

    assert ["spare"] * 3 == [answer.header("X-Sidelight-Fallback") for answer in answers]
    assert [0, 0, 0] == [seen.connection for seen in spare.seen]


async def test_its_stream_goes_on_as_any(upstream, spare, falling):
    house = await falling(breaker=OPEN_AT_ONCE)
    upstream.on("/", reset_before_head)
    spare.on("/", sse("data: a\n\n", "data: b\n\n"))
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert (200, "spare", None) == told(answer)
    assert (b"data: a\n\ndata: b\n\n", "clean") == (answer.body, answer.end)
    assert ("upstream_reset", True, 2) == (event["code"], event["streamed"], event["events"])
    assert "fallback_code" not in event


async def test_its_stream_that_breaks_is_told_and_the_code_stays(upstream, spare, falling):
    house = await falling()
    upstream.on("/", reset_before_head)
    spare.on("/", sse("data: a\n\n", end=False))
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert answer.body.startswith(b"data: a\n\nevent: error\ndata: ")
    assert b'"error":"stream_truncated"' in answer.body
    assert ("upstream_reset", "stream_truncated") == (event["code"], event["fallback_code"])
    metrics = (await house.admin("/metrics")).body.decode()
    assert 'sidelight_streams_total{code="stream_truncated",route="all"} 1.0' in metrics
    assert 'sidelight_inband_errors_total{code="stream_truncated",route="all"} 1.0' in metrics


async def test_a_client_that_leaves_it_changes_nothing_of_the_failure(upstream, spare, falling):
    house = await falling()
    upstream.on("/", reset_before_head)

    async def begin(turn) -> None:
        await turn.begin_chunked("Content-Type: text/event-stream")
        await turn.chunk("data: a\n\n")
        await turn.gone()

    spare.on("/", begin)
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await client.until(b"data: a\n\n")
    event = await house.event()

    assert ("upstream_reset", "ERROR", "client_closed_stream") == (
        event["code"], event["level"], event["fallback_code"],
    )  # fmt: skip


async def test_a_client_that_leaves_before_it_answers_is_nobodys_failure(upstream, spare, falling):
    house = await falling()
    upstream.on("/", reset_before_head)
    spare.on("/", never)
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await eventually(lambda: spare.seen)
    event = await house.event()

    assert ("client_closed_request", 499, "client_gone") == (
        event["code"], event["status"], event["fallback_result"],
    )  # fmt: skip
    await eventually(lambda: all(each.gone.is_set() for each in spare.connections))


@pytest.mark.parametrize(
    ("script", "result"),
    [
        pytest.param(reset_before_head, "reset", id="no answer"),
        pytest.param(status(500), "status_5xx", id="a 500"),
        pytest.param(status(200, body=b"x" * 101), "ok", id="too large an answer"),
    ],
)
@pytest.mark.parametrize("static", [STATIC, None], ids=["then static", "then the failure"])
async def test_where_the_spare_fails_too(upstream, spare, falling, script, result, static):
    house = await falling(static=static, route={"max_response": "100B"})
    upstream.on("/", reset_before_head)
    spare.on("/", script)
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert ((200, "static") if static else (502, None)) == told(answer)[:2]
    assert ("upstream_reset", "spare", result) == (
        event["code"], event["fallback_upstream"], event["fallback_result"],
    )  # fmt: skip
    assert 1 == len(spare.seen)
    assert "closed" in event["detail"] or "reset" in event["detail"]


@pytest.mark.parametrize("size", [10, 200_000], ids=["kept", "too large to keep"])
async def test_the_5xx_that_failed_is_given_where_nothing_better_is_had(
    upstream, spare, falling, size
):
    house = await falling(retry={"attempts": 2})
    upstream.on("/", status(503, "X-Theirs: 1", body=b"x" * size))
    spare.on("/", reset_before_head)
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert (503, None, None, "1", b"x" * size) == (
        *told(answer), answer.header("X-Theirs"), answer.body,
    )  # fmt: skip
    assert ("upstream_error", 503) == (event["code"], event["upstream_status"])
    assert "closed" == await house.breaker()


async def test_the_5xx_that_failed_leaves_no_connection_behind(upstream, spare, falling):
    house = await falling()

    async def unfinished(turn) -> None:
        await turn.send("HTTP/1.1 503 X\r\nContent-Length: 100000\r\n\r\nx")
        await turn.gone()

    upstream.on("/", unfinished)
    answer = await house.fetch()

    assert (200, "spare", None) == told(answer)
    await eventually(lambda: all(each.gone.is_set() for each in upstream.connections))


async def test_a_body_that_is_gone_is_not_sent_again(upstream, spare, falling):
    house = await falling(static=STATIC, retry={"attempts": 1, "replay_body": "1000B"})

    async def read_and_reset(turn) -> None:
        await turn.body()
        turn.reset()

    upstream.on("/", read_and_reset)
    answer = await house.fetch(method="POST", body=b"x" * 100_000)

    assert (200, "static", "upstream_reset") == told(answer)
    assert [] == spare.seen


async def test_a_body_that_nobody_took_is_streamed_to_the_spare(upstream, spare, falling):
    house = await falling(breaker=OPEN_AT_ONCE, retry={"attempts": 1, "replay_body": "1000B"})
    upstream.on("/", reset_before_head)
    await house.fetch()
    spare.on("/", status(200))
    async with house.client() as client:
        await client.send(request("POST", "/", "Transfer-Encoding: chunked"))
        for _ in range(10):
            await client.send(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
        await client.send(b"0\r\n\r\n")
        answer = await client.answer()

    assert (200, "spare", None) == told(answer)
    assert (100_000, True) == (spare.seen[-1].size, spare.seen[-1].whole)


async def test_no_time_left_is_no_time_for_the_spare(upstream, spare, falling):
    house = await falling(static=STATIC, timeouts={"total": "100ms"})
    upstream.on("/", never)
    answer = await house.fetch()

    assert (200, "static", "total_timeout") == told(answer)
    assert [] == spare.seen


async def test_the_deadline_ends_the_spare_too(upstream, spare, falling):
    house = await falling(static=STATIC, timeouts={"total": "300ms"})
    upstream.on("/", reset_before_head)
    spare.on("/", never)
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert (200, "static", "upstream_reset") == told(answer)
    assert "head_timeout" == event["fallback_result"]


async def test_a_websocket_has_none(upstream, spare, falling):
    house = await falling(static=STATIC, route={"websocket": True})
    upstream.on("/", reset_before_head)
    answer = await house.fetch(
        "/", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    )  # fmt: skip

    assert (502, None, "upstream_reset") == told(answer)
    assert [] == spare.seen


async def test_the_client_goes_on_with_its_connection(upstream, spare, falling):
    house = await falling(static=STATIC)
    upstream.on("/", reset_before_head)
    spare.on("/", reset_before_head, status(200))
    async with house.client() as client:
        given = [(await client.get()).header("X-Sidelight-Fallback") for _ in range(3)]

    assert ["static", "spare", "spare"] == given


async def test_a_probe_that_fails_stays_one_though_the_spare_is_well(upstream, spare, falling):
    house = await falling(breaker={"consecutive": 1, "cool_down": "50ms"})
    upstream.on("/", reset_before_head)
    await house.fetch()
    await eventually(lambda: house.app.routes[0].breaker.state(now()) == "half_open")
    answer = await house.fetch()

    assert (200, "spare", None) == told(answer)
    assert 2 == len(upstream.seen)
    assert 0 == len(house.all("breaker_closed"))


async def test_proxy_status_on_all_answers_says_it_once(upstream, spare, falling):
    house = await falling(errors={"proxy_status": "all"})
    upstream.on("/", status(503))
    answer = await house.fetch()

    assert 'sidelight; received-status=503; details="upstream_error"' == answer.header(
        "Proxy-Status"
    )


@pytest.mark.parametrize("static", [STATIC, None], ids=["both", "spare alone"])
async def test_the_story_tells_what_was_tried_and_given(upstream, spare, falling, static):
    house = await falling(static=static)
    upstream.on("/", reset_before_head)
    spare.on("/", status(500) if static else status(200))
    answer = await house.fetch()
    identity = answer.header("X-Request-ID")
    (story,) = await stories(house.app.admin_port, identity)
    page = (await ask(house.app.admin_port, f"/requests/{identity}")).body.decode()
    given = story["fallback"]

    assert "fallback" == story["client"]["got"]
    assert ("static" if static else "spare", "spare", spare.url) == (
        given["given"], given["upstream"], given["endpoint"],
    )  # fmt: skip
    sentence = (
        "The upstream spare was asked instead, to no avail (status 500). "
        "The client was given the fixed answer instead, with status 200."
        if static
        else "The client was given the answer of the upstream spare instead, with status 200."
    )
    assert sentence in story["diagnosis"]
    assert ("static; spare" if static else "spare; spare") in page
    assert 1 == len(story["attempts"])
