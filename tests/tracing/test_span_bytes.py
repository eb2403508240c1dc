"""Spans that are written by hand are those that the library makes of the same record."""

from hypothesis import given
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
from tests.house.collector import CLIENT, SERVER
from tests.records import attempt, exchange, fallen_back

ROUTES = {"chat": RouteWords("/api/", "/api"), "rest": RouteWords("/", None)}
WALL, BEGAN = 1_790_000_000.0, 100.0

TEXT = st.text(max_size=40) | st.integers(250, 17_000).map(lambda n: "x" * n)
"""Of each number of bytes that a length takes."""
MOMENT = st.floats(BEGAN, BEGAN + 100)
HEX = st.integers(1, (1 << 64) - 1).map(lambda n: f"{n:016x}")
STATUS = st.none() | st.sampled_from([200, 204, 404, 500, 503])


@st.composite
def attempts(draw: st.DrawFn) -> Attempt:
    made = attempt(draw(st.sampled_from(["http://a:1", "https://b", "http://[::1]:8080/x"])))
    made.started, made.span_id, made.status = draw(MOMENT), draw(HEX), draw(STATUS)
    made.reused, made.queued = draw(st.booleans()), draw(st.floats(0, 2))
    made.connect, made.head = draw(st.none() | st.floats(0, 2)), draw(st.none() | st.floats(0, 2))
    made.pause = draw(st.floats(0, 2))
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
    if draw(st.booleans()):
        x.fallback = fallen_back(draw(st.sampled_from(["", "spare"])), "spare", draw(attempts()))
    x.retry_stopped = draw(st.none() | st.just("budget"))
    x.streamed, x.events = draw(st.booleans()), draw(st.integers(0, 300))
    x.last_byte = draw(st.none() | st.floats(0, 100))
    x.span = SpanRecord(
        draw(HEX) + draw(HEX),
        draw(HEX),
        draw(st.just("") | HEX),
        draw(st.integers(0, 255).map(lambda n: f"{n:02x}")),
    )
    x.span.scheme = draw(st.sampled_from(["http", "https"]))
    return x


def wall(at: float) -> int:
    return int((WALL + (at - BEGAN)) * 1e9)


def begun(x: Exchange, kind: int, span_id: str, parent_id: str) -> Span:
    is_remote = kind == SERVER and parent_id
    return Span(
        trace_id=bytes.fromhex(x.span.trace_id),
        span_id=bytes.fromhex(span_id),
        parent_span_id=bytes.fromhex(parent_id),
        flags=int(x.span.flags, 16) | (0x300 if is_remote else 0x100),
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
    span, outcome = begun(x, SERVER, x.span.span_id, x.span.parent_id), x.outcome
    span.start_time_unix_nano, span.end_time_unix_nano = wall(BEGAN), wall(x.ended)
    words = ROUTES.get(x.route)
    span.name = put_method(span, x) + (f" {words.path}" if words else "")
    put_place(span, x.span.scheme, x.host)
    path, _, query = x.target.partition("?")
    put(span, URL_SCHEME=x.span.scheme, URL_PATH=path, URL_QUERY=query or None)
    put(span, CLIENT_ADDRESS=x.client_ip, USER_AGENT=x.user_agent or None)
    if words:
        put(span, ROUTE=words.path, ROUTE_NAME=x.route, UPSTREAM=x.upstream)
    outcome = x.outcome or o.INTERNAL_ERROR
    put(span, REQUEST_ID=x.request_id, CODE=outcome.code, TERM=x.term, STATUS_CODE=x.status)
    is_error = o.is_error(outcome, x.upstream_status)
    theirs = outcome is o.UPSTREAM_ERROR and not is_error
    put(span, ERROR_TYPE=None if outcome is o.COMPLETED or theirs else outcome.code)
    if outcome is not o.COMPLETED and (is_error or (x.status or 0) >= 500):
        span.status.code = Status.STATUS_CODE_ERROR
    put(
        span,
        RETRY_STOPPED=x.retry_stopped,
        FALLBACK=x.fallback.given or None if x.fallback else None,
    )
    put(span, EVENTS=x.events or None if x.streamed else None)
    return span


def client(x: Exchange, tried: Attempt, n: int, upstream: str) -> Span:
    span = begun(x, CLIENT, tried.span_id, x.span.span_id)
    span.start_time_unix_nano = wall(tried.started)
    span.end_time_unix_nano = wall(end_of_attempt(x, tried, n))
    span.name = put_method(span, x)
    put_place(span, *tried.endpoint.split("://"))
    code = code_of_attempt(x, tried)
    put(span, UPSTREAM=upstream, REUSED=tried.reused, STATUS_CODE=tried.status)
    put(span, RESULT=tried.result, ERROR_TYPE=code or None)
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


def in_order(span: Span) -> Span:
    """Events are tested with the spans' own tests; the order of attributes means nothing."""
    del span.events[:]
    attributes = sorted(span.attributes, key=lambda one: one.key)
    del span.attributes[:]
    span.attributes.extend(attributes)
    return span


@given(st.lists(exchanges(), min_size=1, max_size=5))
def test_what_is_written_reads_as_the_library_would_have_written_it(told: list[Exchange]) -> None:
    writer, lines = SpanWriter(ROUTES), []
    for x in [*told, *told]:  # the second time much is remembered
        writer.put(lines, x)
    read = ScopeSpans.FromString(b"".join(lines)).spans
    wanted = [span for x in [*told, *told] for span in expected(x)]

    assert [in_order(span) for span in wanted] == [in_order(span) for span in read]
