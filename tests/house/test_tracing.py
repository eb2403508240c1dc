"""Spans of real exchanges, as a collector gets them and as upstreams see their parents."""

import asyncio
import re
import socket
import ssl

import pytest

from proxy.clock import now, wall
from tests.house.admin import ask, stories
from tests.house.collector import CLIENT, DRIPPED, SERVER, Collector, answered, partly
from tests.house.fault_upstream import (
    FaultUpstream,
    never,
    raw,
    reset_before_head,
    slow_head,
    sse,
    status,
)
from tests.house.house import House
from tests.house.raw_client import eventually, request
from tests.house.streams import stream

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
STATE = "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"
PASSED = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


@pytest.fixture
async def collector():
    async with Collector() as collector:
        yield collector
    assert [] == collector.malformed


@pytest.fixture
def traced(house, collector):
    """Starts a house that exports its spans to `collector`."""

    async def start(*, tracing: dict | None = None, **unusual) -> House:
        rule = {"endpoint": collector.url, "interval": "20ms"} | (tracing or {})
        return await house(tracing=rule, **unusual)

    return start


def passed_on(seen):
    """Trace, parent and flags as the upstream was told."""
    return PASSED.fullmatch(seen.header("traceparent")).groups()


async def test_one_server_span_and_one_client_span_that_the_upstream_sees(
    upstream, traced, collector
):
    house = await traced()
    answer = await house.fetch("/chat?q=1", f"traceparent: {PARENT}", f"tracestate: {STATE}")
    event = await house.event_of(answer)
    server, client = await collector.trace(2)

    assert (SERVER, "GET /", TRACE, SPAN) == (
        server.kind,
        server.name,
        server.trace_id,
        server.parent_id,
    )
    assert (CLIENT, "GET", TRACE, server.span_id) == (
        client.kind,
        client.name,
        client.trace_id,
        client.parent_id,
    )
    assert (TRACE, client.span_id, "01") == passed_on(upstream.seen[0])
    assert STATE == upstream.seen[0].header("tracestate")
    assert (TRACE, server.span_id) == (event["trace_id"], event["span_id"])
    assert event["request_id"] == server.attributes["sidelight.request_id"]
    assert {"/v1/traces"} == set(collector.paths)
    assert "application/x-protobuf" == collector.heads[0]["content-type"]


async def test_the_conventional_attributes(upstream, traced, collector):
    house = await traced(route={"match": {"path": "/api/"}, "strip_prefix": "/api"})
    await house.fetch("/api/chat?q=1", "User-Agent: curl/8", method="POST", body=b"x")
    server, client = await collector.trace(2)
    endpoint = upstream.url.removeprefix("http://").split(":")

    assert {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.route": "/api/",
        "url.path": "/api/chat",
        "url.query": "q=1",
        "url.scheme": "http",
        "server.address": "house",
        "server.port": 80,
        "client.address": "127.0.0.1",
        "user_agent.original": "curl/8",
        "sidelight.code": "completed",
        "sidelight.route": "all",
        "sidelight.upstream": "chat",
    }.items() <= server.attributes.items()
    assert {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "url.full": f"{upstream.url}/chat?q=1",
        "server.address": endpoint[0],
        "server.port": int(endpoint[1]),
        "network.peer.address": endpoint[0],
        "network.peer.port": int(endpoint[1]),
        "sidelight.attempt.result": "ok",
    }.items() <= client.attributes.items()
    assert "error.type" not in server.attributes | client.attributes
    assert not server.is_error
    assert "sidelight" == server.resource["service.name"]
    assert (
        server.span.start_time_unix_nano
        <= client.span.start_time_unix_nano
        <= client.span.end_time_unix_nano
        <= server.span.end_time_unix_nano
    )


@pytest.mark.parametrize(
    ("version", "told", "scheme", "spoken"),
    [
        pytest.param("1.1", (), "http", "1.1", id="as they come"),
        pytest.param("1.0", (), "http", "1.0", id="an old client"),
        pytest.param(
            "1.1", ("X-Forwarded-Proto: https",), "https", "1.1", id="by TLS to a trusted proxy"
        ),
        pytest.param("1.0", ("Forwarded: proto=https",), "https", "1.0", id="both"),
    ],
)
async def test_how_the_client_came(upstream, traced, collector, version, told, scheme, spoken):
    house = await traced(trusted_proxies=["127.0.0.1"])
    async with house.client() as client:
        lines = (f"GET / HTTP/{version}", "Host: h", *told, "", "")
        await client.send("\r\n".join(lines))
        await client.answer()
    server, client = await collector.trace(2)

    assert (scheme, spoken) == (
        server.attributes["url.scheme"],
        server.attributes["network.protocol.version"],
    )
    assert ({"http": 80, "https": 443}[scheme], "1.1") == (
        server.attributes["server.port"],
        client.attributes["network.protocol.version"],
    )


async def test_nobody_else_says_how_a_client_came(upstream, traced, collector):
    house = await traced()
    await house.fetch("/", "X-Forwarded-Proto: https")
    server, _ = await collector.trace(2)

    assert "http" == server.attributes["url.scheme"]


@pytest.mark.parametrize(
    ("unusual", "code"),
    [
        pytest.param({"timeouts": {"max_stream": "50ms"}}, "stream_max_duration", id="too long"),
        pytest.param({"route": {"max_response": "64B"}}, "response_too_large", id="too large"),
    ],
)
async def test_a_200_that_we_cut_is_an_error(upstream, traced, collector, unusual, code):
    house = await traced(**unusual)
    upstream.on("/", stream("data: a\n\n" * 7, 0.2, "data: b\n\n" * 7, then="end"))
    await house.fetch()
    server, client = await collector.trace(2)

    assert (200, code, True) == (
        server.attributes["http.response.status_code"],
        server.attributes["error.type"],
        server.is_error,
    )
    assert not client.is_error, "the upstream did what it was asked for"


async def test_an_attempt_that_its_client_gave_up_is_no_error(upstream, traced, collector):
    house = await traced()
    upstream.on("/", never)
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await eventually(lambda: upstream.seen)
    server, client = await collector.trace(2)

    assert "client_closed_request" == server.attributes["error.type"]
    assert [False, False] == [server.is_error, client.is_error]
    assert "error.type" not in client.attributes
    assert "client_gone" == client.attributes["sidelight.attempt.result"]


async def test_repeats_are_siblings_each_with_its_own_span(upstream, traced, collector):
    house = await traced(retry={"attempts": 3})
    upstream.on("/", status(503), reset_before_head, status(200))
    await house.fetch("/", f"traceparent: {PARENT}")
    server, *attempts = await collector.trace(4)

    assert [passed_on(seen)[1] for seen in upstream.seen] == [a.span_id for a in attempts]
    assert {server.span_id} == {a.parent_id for a in attempts}
    assert [None, 1, 2] == [a.attributes.get("http.request.resend_count") for a in attempts]
    assert [None, "status", "reset"] == [
        a.attributes.get("sidelight.retry.cause") for a in attempts
    ]
    assert ["status_5xx", "reset", "ok"] == [
        a.attributes["sidelight.attempt.result"] for a in attempts
    ]
    assert ["upstream_error", "upstream_reset", None] == [
        a.attributes.get("error.type") for a in attempts
    ]
    assert [True, True, False] == [a.is_error for a in attempts]
    assert not server.is_error


@pytest.mark.parametrize("flags", ["01", "03", "ff"])
async def test_the_flags_byte_is_kept_whole(upstream, traced, collector, flags):
    house = await traced()
    await house.fetch("/", f"traceparent: 00-{TRACE}-{SPAN}-{flags}")
    server, _ = await collector.trace(2)

    assert flags == passed_on(upstream.seen[0])[2]
    assert int(flags, 16) == server.span.flags & 0xFF


async def test_a_trace_begins_here_where_there_is_none(upstream, traced, collector):
    house = await traced()
    event = await house.event_of(await house.fetch())
    server, client = await collector.trace(2)

    assert (server.trace_id, client.span_id, "01") == passed_on(upstream.seen[0])
    assert "" == server.parent_id
    assert server.trace_id == event["trace_id"]


@pytest.mark.parametrize(
    "invalid",
    [
        "00-0af7",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"{PARENT}-x",
    ],
)
async def test_an_invalid_parent_begins_a_trace_and_its_state_ends(
    upstream, traced, collector, invalid
):
    house = await traced()
    await house.fetch("/", f"traceparent: {invalid}", f"tracestate: {STATE}")
    server, _ = await collector.trace(2)

    assert server.trace_id == passed_on(upstream.seen[0])[0] != TRACE
    assert "" == server.parent_id
    assert upstream.seen[0].header("tracestate") is None


async def test_two_parents_are_none(upstream, traced, collector):
    house = await traced()
    await house.fetch("/", f"traceparent: {PARENT}", f"traceparent: {PARENT}")
    server, _ = await collector.trace(2)

    assert server.trace_id == passed_on(upstream.seen[0])[0] != TRACE


async def test_without_tracing_the_headers_pass_untouched(upstream, house):
    house = await house()
    await house.fetch("/", "TraceParent: 00-nonsense", f"TraceState: {STATE}", "b3: 0")
    seen = upstream.seen[0]

    assert ["00-nonsense", STATE, "0"] == [
        seen.header(name) for name in ("traceparent", "tracestate", "b3")
    ]


async def test_what_the_parent_decided_holds(upstream, traced, collector):
    house = await traced()
    unsampled = f"00-{TRACE}-{SPAN}-00"
    event = await house.event_of(await house.fetch("/no", f"traceparent: {unsampled}"))
    await house.fetch("/yes")
    await collector.trace(2)

    assert unsampled == upstream.seen[0].header("traceparent")
    assert (TRACE, SPAN) == (event["trace_id"], event["span_id"])
    assert {"/yes"} == {s.attributes["url.path"] for s in collector.spans if s.kind == SERVER}


async def test_without_a_share_no_trace_begins(upstream, traced, collector):
    house = await traced(tracing={"sample": 0})
    event = await house.event_of(await house.fetch("/no"))
    await house.fetch("/yes", f"traceparent: {PARENT}")
    await collector.trace(2)

    assert upstream.seen[0].header("traceparent") is None
    assert "trace_id" not in event
    assert {"/yes"} == {s.attributes["url.path"] for s in collector.spans if s.kind == SERVER}


async def test_a_share_of_the_traces_is_told_to_the_upstream(upstream, traced, collector):
    house = await traced(tracing={"sample": 0.5})
    for _ in range(40):
        await house.fetch()
    told = {passed_on(seen)[0]: passed_on(seen)[2] for seen in upstream.seen}
    sampled = {trace for trace, flags in told.items() if flags == "01"}
    await collector.trace(2 * len(sampled))
    await eventually(lambda: len(house.all()) == 40)

    assert sampled == {seen.trace_id for seen in collector.spans}
    assert {trace for trace in told if int(trace[16:], 16) < 1 << 63} == sampled
    assert {"00", "01"} == set(told.values())
    assert sampled == {event["trace_id"] for event in house.all() if "trace_id" in event}


async def test_failures_are_exported_whatever_was_decided(upstream, traced, collector):
    house = await traced(tracing={"sample": 0, "always": ["failures"]}, retry={"attempts": 1})
    upstream.on("/bad", status(500))
    await house.fetch("/good")
    unsampled = f"00-{TRACE}-{SPAN}-02"
    event = await house.event_of(await house.fetch("/bad", f"traceparent: {unsampled}"))
    server, client = await collector.trace(2)

    assert "/bad" == server.attributes["url.path"]
    assert (TRACE, SPAN) == (server.trace_id, server.parent_id)
    assert (TRACE, client.span_id, "02") == passed_on(upstream.seen[1])
    assert (TRACE, server.span_id) == (event["trace_id"], event["span_id"])
    assert "00" == passed_on(upstream.seen[0])[2]
    assert not house.all(path="/good")[0].get("trace_id")


async def test_slow_ones_are_exported_whatever_was_decided(upstream, traced, collector):
    house = await traced(tracing={"sample": 0, "always": ["slow"]}, stories={"slow": "1ms"})
    upstream.on("/", slow_head(0.05))
    await house.fetch()
    server, _ = await collector.trace(2)

    assert "completed" == server.attributes["sidelight.code"]


@pytest.mark.parametrize(
    "given",
    [
        (f"b3: {TRACE}-{SPAN}-1",),
        (f"b3: {TRACE}-{SPAN}-d-{'a' * 16}",),
        (f"X-B3-TraceId: {TRACE}", f"X-B3-SpanId: {SPAN}", "X-B3-Sampled: 1"),
        (f"X-B3-TraceId: {TRACE}", f"X-B3-SpanId: {SPAN}"),
    ],
)
async def test_b3_is_read_by_option(upstream, traced, collector, given):
    house = await traced(tracing={"b3": True})
    await house.fetch("/", *given)
    server, client = await collector.trace(2)

    assert (TRACE, SPAN) == (server.trace_id, server.parent_id)
    assert (TRACE, client.span_id, "01") == passed_on(upstream.seen[0])


async def test_b3_is_not_read_without_the_option(upstream, traced, collector):
    house = await traced()
    await house.fetch("/", f"b3: {TRACE}-{SPAN}-1")
    server, _ = await collector.trace(2)

    assert server.trace_id != TRACE


async def test_a_refusal_is_a_server_span_alone(upstream, traced, collector):
    house = await traced(route={"match": {"path": "/api/"}})
    event = await house.event_of(await house.fetch("/elsewhere", f"traceparent: {PARENT}"))
    (server,) = await collector.trace(1)

    assert ("GET", "route_not_found", 404) == (
        server.name,
        server.attributes["error.type"],
        server.attributes["http.response.status_code"],
    )
    assert not server.is_error
    assert server.span_id == event["span_id"]


async def test_what_was_no_request_is_a_span_too(upstream, traced, collector):
    house = await traced()
    async with house.client() as client:
        await client.send("BREW / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        await client.answer()
    (server,) = await collector.trace(1)

    assert "bad_request" == server.attributes["error.type"]
    assert "HTTP" == server.name


async def test_an_upstream_that_cannot_be_reached(upstream, house, collector):
    gone = FaultUpstream()
    async with gone:
        pass
    house = await house(
        tracing={"endpoint": collector.url, "interval": "20ms"},
        upstream={"endpoints": [gone.url]},
        retry={"attempts": 1},
    )
    await house.fetch()
    server, client = await collector.trace(2)

    assert ("connect_refused", "connect_refused") == (
        server.attributes["error.type"],
        client.attributes["error.type"],
    )
    assert server.is_error
    assert "http.response.status_code" not in client.attributes


async def test_a_broken_200_is_an_error(upstream, traced, collector):
    house = await traced()
    upstream.on("/", stream("data: a\n\n", then="cut"))
    await house.fetch()
    server, client = await collector.trace(2)

    assert (200, "stream_truncated") == (
        server.attributes["http.response.status_code"],
        server.attributes["error.type"],
    )
    assert server.is_error
    assert client.is_error
    assert "stream_truncated" == client.attributes["error.type"]
    assert {"sidelight.head", "sidelight.first_event", "sidelight.in_band_error"} == set(
        server.events
    )
    assert {"error.type": "stream_truncated"} == server.events["sidelight.in_band_error"]


async def test_a_stall_is_an_event_of_the_span(upstream, traced, collector):
    house = await traced()
    upstream.on("/", sse("data: a\n\n", 2.0, "data: b\n\n"))
    await house.fetch()
    server, _ = await collector.trace(2)

    assert server.events["sidelight.stall"]["sidelight.stream.gap_ms"] >= 1000
    assert 2 == server.attributes["sidelight.stream.events"]


async def test_a_stream_that_falls_silent_says_so(upstream, traced, collector):
    house = await traced(timeouts={"gap": "1100ms"})
    upstream.on("/", stream("data: a\n\n", then="silent"))
    await house.fetch()
    server, _ = await collector.trace(2)

    assert "stream_stalled" == server.attributes["error.type"]
    assert {"sidelight.stall", "sidelight.in_band_error"} <= set(server.events)


async def test_a_client_that_leaves_is_no_error_of_ours(upstream, traced, collector):
    house = await traced()
    upstream.on("/", stream("data: a\n\n", then="silent"))
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await client.until(b"data: a")
    server, _ = await collector.trace(2)

    assert "client_closed_stream" == server.attributes["error.type"]
    assert not server.is_error


async def test_a_tunnel_is_a_span_as_long_as_it_lasts(upstream, traced, collector):
    house = await traced(route={"websocket": True})
    switch = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    upstream.on("/", raw(switch, then="close"))
    ask = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"traceparent: {PARENT}")  # fmt: skip
    async with house.client() as client:
        await client.send(request("GET", "/", *ask))
        await client.until(b"\r\n\r\n")
    server, client = await collector.trace(2)

    assert (101, 101) == tuple(
        one.attributes["http.response.status_code"] for one in (server, client)
    )
    assert (TRACE, client.span_id, "01") == passed_on(upstream.seen[0])


async def test_a_fallback_is_a_client_span_of_its_own(upstream, house, collector):
    async with FaultUpstream() as spare:
        house = await house(
            tracing={"endpoint": collector.url, "interval": "20ms"},
            upstreams={
                "chat": {"endpoints": [upstream.url]},
                "spare": {"endpoints": [spare.url]},
            },
            retry={"attempts": 1},
            route={"fallback": {"upstream": "spare"}},
        )
        upstream.on("/", status(503))
        await house.fetch("/", f"traceparent: {PARENT}")
        server, failed, given = await collector.trace(3)

    assert ["chat", "spare"] == [s.attributes["sidelight.upstream"] for s in (failed, given)]
    assert given.span_id == passed_on(spare.seen[0])[1] != passed_on(upstream.seen[0])[1]
    assert "spare" == server.attributes["sidelight.fallback"]
    assert ("upstream_error", True) == (server.attributes["error.type"], server.is_error)
    assert not given.is_error


async def test_secrets_are_redacted_as_everywhere(upstream, traced, collector):
    house = await traced()
    canary = "sk-canary0123456789abcdefghij"
    await house.fetch(
        f"/{canary}?token={canary}",
        f"User-Agent: {canary}",
        f"X-Request-ID: {canary}",
        f"Authorization: Bearer {canary}",
        f"tracestate: a={canary}",
        f"traceparent: {PARENT}",
    )
    await collector.trace(2)

    assert canary.encode() not in b"".join(collector.bodies)


async def test_a_body_that_is_streamed_up_has_the_parent_too(upstream, traced, collector):
    house = await traced()
    size = 2 << 20
    async with house.client() as client:
        await client.send(
            f"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\ntraceparent: {PARENT}\r\n\r\n"
        )
        await client.send(b"x" * size)
        await client.answer()
    _, client = await collector.trace(2)

    assert (TRACE, client.span_id, "01") == passed_on(upstream.seen[0])
    assert size == upstream.seen[0].size


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(answered(429, "Retry-After: 0"), "status 429", id="full"),
        pytest.param(answered(503), "status 503", id="unavailable"),
        pytest.param(b"nonsense\r\n\r\n", "BadStatusLine", id="no HTTP"),
    ],
)
async def test_what_a_collector_cannot_take_now_comes_again(traced, collector, answer, reason):
    house = await traced()
    collector.answers += [answer, answer]
    await house.fetch()
    await collector.trace(2)
    await house.event("spans_healed")
    failed = await house.event("spans_failed")

    assert reason == failed["reason"]
    assert 2 == len(collector.spans)
    assert collector.bodies[0] == collector.bodies[1] == collector.bodies[2]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(answered(400), "status 400", id="refused"),
        pytest.param(answered(302, "Location: /x"), "status 302", id="moved"),
    ],
)
async def test_what_is_never_taken_is_counted(traced, collector, answer, reason):
    house = await traced()
    collector.answers.append(answer)
    await house.fetch()
    failed = await house.event("spans_failed")
    await house.fetch()
    await house.event("spans_healed")
    metrics = (await house.admin("/metrics")).body.decode()

    assert reason == failed["reason"]
    assert 'sidelight_spans_dropped_total{cause="rejected"} 2.0' in metrics
    assert "sidelight_spans_exported_total 2.0" in metrics


async def test_a_partial_success_is_counted_and_said(traced, collector):
    house = await traced()
    collector.answers.append(partly(1, "one is too long, key sk-canary0123456789abcdefghij"))
    await house.fetch()
    failed = await house.event("spans_failed")
    metrics = (await house.admin("/metrics")).body.decode()

    assert failed["reason"].startswith("it rejected spans: one is too long")
    assert "canary" not in failed["reason"]
    assert 'sidelight_spans_dropped_total{cause="rejected"} 1.0' in metrics


async def test_an_answer_that_is_no_otlp_is_said(traced, collector):
    house = await traced()
    collector.answers.append(answered(200, body=b"<html>welcome</html>"))
    await house.fetch()

    assert "its answer is no OTLP" == (await house.event("spans_failed"))["reason"]


async def test_a_collector_that_is_away_and_comes_back(upstream, traced, collector):
    house = await traced()
    await collector.close()
    for _ in range(3):
        assert 200 == (await house.fetch()).status
    await house.event("spans_failed", reason="ConnectionRefusedError")
    await collector.open()
    await collector.trace(6)
    await house.event("spans_healed")

    assert 1 == len(house.all("spans_failed"))


async def test_a_collector_that_never_answers(traced, collector):
    house = await traced(tracing={"timeout": "50ms"})
    collector.answers.append(None)
    assert 200 == (await house.fetch()).status
    await house.event("spans_failed", reason="timeout")
    await collector.trace(2)

    assert 2 == len(collector.spans)


async def test_a_collector_that_drips_is_cut(traced, collector):
    house = await traced(tracing={"timeout": "100ms"})
    collector.answers.append(DRIPPED)
    await house.fetch()
    await house.event("spans_failed", reason="timeout")
    await collector.trace(2)


async def test_the_queue_is_bounded_and_losses_are_counted(traced, collector):
    house = await traced(tracing={"queue": 4})
    collector.answers.append(None)
    for _ in range(10):
        await house.fetch()
    metrics = (await house.admin("/metrics")).body.decode()
    dropped = re.search(r'spans_dropped_total\{cause="queue_full"\} ([\d.]+)', metrics)

    assert float(dropped[1]) >= 16 - 4
    assert re.search(r"sidelight_spans_queued [0-4]\.0", metrics)


async def test_what_waits_is_sent_at_the_end(upstream, collector):
    house = await House.start(upstream, tracing={"endpoint": collector.url, "interval": "60s"})
    await house.fetch()
    await house.stop()

    assert 2 == len(collector.spans)


async def test_the_end_does_not_wait_for_a_collector(upstream, collector):
    house = await House.start(
        upstream, tracing={"endpoint": collector.url, "interval": "60s", "timeout": "50ms"}
    )
    collector.answers += [None] * 100
    await house.fetch()
    async with asyncio.timeout(20):
        await house.stop()

    assert 2 == house.all("spans_dropped")[0]["dropped"]


async def test_variables_are_honoured(upstream, house, collector, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=a%20b")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop-proxy")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=prod")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "perhaps")
    house = await house()
    await house.fetch()
    server, _ = await collector.trace(2)
    ignored = await house.event("variable_ignored")

    assert ("shop-proxy", "prod") == (
        server.resource["service.name"],
        server.resource["deployment.environment.name"],
    )
    assert ("a b", "gzip") == (
        collector.heads[0]["x-api-key"],
        collector.heads[0]["content-encoding"],
    )
    assert "OTEL_TRACES_SAMPLER" == ignored["variable"]


@pytest.mark.parametrize(
    ("instance", "told"),
    [("pod-7", "pod-7"), (None, socket.gethostname())],
    ids=["as it is called", "else by its host"],
)
async def test_spans_name_the_instance_as_stories_do(upstream, traced, collector, instance, told):
    house = await traced(instance=instance)
    answer = await house.fetch()
    server, _ = await collector.trace(2)
    (story,) = await stories(house.app.admin_port, answer.header("X-Request-ID"))

    assert [told, told] == [server.resource["service.instance.id"], story["instance"]]


@pytest.fixture
async def closed_collector(authority):
    """One that takes spans only from who shows a certificate."""
    pair, made = authority.server(), Collector()
    made.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.tls.load_cert_chain(pair.certificate, pair.key)
    made.tls.load_verify_locations(authority.certificate)
    made.tls.verify_mode = ssl.CERT_REQUIRED
    async with made:
        yield made


def tls_of(authority, pair=None):
    shown = {"certificate": str(pair.certificate), "key": str(pair.key)} if pair else {}
    return {"ca_file": str(authority.certificate), **shown}


async def test_a_collector_is_shown_our_certificate(upstream, house, closed_collector, authority):
    rule = {"endpoint": closed_collector.url, "interval": "20ms"}
    house = await house(tracing=rule | tls_of(authority, authority.issue("DNS:us")))
    await house.fetch()

    assert 2 == len(await closed_collector.trace(2))
    assert [] == house.all("spans_failed")


async def test_variables_name_our_certificate(
    upstream, house, closed_collector, authority, monkeypatch
):
    pair = authority.issue("DNS:us")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", closed_collector.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(authority.certificate))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", str(pair.certificate))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CLIENT_KEY", str(pair.key))
    house = await house()
    await house.fetch()

    assert 2 == len(await closed_collector.trace(2))


async def test_who_shows_none_is_told_and_heals_once_it_is_there(
    upstream, house, closed_collector, authority, tmp_path
):
    """A file that comes later, or is renewed, holds with the next connection."""
    late, pair = tmp_path / "us.pem", authority.issue("DNS:us")
    rule = {"endpoint": closed_collector.url, "interval": "20ms", **tls_of(authority)}
    without = await house(tracing=rule)
    with_late = await house(tracing=rule | {"certificate": str(late)})
    assert 200 == (await without.fetch()).status
    assert 200 == (await with_late.fetch()).status
    refused = await without.event("spans_failed")
    missing = await with_late.event("spans_failed")
    late.write_bytes(pair.key.read_bytes() + pair.certificate.read_bytes())
    await with_late.event("spans_healed")

    # TLS 1.3: who refuses says so behind the handshake, and the end may overtake its alert
    cut = ("RemoteDisconnected", "ConnectionResetError", "BrokenPipeError")
    told = refused["reason"]
    assert told.startswith(cut) or (told.startswith("TLS: ") and "certificate" in told)
    assert f"tracing.certificate: {late} cannot be read" in missing["reason"]
    assert 2 == len(await closed_collector.trace(2))


async def test_story_page_explain_and_alert_link_to_the_trace(upstream, house):
    """Also where no spans are exported: then it is the client's trace."""
    link = "https://jaeger.example.com/trace/{trace_id}"
    house = await house(
        tracing={"link": link},
        retry={"attempts": 1},
        alerts={"errors": {"above": 0}, "every": "20ms"},
    )
    upstream.on("/", status(500))
    answer = await house.fetch("/", f"traceparent: {PARENT}")
    reference, url = answer.header("X-Request-ID"), link.format(trace_id=TRACE)
    (story,) = await stories(house.app.admin_port, reference)
    page = await ask(house.app.admin_port, f"/requests/{reference}")
    house.app.diagnostics.tick(now(), wall())
    (alert,) = (await ask(house.app.admin_port, "/api/alerts")).json()["alerts"]
    alerts_page = await ask(house.app.admin_port, "/alerts")

    assert url == story["trace_url"]
    assert f'href="{url}"'.encode() in page.body
    assert f"trace {url}".encode() in page.body
    assert {reference: url} == alert["traces"]
    assert f'href="{url}"'.encode() in alerts_page.body


async def test_at_load_every_exchange_has_its_spans_once(upstream, traced, collector):
    house = await traced()

    async def client():
        async with house.client() as one:
            for _ in range(50):
                await one.send(request("GET", "/"))
                await one.answer()

    await asyncio.gather(*(client() for _ in range(8)))
    await collector.trace(800)
    await eventually(lambda: len(house.all()) == 400)

    assert 800 == len({seen.span_id for seen in collector.spans}) == len(collector.spans)
    assert {event["span_id"] for event in house.all()} == {
        seen.span_id for seen in collector.spans if seen.kind == SERVER
    }


async def test_a_full_batch_does_not_wait_for_the_interval(upstream, traced, collector):
    house = await traced(tracing={"interval": "60s"})

    async def client():
        async with house.client() as one:
            for _ in range(65):
                await one.send(request("GET", "/"))
                await one.answer()

    await asyncio.gather(*(client() for _ in range(8)))
    await collector.trace(1024)

    assert 1 == len(collector.bodies)
