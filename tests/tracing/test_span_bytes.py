"""Spans that are written by hand are those that the library makes of the same record."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span, Status

from proxy import outcome as o
from proxy.attempt_record import Attempt
from proxy.exchange import Exchange
from proxy.tracing import conventions as c
from proxy.tracing.attempt_facts import code_of_attempt, end_of_attempt, url_of_attempt
from proxy.tracing.record import SpanRecord
from proxy.tracing.route_words import RouteWords
from proxy.tracing.spans import SpanWriter
from proxy.tracing.trace_flags import flags_of
from proxy.upstream.link import Link
from tests.house.collector import CLIENT, SERVER
from tests.records import attempt, exchange, fallen_back

ROUTES = {"chat": RouteWords("/api/", "/api"), "rest": RouteWords("/", None)}
WALL, BEGAN = 1_790_000_000.0, 100.0

TEXT = st.text(max_size=40) | st.integers(250, 17_000).map(lambda n: "x" * n)
"""Of each number of bytes that a length takes."""
MOMENT = st.floats(BEGAN, BEGAN + 100)
ID = st.integers(1, (1 << 64) - 1).map(lambda n: n.to_bytes(8, "big"))
IDS = st.lists(ID, min_size=4, max_size=4).map(b"".join)
PEERS = {
    "10.0.0.1:80": ("10.0.0.1", 80),
    "[::1]:8080": ("::1", 8080),
    "/run/a.sock": ("/run/a.sock", None),
    "192.0.2.7:9": ("192.0.2.7", 9),
    "": (None, None),
}
LINKS = st.none() | st.sampled_from(
    [Link(0.0, None, peer) for peer in (("10.0.0.1", 80), ("::1", 8080, 0, 0), "/run/a.sock", None)]
)
STATUS = st.none() | st.sampled_from([200, 204, 404, 500, 503])


@st.composite
def attempts(draw: st.DrawFn) -> Attempt:
    made = attempt(draw(st.sampled_from(["http://a:1", "https://b", "http://[::1]:8080/x"])))
    made.started, made.span_id, made.status = draw(MOMENT), draw(ID), draw(STATUS)
    made.reused, made.queued = draw(st.booleans()), draw(st.floats(0, 2))
    made.connect, made.head = draw(st.none() | st.floats(0, 2)), draw(st.none() | st.floats(0, 2))
    made.pause = draw(st.floats(0, 2))
    made.link = draw(LINKS)
    if made.status is None:
        made.fail(
            draw(st.sampled_from([o.HEAD_TIMEOUT, o.STALE_CONNECTION, o.UPSTREAM_RESET])), None
        )
    else:
        made.answer(made.status)
    return made


@st.composite
def exchanges(draw: st.DrawFn) -> Exchange:
    x = exchange(started=BEGAN, started_wall=WALL, ended=draw(MOMENT), request_id=draw(TEXT))
    x.method = draw(st.sampled_from(["GET", "POST", "BREW"]))
    x.target = draw(TEXT) + draw(st.sampled_from(["", "?"])) + draw(TEXT)
    x.host, x.user_agent = draw(st.sampled_from(["", "h", "h:8", "h:x", "["])), draw(TEXT)
    x.route = draw(st.sampled_from(["", "chat", "rest"]))
    x.upstream = draw(st.sampled_from(["up", "other"])) if x.route else ""
    x.phase, x.status, x.upstream_status = draw(st.sampled_from("RDS")), draw(STATUS), draw(STATUS)
    x.outcome = draw(st.none() | st.sampled_from([o.COMPLETED, o.UPSTREAM_ERROR, o.RATE_LIMITED]))
    x.attempts = draw(st.lists(attempts(), max_size=3))
    x.inband_error = draw(st.booleans())
    x.first_event = draw(st.none() | st.floats(0, 100))
    if draw(st.booleans()):
        x.fallback = fallen_back(draw(st.sampled_from(["", "spare"])), "spare", draw(attempts()))
    x.retry_stopped = draw(st.none() | st.just("budget"))
    x.streamed, x.events = draw(st.booleans()), draw(st.integers(0, 300))
    x.last_byte = draw(st.none() | st.floats(0, 100))
    x.span = SpanRecord(
        draw(IDS),
        draw(st.just(b"") | ID),
        flags_of(draw(st.integers(0, 255).map(lambda n: f"{n:02x}"))),
        draw(st.sampled_from(["http", "https", "http 1.0"])),
    )
    if x.attempts and draw(st.booleans()):
        x.attempts[-1].span_id = x.span.attempt_id
    return x


@st.composite
def usual(draw: st.DrawFn) -> Exchange:
    """One attempt that was answered and completed; few of each kind, so that some recur."""
    x = exchange(started=BEGAN, started_wall=WALL, ended=draw(MOMENT), request_id=draw(TEXT))
    x.method, x.host = draw(st.sampled_from(["GET", "BREW"])), draw(st.sampled_from(["h", "h:8"]))
    x.target = draw(st.sampled_from(["/api/a", "/api/a?b", "/c?", "", "/" + "x" * 17_000]))
    x.user_agent = draw(TEXT)
    x.route, x.upstream = draw(st.sampled_from(["chat", "rest"])), "up"
    x.status, x.upstream_status, x.outcome = draw(st.sampled_from([200, 204])), 200, o.COMPLETED
    x.last_byte = draw(st.none() | st.floats(0, 100))
    made = attempt(draw(st.sampled_from(["http://a:1", "https://b"])))
    made.started, made.head, made.reused = draw(MOMENT), draw(st.floats(0, 2)), draw(st.booleans())
    made.connect, made.queued = draw(st.none() | st.floats(0, 2)), draw(st.floats(0, 2))
    made.link = draw(LINKS)
    made.answer(draw(st.sampled_from([200, 204, 404])))
    x.attempts = [made]
    flags = flags_of(draw(st.sampled_from(["01", "03"])))
    x.span = SpanRecord(draw(IDS), draw(st.just(b"") | ID), flags)
    made.span_id = draw(st.just(x.span.attempt_id) | ID)
    return x


BESIDE = [
    lambda x: put_fields(x, streamed=True, events=3),
    lambda x: put_fields(x, inband_error=True),
    lambda x: put_fields(x, first_event=0.5),
    lambda x: put_fields(x, fallback=fallen_back("spare", "spare", attempt(span_id=b"\x11" * 8))),
    lambda x: put_fields(x, retry_stopped="budget"),
    lambda x: put_fields(x, outcome=None),
    lambda x: put_fields(x, outcome=o.STREAM_TRUNCATED),
    lambda x: put_fields(x, attempts=[]),
    lambda x: put_fields(x, attempts=[*x.attempts, attempt(span_id=b"\x22" * 8, status=200)]),
    lambda x: put_fields(x.attempts[0], head=None),
    lambda x: put_fields(x.attempts[0], status=None),
    lambda x: x.attempts[0].fail(o.UPSTREAM_RESET, None),
]


def put_fields(record: object, **fields: object) -> None:
    for name, value in fields.items():
        setattr(record, name, value)


def wall(at: float) -> int:
    return int((WALL + (at - BEGAN)) * 1e9)


def begun(x: Exchange, kind: int, span_id: bytes, parent_id: bytes) -> Span:
    is_remote = kind == SERVER and parent_id
    return Span(
        trace_id=x.span.ids[:16],
        span_id=span_id,
        parent_span_id=parent_id,
        flags=int(x.span.flags.digits, 16) | (0x300 if is_remote else 0x100),
        kind=kind,
    )


def put(span: Span, **told: object) -> None:
    """Attributes by the name of their constant; None: there is none."""
    for name, value in told.items():
        if value is None:
            continue
        kind = {str: "string_value", bool: "bool_value", int: "int_value"}[type(value)]
        setattr(span.attributes.add(key=getattr(c, name)).value, kind, value)


def put_method(span: Span, x: Exchange) -> str:
    is_known = x.method in c.METHODS
    put(span, METHOD=x.method if is_known else "_OTHER")
    put(span, METHOD_ORIGINAL=None if is_known else x.method)
    return x.method if is_known else "HTTP"


def put_place(span: Span, scheme: str, host: str) -> None:
    places = {
        "h": ("h", {"http": 80, "https": 443}[scheme]),
        "h:8": ("h", 8),
        "a:1": ("a", 1),
        "b": ("b", 443),
        "[::1]:8080/x": ("::1", 8080),
    }
    address, port = places.get(host, (None, None))
    put(span, SERVER_ADDRESS=address, SERVER_PORT=port)


def server(x: Exchange) -> Span:
    span, outcome = begun(x, SERVER, x.span.ids[16:24], x.span.parent_id), x.outcome
    span.start_time_unix_nano, span.end_time_unix_nano = wall(BEGAN), wall(x.ended)
    words = ROUTES.get(x.route)
    span.name = put_method(span, x) + (f" {words.path}" if words else "")
    scheme, _, version = x.span.protocol.partition(" ")
    put_place(span, scheme, x.host)
    path, _, query = x.target.partition("?")
    put(span, URL_SCHEME=scheme, URL_PATH=path, URL_QUERY=query or None)
    put(span, PROTOCOL_VERSION=version or "1.1")
    put(span, CLIENT_ADDRESS=x.client_ip, USER_AGENT=x.user_agent or None)
    if words:
        put(span, ROUTE=words.path, ROUTE_NAME=x.route, UPSTREAM=x.upstream)
    outcome = x.outcome or o.INTERNAL_ERROR
    put(span, REQUEST_ID=x.request_id, CODE=outcome.code, TERM=x.term, STATUS_CODE=x.status)
    is_error = o.is_error(outcome, x.upstream_status)
    theirs = outcome is o.UPSTREAM_ERROR and not is_error
    put(span, ERROR_TYPE=None if outcome is o.COMPLETED or theirs else outcome.code)
    is_cut = x.phase == "S" and x.status in (200, 204) and outcome.category != "client"
    if outcome is not o.COMPLETED and (is_error or is_cut or (x.status or 0) >= 500):
        span.status.code = Status.STATUS_CODE_ERROR
    put(
        span,
        RETRY_STOPPED=x.retry_stopped,
        FALLBACK=x.fallback.given or None if x.fallback else None,
    )
    put(span, EVENTS=x.events or None if x.streamed else None)
    put_events(span, x)
    return span


def client(x: Exchange, tried: Attempt, n: int, upstream: str) -> Span:
    span = begun(x, CLIENT, tried.span_id, x.span.ids[16:24])
    span.start_time_unix_nano = wall(tried.started)
    span.end_time_unix_nano = wall(end_of_attempt(x, tried, n))
    span.name = put_method(span, x)
    put_place(span, *tried.endpoint.split("://"))
    code = code_of_attempt(x, tried)
    put(span, UPSTREAM=upstream, REUSED=tried.reused, STATUS_CODE=tried.status)
    address, port = PEERS[tried.link.peer if tried.link else ""]
    put(span, PEER_ADDRESS=address, PEER_PORT=port)
    put(span, RESULT=tried.result, ERROR_TYPE=code or None, PROTOCOL_VERSION="1.1")
    put(span, URL_FULL=url_of_attempt(x, tried, ROUTES.get(x.route)))
    if code:
        span.status.code = Status.STATUS_CODE_ERROR
    if 0 < n < len(x.attempts):
        earlier = x.attempts[n - 1]
        cause = earlier.outcome.cause if earlier.outcome else None
        pause = int(earlier.pause * 1000)
        put(span, RESEND_COUNT=n, RETRY_CAUSE=cause or "status", RETRY_PAUSE=pause)
    return span


def expected(x: Exchange) -> list[Span]:
    made = [server(x)]
    made += [client(x, tried, n, x.upstream) for n, tried in enumerate(x.attempts)]
    if x.fallback is not None:
        made.append(client(x, x.fallback.attempt, len(x.attempts), x.fallback.upstream))
    return made


@pytest.mark.parametrize("n", range(len(BESIDE)))
@settings(max_examples=10)
@given(data=st.data())
def test_one_that_is_usual_but_for_one_thing_is_written_whole(n: int, data: st.DataObject) -> None:
    writer, told = SpanWriter(ROUTES), data.draw(usual())
    written(writer, told)  # and remembered
    BESIDE[n](told)

    assert [in_order(span) for span in expected(told)] == written(writer, told)


@pytest.mark.parametrize("name", ["method", "host", "upstream", "route", "status", "target"])
@given(data=st.data())
@settings(max_examples=10)
def test_what_is_asked_otherwise_than_before_is_told_so(name: str, data: st.DataObject) -> None:
    writer, told, other = SpanWriter(ROUTES), data.draw(usual()), data.draw(usual())
    written(writer, told)
    other.upstream, other.route = "other", "rest" if told.route == "chat" else "chat"
    setattr(told, name, getattr(other, name))

    assert [in_order(span) for span in expected(told)] == written(writer, told)


@pytest.mark.parametrize("name", ["endpoint", "reused", "status", "result", "link"])
@given(data=st.data())
@settings(max_examples=10)
def test_what_went_otherwise_than_before_is_told_so(name: str, data: st.DataObject) -> None:
    writer, told = SpanWriter(ROUTES), data.draw(usual())
    written(writer, told)
    (made,) = told.attempts
    others = {
        "endpoint": "https://b" if made.endpoint == "http://a:1" else "http://a:1",
        "reused": not made.reused,
        "status": 201,
        "result": "client_gone",
        "link": Link(0.0, None, ("192.0.2.7", 9)),
    }
    setattr(made, name, others[name])

    assert [in_order(span) for span in expected(told)] == written(writer, told)


def put_event(span: Span, at: float, name: str, key: str = "", value: object = None) -> None:
    event = span.events.add(name=name, time_unix_nano=wall(at))
    if key:
        kind = "int_value" if isinstance(value, int) else "string_value"
        setattr(event.attributes.add(key=key).value, kind, value)


def put_events(span: Span, x: Exchange) -> None:
    """As docs/tracing.md names them."""
    outcome, spare = x.outcome or o.INTERNAL_ERROR, x.fallback
    answered = spare.attempt if spare and spare.given else x.attempts[-1] if x.attempts else None
    if not x.attempts and not x.streamed:
        return
    if answered and answered.head is not None and answered.status is not None:
        at = answered.started + answered.queued + (answered.connect or 0.0) + answered.head
        put_event(span, at, c.HEAD, c.STATUS_CODE, answered.status)
    if x.first_event is not None:
        put_event(span, x.started + x.first_event, c.FIRST_EVENT)
    if x.streamed and x.last_byte is not None and outcome is not o.COMPLETED:
        gap = x.duration - x.last_byte  # no other silence was drawn
        if gap >= 1.0:
            put_event(span, x.started + x.last_byte, c.STALL, c.GAP, int(gap * 1000))
    if x.inband_error:
        put_event(span, x.ended, c.INBAND_ERROR, c.ERROR_TYPE, outcome.code)


def in_order(span: Span) -> Span:
    """The order of attributes means nothing."""
    attributes = sorted(span.attributes, key=lambda one: one.key)
    del span.attributes[:]
    span.attributes.extend(attributes)
    return span


def written(writer: SpanWriter, *told: Exchange) -> list[Span]:
    lines: list[bytes] = []
    for x in told:
        writer.put(lines, x)
    return [in_order(span) for span in ScopeSpans.FromString(b"".join(lines)).spans]


@given(st.lists(exchanges() | usual(), min_size=1, max_size=8))
def test_what_is_written_reads_as_the_library_would_have_written_it(told: list[Exchange]) -> None:
    twice = [*told, *told]  # the second time much is remembered
    wanted = [in_order(span) for x in twice for span in expected(x)]

    assert wanted == written(SpanWriter(ROUTES), *twice)
