"""From a Reference ID to the cause: every outcome is brought about over real sockets, its story is
looked up by the ID on the client's error, and the diagnosis is held against what really happened.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from proxy.clock import now
from proxy.outcome import OUTCOMES
from proxy.settings.schema import ResolvedRoute
from proxy.timing.loop_lag import stalled
from tests.house.admin import ask, stories
from tests.house.fault_upstream import (
    FaultUpstream,
    Script,
    Turn,
    close_before_head,
    never,
    raw,
    reset_before_head,
    sse,
    status,
)
from tests.house.house import House, free_port
from tests.house.raw_client import Answer, RawClient, eventually, request
from tests.house.streams import stream, the_error
from tests.house.test_client_gone_phases import full_house

OK = "HTTP/1.1 200 OK\r\n"
ONE, TWO, PING = "data: one\n\n", "data: two\n\n", ": ping\n\n"
ONCE = {"attempts": 1}
HOLD = {"stream": {"hold_first_event": True}}
ALL_SPENT = "No further attempt was made after 3 attempts: all attempts were spent."
NOT_SAFE = (
    "No further attempt was made after 1 attempt: "
    "the request may have arrived, and to repeat it is not safe."
)
INSIDE = "The client was told inside the stream."
BROKEN_OFF = "The connection to the client was broken off"
AT_ENDPOINT = "The endpoint {endpoint} of the chat upstream "
MAYBE_LEFT = "or it has a timeout of its own."


@dataclass(slots=True)
class Stage:
    """What a scene plays on."""

    upstream: FaultUpstream
    start: Callable[..., Awaitable[House]]
    patch: pytest.MonkeyPatch
    held: AsyncExitStack
    """Whatever must last until the story has been looked up."""


Play = Callable[[Stage, House], Awaitable[str]]
"""Brings it about; gives the Reference ID as the client was told it."""


@dataclass(frozen=True)
class Scene:
    """What happens, and what the story must then say. `told` stands in the diagnosis;
    `{endpoint}` in it is the upstream's address, a number in brackets `<80-990 ms>` a measured one.
    """

    code: str
    play: Play
    told: tuple[str, ...]
    got: str
    status: int
    scripts: tuple[Script, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    attempts: int = 1
    ran_out: str | None = None
    """The clock that did, with its configured milliseconds."""
    configured_ms: float = 0.0
    refused_by: str | None = None
    runbook: str | None = None
    """Where what is proven asks for another than that of the code."""


def reference_of(answer: Answer) -> str:
    """The ID in the error itself where there is one, and it is that of the header."""
    reference = answer.header("X-Request-ID")
    if answer.header("X-Sidelight-Error"):
        assert not answer.body or reference == answer.json()["request_id"]
    elif b"event: error\n" in answer.body:
        assert reference == the_error(answer)["request_id"]
    assert reference
    return reference


def asks(method: str = "GET", body: bytes = b"", path: str = "/x") -> Play:
    async def play(_stage: Stage, house: House) -> str:
        return reference_of(await house.fetch(path, method=method, body=body))

    return play


async def asks_when_none_is_healthy(_stage: Stage, house: House) -> str:
    views = house.app.upstreams["chat"].endpoint_views
    await eventually(lambda: views()[0].status == "down", patience=30)
    return reference_of(await house.fetch("/x"))


def sends(*segments: bytes | str) -> Play:
    async def play(_stage: Stage, house: House) -> str:
        async with house.client() as client:
            await client.send(*segments)
            return reference_of(await client.answer())

    return play


def says(body: bytes) -> Play:
    """JSON, counted."""
    head = request("POST", "/x", "Content-Type: application/json", f"Content-Length: {len(body)}")
    return sends(head + body)


def leaves(mark: bytes) -> Play:
    """The client leaves; it knows the ID because it chose it."""

    async def play(stage: Stage, house: House) -> str:
        async with house.client() as client:
            await client.send(request("GET", "/x", "X-Request-ID: mine-1"))
            await eventually(lambda: stage.upstream.seen)
            if mark:
                await client.until(mark)
        await house.event()
        return "mine-1"

    return play


async def reads_nothing(stage: Stage, house: House) -> str:
    client = await stage.held.enter_async_context(RawClient(house.port, read_ahead=1024))
    await client.send(request("GET", "/x"))
    head = await client.head()
    await house.event()
    return head.header("X-Request-ID")


async def fills_the_pool(stage: Stage, house: House) -> str:
    busy = await stage.held.enter_async_context(house.client())
    await busy.send(request("GET", "/x"))
    await eventually(lambda: stage.upstream.seen)
    return reference_of(await house.fetch("/other"))


async def crowds_in(stage: Stage, house: House) -> str:
    """Heads that do not end, until no more of them is held."""
    for _ in range(2):
        client = await stage.held.enter_async_context(house.client())
        await client.send(b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 30_000)
    client = await stage.held.enter_async_context(house.client())
    await client.send(b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 30_000)
    return reference_of(await client.answer())


async def asks_twice(_stage: Stage, house: House) -> str:
    await house.fetch("/x")
    return reference_of(await house.fetch("/x", method="POST", body=b"once"))


async def finds_it_closed(_stage: Stage, house: House) -> str:
    await house.fetch("/x")
    house.lose_kept_connections()
    return reference_of(await house.fetch("/x", method="POST", body=b"once"))


async def uploads_to_nobody(_stage: Stage, house: House) -> str:
    async with house.client() as client:
        uploading = asyncio.create_task(
            client.send(request("POST", "/x", body=b"x" * (32 << 20)))  # more than kernels take
        )
        answer = await client.answer()
        uploading.cancel()
        await asyncio.gather(uploading, return_exceptions=True)
    return reference_of(answer)


async def stops_while_asked(stage: Stage, house: House) -> str:
    async with house.client() as client:
        await client.send(request("GET", "/x"))
        await eventually(lambda: stage.upstream.seen)
        await house.app.drain(delay=0, limit=0.05, cause="test")
        return reference_of(await client.answer())


async def stops_while_streaming(stage: Stage, house: House) -> str:
    async with house.client() as client:
        await client.send(request("GET", "/x"))
        head = await client.head()
        head.body = await client.chunk()
        await house.app.drain(delay=0, limit=0.05, cause="test")
        while piece := await client.chunk():
            head.body += piece
    return reference_of(head)


async def finds_a_bug(stage: Stage, house: House) -> str:
    def broken(*_args: object, **_more: Any) -> None:
        raise ZeroDivisionError("of the scene's own")

    stage.patch.setattr(ResolvedRoute, "encoded_slash", property(broken), raising=False)
    reference = reference_of(await house.fetch("/%78"))
    (group,) = (await ask(house.app.admin_port, "/api/errors")).json()["groups"]
    one = (await ask(house.app.admin_port, f"/api/errors/{group['fingerprint']}")).json()
    assert "ZeroDivisionError" in one["trace"]
    assert [reference] == group["samples"]
    return reference


async def deaf(turn: Turn) -> None:
    """Takes the head and reads no byte more."""
    turn.connection.transport.pause_reading()
    await turn.gone()


def scene(name: str, code: str, play: Play, *told: str, got: str, status: int, **rest: Any):
    return pytest.param(Scene(code, play, told, got, status, **rest), id=name)


def refused(name: str, code: str, play: Play, *told: str, status: int, by: str, **rest: Any):
    """By us, before the upstream was asked."""
    rest = {"attempts": 0, "refused_by": by} | rest
    told += (f"The client got {status} {code}.",)
    return scene(name, code, play, *told, got="own_answer", status=status, **rest)


def failed(name: str, code: str, play: Play, *told: str, status: int = 502, **rest: Any):
    """The upstream broke before its head."""
    told += (f"The client got {status} {code}.",)
    return scene(name, code, play, *told, got="own_answer", status=status, **rest)


def broke(name: str, code: str, *told: str, got: str = "in_band_error", **rest: Any):
    """The answer broke after its head."""
    told += (INSIDE if got == "in_band_error" else BROKEN_OFF,)
    return scene(name, code, asks(), *told, got=got, status=200, **rest)


SCENES = [
    scene("whole", "completed", asks(), AT_ENDPOINT + "answered 200", "was passed on after",
          got="answer", status=200),
    scene("a whole stream", "completed", asks(), "It was a stream of 2 events",
          "its longest silence <80-900 ms>", got="answer", status=200,
          scripts=(sse(ONE, 0.1, TWO),)),
    scene("rescued", "completed", asks(), "of the chat upstream answered 200",
          "Attempt 1 at {endpoint} ended as reset", "and was repeated",
          got="answer", status=200, attempts=2, scripts=(reset_before_head, status(200))),
    scene("their own 500", "upstream_error", asks(), AT_ENDPOINT + "answered 500",
          "The circuit stayed closed (1 of 1 attempt failed in 30 s)",
          got="answer", status=500, scripts=(status(500),)),
    scene("their own 503, tried thrice", "upstream_error", asks(),
          AT_ENDPOINT + "answered 503",
          "Attempt 2 at {endpoint} ended as status 503", ALL_SPENT,
          "(3 of 3 attempts failed in 30 s)",
          got="answer", status=503, attempts=3, scripts=(status(503),)),
    refused("bad", "bad_request", sends("GET / HTTP/1.1\r\nX : a\r\n\r\n"),
            "broke the rules of HTTP", status=400, by="request"),
    refused("huge head", "headers_too_large",
            sends(request("GET", "/x", "X: " + "a" * 40_000)),
            "headers of the request were over the limit", status=431, by="request"),
    refused("long address", "uri_too_long", sends(request("GET", "/" + "a" * 20_000)),
            "request line was over the limit", status=414, by="request"),
    refused("huge body", "body_too_large", asks("POST", b"x" * 2000), "over the limit of 1024 bytes"
            " of the route all", status=413, by="route_limits", settings={"max_body": "1KiB"}),
    refused("half a head", "request_timeout", sends("GET /x HTTP/1.1\r\nHo"),
            "began a request and did not finish it; its headers did not arrive in time",
            status=408, by="request",
            settings={"listen": {"request_head": "80ms"}}),
    refused("half a body", "request_timeout",
            sends("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n", "12345"),
            "its body did not arrive whole", "the request_body_gap limit of 80 ms ended the wait",
            status=408, by="", attempts=1, settings={"timeouts": {"request_body_gap": "80ms"}},
            ran_out="request_body_gap", configured_ms=80),
    refused("a long upload", "request_timeout",
            sends("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n", "12345"),
            "its body did not arrive whole", "the request_body limit of 80 ms ended the wait",
            status=408, by="", attempts=1, settings={"timeouts": {"request_body": "80ms"}},
            ran_out="request_body", configured_ms=80),
    refused("tunnel", "not_implemented", sends("CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n"),
            "something that Sidelight does not do", "CONNECT", status=501, by="request"),
    refused("HTTP/2.0", "http_version_not_supported",
            sends("GET / HTTP/2.0\r\nHost: h\r\n\r\n"),
            "a version of HTTP that is not supported", status=505, by="request"),
    refused("nowhere", "route_not_found", asks(path="/else"),
            "No route matches the host and path", status=404, by="route",
            settings={"route": {"match": {"path": "/only"}}}),
    refused("another method", "method_not_allowed", asks("DELETE"),
            "none of them takes the method DELETE", status=405, by="route",
            settings={"route": {"match": {"path": "/x", "methods": ["GET"]}}}),
    refused("another page", "preflight_refused",
            sends(request("OPTIONS", "/x", "Origin: https://evil.example",
                          "Access-Control-Request-Method: POST")),
            "granted nothing (refused by cors.origins of the route all",
            "origin https://evil.example, method POST", status=204, by="route",
            settings={"cors": {"origins": ["https://app.example"]}}),
    refused("a WebSocket", "upgrade_not_allowed",
            sends(request("GET", "/x", "Upgrade: websocket", "Connection: Upgrade")),
            "asked for a WebSocket, which the route all does not allow", status=426,
            by="route_limits"),
    refused("unfinished heads", "overload_shed", crowds_in,
            "refused before anything else (listen.unread_bytes: too much is held)",
            status=503, by="listener", settings={"listen": {"unread_bytes": "64KiB"}}),
    refused("a long message", "message_too_long", says(b'{"m": "abc"}'),
            "The message in the JSON of the request was longer than the route all takes"
            " (3 characters at /m, more than 2)", status=422, by="message",
            settings={"route": {"message": {"pointer": "/m", "max_length": 2}}}),
    refused("an empty message", "message_empty", says(b'{"m": ""}'),
            "had no message in it, or an empty one (only blanks at /m)", status=422, by="message",
            settings={"route": {"message": {"pointer": "/m"}}}),
    refused("no JSON", "media_type_not_supported", asks("POST", b"x"),
            "of a type that the route all does not take (content type none)", status=415,
            by="content_type", settings={"route": {"content_types": ["application/json"]}}),
    refused("in the clear", "https_required", asks(),
            "The client came by plain HTTP, and the route all is for https only", status=403,
            by="https", settings={"route": {"require_https": "refuse"}}),
    refused("one too many", "concurrency_limited", fills_the_pool,
            "As many requests were under way as may be, and there was no room in the queue"
            " (1 under way and 0 in the queue)", status=503, by="concurrency", scripts=(never,),
            settings={"route": {"concurrency": {"limit": 1, "queue": 0}}}),
    refused("waited", "queue_timeout", fills_the_pool,
            "No place on the route all came free within <300-999 ms>", status=503,
            by="concurrency", scripts=(never,),
            settings={"route": {"concurrency": {"limit": 1, "wait": "900ms"}}}),
    refused("two at once", "client_concurrency_limited", fills_the_pool,
            "The client had as many requests under way on the route all as one client may have"
            " (1 under way already, by address 127.0.0.1)", status=429, by="concurrency",
            scripts=(never,), settings={"route": {"concurrency": {"per_client": 1}}}),
    refused("too often", "rate_limited", asks_twice,
            "The client asked more often than the route all lets it (rate_limit all: no leave for",
            "(1/30s, burst 1, by address 127.0.0.1)", "The client was asked to wait <20-30 s>",
            status=429, by="rate_limit", settings={"route": {"rate_limit": [{"rate": "1/30s"}]}}),
    refused("no connection", "pool_timeout", fills_the_pool,
            "No connection to the chat upstream came free within <300-999 ms>",
            "the pool_wait limit of 900 ms", status=503, by="pool", scripts=(never,),
            settings={"upstream": {"pool": {"size": 1}}, "timeouts": {"pool_wait": "900ms"}},
            ran_out="pool_wait", configured_ms=900),
    refused("open", "circuit_open", asks_twice, "The circuit of the route all was open",
            "the chat upstream was not asked", "The client was asked to wait <20-40 s>",
            "The circuit stayed open", status=503, by="breaker", scripts=(status(503),),
            settings={"breaker": {"consecutive": 1, "cool_down": "30s"}, "retry": ONCE}),
    refused("cooling", "upstream_cooling_down", asks_twice,
            "The chat upstream had asked for rest", "The client was asked to wait <3-6 s>",
            status=503, by="breaker", scripts=(status(429, "Retry-After: 5"),),
            settings={"breaker": {"cool_down_on_429": True}, "retry": ONCE}),
    refused("all down", "no_healthy_upstream", asks_when_none_is_healthy,
            "The health checks had found no endpoint of the chat upstream healthy",
            "(1 of 1 endpoints are down; http://127.0.0.1:", "2 checks in a row: status 500)",
            "The client was asked to wait", status=503, by="endpoints", scripts=(status(500),),
            settings={"upstream": {"health": {
                "path": "/x", "interval": "100ms", "timeout": "5s", "down_after": 2}}}),
    failed("stopping", "draining", stops_while_asked, "Sidelight was shutting down",
           status=503, scripts=(never,), refused_by="drain"),
    failed("refused", "connect_refused", asks("POST", b"x"),
           "The endpoint {endpoint} refused the connection",
           "Attempt 1 at {endpoint} ended as connect_refused", "nothing sent", ALL_SPENT,
           attempts=3),
    failed("no name", "dns_failure", asks(),
           "The name of the endpoint {endpoint} has no address", attempts=3),
    failed("full", "connect_timeout", asks(), "No connection to the endpoint {endpoint} came about",
           "the connect limit of 80 ms", status=504,
           settings={"timeouts": {"connect": "80ms"}, "retry": ONCE},
           ran_out="connect", configured_ms=80),
    failed("no TLS", "tls_failure", asks(), "No TLS came about with the endpoint https://",
           "the retry rule does not ask for it"),
    failed("deaf", "upstream_write_failed", uploads_to_nobody,
           "The connection to the endpoint {endpoint} broke while the request was being sent",
           "stopped reading", NOT_SAFE, scripts=(deaf,),
           settings={"timeouts": {"gap": "100ms"}}),
    failed("stale", "stale_connection", finds_it_closed,
           "The endpoint {endpoint} closed a kept connection"
           " before a byte of the request was acknowledged",
           "No further attempt was made after 1 attempt: all attempts were spent.",
           settings={"retry": ONCE}),
    failed("lost at work", "upstream_reset", asks_twice,
           "closed a reused connection without an answer, when it had been sent the request",
           NOT_SAFE, scripts=(status(200), close_before_head)),
    failed("lost, and asked again", "upstream_reset", asks(),
           "The endpoint {endpoint} closed a new connection without an answer", ALL_SPENT,
           "Attempt 1 at {endpoint} ended as reset",
           "The circuit stayed closed (3 of 3 attempts failed in 30 s)",
           attempts=3, scripts=(reset_before_head,)),
    failed("lost, and not asked again", "upstream_reset", asks("POST", b"x"),
           "closed a new connection without an answer", NOT_SAFE, scripts=(reset_before_head,)),
    failed("lost, and the circuit opened", "upstream_reset", asks(),
           "The circuit went from closed to open", "the circuit had opened", attempts=2,
           scripts=(reset_before_head,), settings={"breaker": {"consecutive": 2}}),
    failed("silent", "head_timeout", asks(), "The endpoint {endpoint} was sent the request",
           "no head of an answer after <75-990 ms>", "the head limit of 80 ms ended the attempt",
           "the retry rule does not ask for it", status=504, scripts=(never,),
           settings={"timeouts": {"head": "80ms"}}, ran_out="head", configured_ms=80),
    failed("garbage", "upstream_protocol_error", asks(),
           "The answer of the endpoint {endpoint} broke the rules of HTTP",
           "the retry rule does not ask for it", scripts=(raw("garbage\r\n\r\n"),)),
    failed("a huge head of theirs", "upstream_headers_too_large", asks(),
           "The head of the answer of the endpoint {endpoint} was over the limits of the upstream",
           scripts=(raw(f"{OK}X: {'a' * 70_000}\r\nContent-Length: 0\r\n\r\n"),)),
    failed("no time left", "total_timeout", asks(), AT_ENDPOINT + "had been sent the request",
           "after <75-990 ms> the total limit of 80 ms ended the exchange", status=504,
           scripts=(never,), settings={"timeouts": {"head": "10s", "total": "80ms"}},
           ran_out="total", configured_ms=80),
    failed("held and silent", "first_event_timeout", asks(), "sent the head of a stream",
           "and then no data event", "the first_event limit of 80 ms", status=504,
           scripts=(stream(PING, then="silent"),), ran_out="first_event", configured_ms=80,
           settings={"route": HOLD, "timeouts": {"first_event": "80ms"}}),
    broke("no first event", "first_event_timeout", "sent the head of a stream",
          "the first_event limit of 80 ms ended it", scripts=(stream(PING, then="silent"),),
          settings={"timeouts": {"first_event": "80ms"}}, ran_out="first_event", configured_ms=80),
    broke("stalled", "stream_stalled", "accepted the request and sent 2 events",
          "then nothing for <75-990 ms>", "the gap limit of 80 ms ended the answer",
          "The circuit stayed closed (1 of 1 attempt failed in 30 s)",
          scripts=(stream(ONE, 0.02, TWO, then="silent"),),
          settings={"timeouts": {"gap": "80ms"}}, ran_out="gap", configured_ms=80),
    broke("only comments", "stream_stalled", "sent 1 event (", "the event_gap limit of 100 ms",
          "then bytes without an event in them", "See runbook: event_gap.",
          scripts=(stream(ONE, *[0.03, PING] * 40),),
          settings={"timeouts": {"event_gap": "100ms"}}, ran_out="event_gap", configured_ms=100,
          runbook="event_gap"),
    broke("half a body and silence", "stream_stalled", "sent 4 of the 9 bytes that it had",
          "then nothing for <75-990 ms>", got="aborted", runbook="body_stalled",
          scripts=(raw(f"{OK}Content-Length: 9\r\n\r\nhalf"),),
          settings={"timeouts": {"gap": "80ms"}}, ran_out="gap", configured_ms=80),
    scene("their own error", "stream_error", asks(), "sent 2 events (",
          "an error of its own among them",
          "the upstream sent an error as data (overloaded)", got="answer", status=200,
          scripts=(stream(ONE, 'data: {"error": {"code": "overloaded"}}\n\n'),)),
    scene("nothing said", "stream_empty", asks(), "ended its stream well",
          "without one event in it", got="answer", status=200, scripts=(stream(PING),)),
    broke("cut", "stream_truncated", "sent 1 event (", "then closed without the last chunk",
          scripts=(stream(ONE, "data: ha", then="cut"),)),
    broke("cut in a body", "stream_truncated", "sent 4 of the 9 bytes that it had announced",
          "then closed before the answer had ended as announced", got="aborted",
          scripts=(raw(f"{OK}Content-Length: 9\r\n\r\nhalf", then="close"),)),
    broke("unmarked", "stream_truncated", "sent 1 event (", "but without the end marker",
          scripts=(stream(ONE),), runbook="no_end_marker",
          settings={"route": {"stream": {"end_marker": {"mode": "strict", "data": "[DONE]"}}}}),
    broke("reset", "stream_reset", "sent 1 event (", "then the connection was reset",
          scripts=(stream(ONE, then="reset"),)),
    broke("malformed", "stream_malformed", "sent 1 event (", "then bytes that make no sense",
          scripts=(stream(ONE, then="malformed"),)),
    broke("endless", "stream_max_duration", "was still sending after <95-990 ms>",
          "the max_stream limit of 100 ms ended the answer",
          scripts=(stream(*[ONE, 0.01] * 400),), settings={"timeouts": {"max_stream": "100ms"}},
          ran_out="max_stream", configured_ms=100),
    failed("too large", "response_too_large", asks(),
           "was over the 10 bytes that the route all passes on (11 bytes)",
           scripts=(status(200, body=b"x" * 11),), settings={"route": {"max_response": "10B"}}),
    broke("too long a stream", "response_too_large",
          "was over the 30 bytes that the route all passes on (over 30 bytes)",
          scripts=(sse(ONE, ONE, ONE, ONE, ONE, ONE, ONE),),
          settings={"route": {"max_response": "30B"}}),
    scene("stopping a stream", "drain_cut", stops_while_streaming, "Sidelight was shutting down",
          "1 event so far", INSIDE, got="in_band_error", status=200,
          scripts=(stream(ONE, then="silent"),)),
    scene("left early", "client_closed_request", leaves(b""), "The client left after",
          "while the head of the answer was awaited", MAYBE_LEFT, got="client_left", status=499,
          scripts=(never,)),
    scene("left a stream", "client_closed_stream", leaves(b"one\n\n"), "The client left after",
          "when it had been sent 1 event (", MAYBE_LEFT, got="client_left", status=200,
          scripts=(stream(ONE, then="silent"),)),
    scene("does not read", "client_too_slow", reads_nothing, "The client did not read",
          "the client_write limit of 150 ms ended the answer", BROKEN_OFF, got="aborted",
          status=200, scripts=(stream(*["data: " + "x" * 65528 + "\n\n"] * 400),),
          settings={"timeouts": {"client_write": "150ms"}}, ran_out="client_write",
          configured_ms=150),
    failed("our own fault", "internal_error", finds_a_bug, "A bug of Sidelight's own",
           "its stack trace is kept with the error group", status=500, attempts=0),
]  # fmt: skip

OTHERWISE = {"proxy_loop": "two exchanges under one ID: a scene of its own below"}
"""Codes that are not in the table, with the reason."""


def test_every_code_has_its_scene():
    shown = {param.values[0].code for param in SCENES}

    assert set(OUTCOMES) == shown | set(OTHERWISE)
    assert set() == shown & set(OTHERWISE)


@pytest.fixture
async def stage(upstream, house, monkeypatch):
    async with AsyncExitStack() as held:
        yield Stage(upstream, house, monkeypatch, held)


@pytest.mark.parametrize("case", SCENES)
async def test_the_id_on_the_error_leads_to_the_truth(stage: Stage, case: Scene):
    settings, endpoint = await set_up(stage, case)
    house = await stage.start(**settings)
    if case.scripts:
        stage.upstream.on("/x", *case.scripts)
    reference = await case.play(stage, house)
    (story,) = await stories(house.app.admin_port, reference)
    event = await house.event(request_id=reference)

    check_facts(case, story)
    check_diagnosis(case, story, endpoint)
    check_agreement(story, event)


async def set_up(stage: Stage, case: Scene) -> tuple[dict[str, Any], str]:
    """Settings and address of the endpoint, where that is not our upstream."""
    settings, endpoint = dict(case.settings), stage.upstream.url
    match case.code:
        case "connect_refused":
            await stage.upstream.refuse()
        case "connect_timeout":
            endpoint = f"http://127.0.0.1:{stage.held.enter_context(full_house())}"
            settings["upstream"] = {"endpoints": [endpoint]}
        case "dns_failure":
            endpoint = f"http://{'a' * 64}.invalid:1"  # too long a name to ask the world for
            settings["upstream"] = {"endpoints": [endpoint]}
        case "tls_failure":
            endpoint = await plain_server(stage.held)
            settings["upstream"] = {"endpoints": [endpoint]}
    return settings, endpoint


async def plain_server(held: AsyncExitStack) -> str:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await held.enter_async_context(await asyncio.start_server(plain, "127.0.0.1", 0))
    return f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def check_facts(case: Scene, story: dict[str, Any]) -> None:
    outcome = OUTCOMES[case.code]

    assert (case.code, case.status) == (story["code"], story["status"])
    assert outcome.term[0] == story["term"][0]
    assert case.attempts == len(story["attempts"])
    assert case.got == story["client"]["got"]
    assert expected_runbook(case, story) == story["runbook"]
    over = [clock for clock in story["clocks"] if clock["ran_out"]]
    assert ([case.ran_out] if case.ran_out else []) == [clock["clock"] for clock in over]
    for clock in over:
        assert case.configured_ms == clock["configured_ms"]
        # as long as the machine stood still does not count as waited
        assert 0.3 * clock["configured_ms"] <= clock["elapsed_ms"] < story["duration_ms"] + 1
    refusing = [guard["guard"] for guard in story["guards"] if guard["decision"] == "refused"]
    assert ([case.refused_by] if case.refused_by else []) == refusing


def expected_runbook(case: Scene, story: dict[str, Any]) -> str:
    """Where the machine stood still for most of the time, that is what a clock of it shows."""
    paused = story.get("stalled_ms", 0.0) >= story["duration_ms"] / 2
    is_of_time = case.ran_out or case.code == "queue_timeout"
    return "own_pause" if is_of_time and paused else case.runbook or case.code


def check_diagnosis(case: Scene, story: dict[str, Any], endpoint: str) -> None:
    """`<80-990 ms>` stands for one measured length within those bounds."""
    diagnosis = story["diagnosis"]
    for words in case.told:
        pattern = re.escape(words.replace("{endpoint}", endpoint))
        bounds = re.search(r"<(\d+)\\-(\d+)\\ (m?s)>", pattern)
        if bounds:
            pattern = pattern.replace(bounds[0], rf"(\d+(?:\.\d+)?) {bounds[3]}")
        found = re.search(pattern, diagnosis)

        assert found, f"{words!r} is not in {diagnosis!r}"
        assert not bounds or float(bounds[1]) <= float(found[1]) <= float(bounds[2]), diagnosis
    assert diagnosis.endswith(f"See runbook: {expected_runbook(case, story)}.")
    assert ["Proven", "Likely", "Next check"] == [
        line.partition(":")[0] for line in diagnosis.splitlines()
    ]
    for inference in ("nobody's failure", "the error is its own", "while it idled"):
        assert inference not in diagnosis
    assert "None" not in diagnosis
    assert "{" not in diagnosis


def check_agreement(story: dict[str, Any], event: dict[str, Any]) -> None:
    """Story and log line are made of the same record."""
    for name in ("request_id", "code", "term", "status", "method", "path", "duration_ms",
                 "bytes_in", "bytes_out", "config_hash", "overhead_ms"):  # fmt: skip
        assert story.get(name) == event.get(name), name
    assert len(story["attempts"]) == event.get("attempts", 0)
    results = tuple(attempt["result"] for attempt in story["attempts"])
    assert results == event.get("attempt_results", ())
    assert story.get("retry_stopped") == event.get("retry_stopped")


async def test_a_loop_leaves_two_stories_under_one_id(upstream, house):
    port = free_port()
    house = await house(listen={"port": port}, upstream={"endpoints": [f"http://127.0.0.1:{port}"]})
    reference = reference_of(await house.fetch("/x"))
    await eventually(lambda: len(house.all()) == 2)
    outer, inner = await stories(house.app.admin_port, reference)

    assert ("upstream_error", 508, 1) == (outer["code"], outer["status"], len(outer["attempts"]))
    assert "of the chat upstream answered 508" in outer["diagnosis"]
    assert ("proxy_loop", 508, []) == (inner["code"], inner["status"], inner["attempts"])
    assert "One of the endpoints leads back to Sidelight" in inner["likely"]
    assert {"guard": "request", "decision": "refused"} in inner["guards"]


async def test_every_attempt_is_told_with_why_it_was_followed_by_another(upstream, house):
    house = await house(retry={"first_pause": "20ms", "max_pause": "20ms"})
    upstream.on("/x", reset_before_head, status(503), status(200))
    reference = reference_of(await house.fetch("/x"))
    (story,) = await stories(house.app.admin_port, reference)
    first, second, third = story["attempts"]

    assert ("retried", "reset", True) == (first["then"], first["why"], first["sent"])
    assert ("retried", "status", 503) == (second["then"], second["why"], second["status"])
    assert ("answered", 200) == (third["then"], third["status"])
    assert first["budget_left"] > second["budget_left"]
    assert 10 <= first["pause_ms"] <= 30
    assert story["times"]["paused_ms"] >= 0.9 * (first["pause_ms"] + second["pause_ms"])
    assert first["at_ms"] < second["at_ms"] < third["at_ms"] <= story["duration_ms"]


async def test_the_timeline_of_a_stream_is_the_one_that_was_played(upstream, house):
    house = await house(timeouts={"gap": "400ms"})
    upstream.on("/x", stream(0.05, ONE, 0.02, TWO, 0.15, TWO + "data: ha", then="silent"))
    began = now()
    reference = reference_of(await house.fetch("/x"))
    late = 1000 * stalled(began, now())  # what was read late was sent in time
    (story,) = await stories(house.app.admin_port, reference)
    told = story["stream"]

    assert told["head_ms"] + 45 - late <= told["first_event_ms"] < told["max_gap_at_ms"] + 1
    assert (3, len("data: ha")) == (told["events"], told["held_bytes"])
    passed = told["last_byte_ms"] - told["first_event_ms"]
    assert 165 - late <= passed
    assert 0 < told["max_gap_ms"] <= passed  # what the machine stalled is no silence
    assert told["last_byte_ms"] >= told["max_gap_at_ms"] + told["max_gap_ms"] - 1
    assert 395 <= told["silent_ms"] <= story["duration_ms"]
    assert "sent 3 events" in story["diagnosis"]
