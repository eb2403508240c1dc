"""The spans of a record, read with the library."""

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span

from proxy import outcome as o
from proxy.exchange import Exchange
from proxy.tracing import conventions as c
from proxy.tracing.record import SpanRecord
from proxy.tracing.route_words import RouteWords
from proxy.tracing.spans import SpanWriter
from proxy.tracing.trace_flags import flags_of
from proxy.tracing.wire import MOST
from tests.house.collector import plain
from tests.records import attempt, exchange, fallen_back

TRACE, OURS, THEIRS = "4bf92f3577b34da6a3ce929d0e0e4736", "a" * 16, "00f067aa0ba902b7"
IDS = bytes.fromhex(TRACE + OURS + "1" * 16)
ROUTES = {"chat": RouteWords("/api/", "/api")}


def ended(*attempts: object, **unusual: object) -> Exchange:
    usual = {
        "started": 10.0,
        "started_wall": 1_000.0,
        "ended": 13.0,
        "method": "POST",
        "target": "/api/chat?q=1",
        "request_id": "ID",
        "route": "chat",
        "upstream": "chat",
        "status": 200,
        "outcome": o.COMPLETED,
        "attempts": list(attempts),
    }
    x = exchange(**(usual | unusual))
    x.span = SpanRecord(IDS, bytes.fromhex(THEIRS), flags_of("03"))
    return x


def tried(n: int = 1, **unusual: object):
    usual = {"status": 200, "result": "ok", "head": 0.5, "span_id": bytes.fromhex(str(n) * 16)}
    return attempt(**({"started": 10.0 + n} | usual | unusual))


def spans(x: Exchange) -> list[Span]:
    return read(SpanWriter(ROUTES), x)


def read(writer: SpanWriter, x: Exchange) -> list[Span]:
    lines: list[bytes] = []
    writer.put(lines, x)
    return list(ScopeSpans.FromString(b"".join(lines)).spans)


def test_times_are_on_the_wall() -> None:
    server, client = spans(ended(tried()))

    assert (1000, 1003) == tuple(
        t / 1e9 for t in (server.start_time_unix_nano, server.end_time_unix_nano)
    )
    assert (1001, 1003) == tuple(
        t / 1e9 for t in (client.start_time_unix_nano, client.end_time_unix_nano)
    )


def test_an_attempt_that_is_repeated_ends_before_the_pause() -> None:
    first = tried(1, status=None, outcome=o.HEAD_TIMEOUT, result="head_timeout", pause=0.25)
    _, client, again = spans(ended(first, tried(2)))

    assert 1001.75 == client.end_time_unix_nano / 1e9
    assert "head_timeout" == plain(again.attributes)[c.RETRY_CAUSE]
    assert 250 == plain(again.attributes)[c.RETRY_PAUSE]


def test_the_body_is_over_with_its_last_byte() -> None:
    _, client = spans(ended(tried(), last_byte=2.5))

    assert 1002.5 == client.end_time_unix_nano / 1e9


def test_a_tunnel_goes_on_when_its_upstream_has_said_its_last() -> None:
    server, client = spans(ended(tried(status=101), status=101, last_byte=1.5, streamed=True))

    assert 1003 == client.end_time_unix_nano / 1e9 == server.end_time_unix_nano / 1e9


def test_no_attempt_ends_before_it_begins() -> None:
    _, client = spans(ended(tried(), last_byte=0.5))

    assert 1001 == client.end_time_unix_nano / 1e9


def test_flags_say_whose_the_parent_is() -> None:
    server, client = spans(ended(tried()))
    root = ended()
    root.span = SpanRecord(IDS, b"", flags_of("01"))

    assert [0x303, 0x103, 0x101] == [server.flags, client.flags, spans(root)[0].flags]


@pytest.mark.parametrize(
    ("unusual", "error", "is_error"),
    [
        pytest.param({}, None, False, id="completed"),
        pytest.param(
            {"outcome": o.UPSTREAM_ERROR, "status": 404, "upstream_status": 404},
            None,
            False,
            id="their 404",
        ),
        pytest.param(
            {"outcome": o.UPSTREAM_ERROR, "status": 500, "upstream_status": 500},
            "upstream_error",
            True,
            id="their 500",
        ),
        pytest.param({"outcome": o.STREAM_TRUNCATED}, "stream_truncated", True, id="a broken 200"),
        pytest.param(
            {"outcome": o.RATE_LIMITED, "status": 429}, "rate_limited", False, id="refused"
        ),
        pytest.param(
            {"outcome": o.CONCURRENCY_LIMITED, "status": 503},
            "concurrency_limited",
            True,
            id="refused by a 503",
        ),
        pytest.param({"outcome": None, "status": None}, "internal_error", True, id="our fault"),
        pytest.param(
            {"outcome": o.STREAM_MAX_DURATION, "phase": "S"},
            "stream_max_duration",
            True,
            id="a 200 that we cut",
        ),
        pytest.param(
            {"outcome": o.CLIENT_CLOSED_STREAM, "phase": "S"},
            "client_closed_stream",
            False,
            id="a 200 that the client left",
        ),
        pytest.param(
            {"outcome": o.PREFLIGHT_REFUSED, "status": 204},
            "preflight_refused",
            False,
            id="a refusal that is whole",
        ),
        pytest.param(
            {"outcome": o.UPSTREAM_ERROR, "phase": "S", "status": 404, "upstream_status": 404},
            None,
            False,
            id="their 404, committed",
        ),
    ],
)
def test_what_is_an_error(unusual: dict, error: str | None, is_error: bool) -> None:
    (server,) = spans(ended(**unusual))

    assert error == plain(server.attributes).get(c.ERROR_TYPE)
    assert is_error == (server.status.code == 2)


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        pytest.param(o.CLIENT_CLOSED_REQUEST, None, id="the client left: nobody failed"),
        pytest.param(o.DRAINING, "draining", id="we end"),
        pytest.param(None, "internal_error", id="our fault"),
    ],
)
def test_an_attempt_that_waits_when_its_exchange_ends(
    outcome: o.Outcome | None, error: str | None
) -> None:
    waiting = tried(status=None, head=None, result="client_gone")
    _, client = spans(ended(waiting, outcome=outcome, phase="H"))

    assert error == plain(client.attributes).get(c.ERROR_TYPE)
    assert (error is not None) == (client.status.code == 2)


def test_a_request_for_no_path_is_one_to_the_endpoint() -> None:
    _, client = spans(ended(tried(endpoint="http://a:1"), method="OPTIONS", target="*"))

    assert "http://a:1" == plain(client.attributes)[c.URL_FULL]


def test_what_was_no_request_has_no_method_of_its_own() -> None:
    told = plain(spans(ended(method=""))[0].attributes)

    assert "_OTHER" == told[c.METHOD]
    assert {c.METHOD_ORIGINAL, c.PROTOCOL_VERSION}.isdisjoint(told)


def test_a_method_of_nobodys_is_another_one() -> None:
    server, client = spans(ended(tried(), method="BREW"))
    told = plain(server.attributes)

    assert ("HTTP /api/", "HTTP") == (server.name, client.name)
    assert ("_OTHER", "BREW") == (told[c.METHOD], told[c.METHOD_ORIGINAL])


def test_whose_methods_are_known_is_a_matter_of_settings() -> None:
    server, client = read(SpanWriter(ROUTES, frozenset({"BREW"})), ended(tried(), method="BREW"))

    assert ("BREW /api/", "BREW") == (server.name, client.name)
    assert ["BREW", "BREW"] == [plain(one.attributes)[c.METHOD] for one in (server, client)]


@pytest.mark.parametrize(
    ("host", "address", "port"),
    [
        pytest.param("chat.example:8443", "chat.example", 8443, id="with a port"),
        pytest.param("chat.example", "chat.example", 80, id="without"),
        pytest.param("[::1]:80", "::1", 80, id="IPv6"),
        pytest.param("a:99999", None, None, id="no port"),
        pytest.param("[", None, None, id="nonsense"),
    ],
)
def test_the_host_that_was_asked_for(host: str, address: str | None, port: int | None) -> None:
    told = plain(spans(ended(host=host))[0].attributes)

    assert (address, port) == (told.get(c.SERVER_ADDRESS), told.get(c.SERVER_PORT))


def test_a_fallback_is_no_repeat() -> None:
    x = ended(tried(1, status=503, result="status_5xx"), outcome=o.UPSTREAM_ERROR)
    x.fallback = fallen_back("spare", "spare", tried(2))
    _, failed, given = spans(x)

    assert 1002 == failed.end_time_unix_nano / 1e9
    assert c.RESEND_COUNT not in plain(given.attributes)
    assert "spare" == plain(given.attributes)[c.UPSTREAM]
    assert [2, 0] == [one.status.code for one in (failed, given)]


def test_other_routes_are_told_by_their_pattern() -> None:
    writer = SpanWriter(ROUTES)
    writer.take({"chat": RouteWords("/v2/", None)})
    server, client = read(writer, ended(tried()))

    assert "/v2/" == plain(server.attributes)[c.ROUTE]
    assert plain(client.attributes)[c.URL_FULL].endswith("/api/chat?q=1")


def test_what_has_no_span_is_none() -> None:
    x = ended()
    x.span = None

    assert [] == spans(x)


UNUSUAL = [
    {},
    {"method": "GET"},
    {"method": "BREW"},
    {"host": "other.example"},
    {"user_agent": "other"},
    {"route": ""},
    {"upstream": "other"},
    {"status": 404, "outcome": o.UPSTREAM_ERROR, "upstream_status": 404},
    {"status": 404, "outcome": o.UPSTREAM_ERROR, "upstream_status": 503},
    {"outcome": o.CLIENT_CLOSED_STREAM, "phase": "S"},
    {"outcome": o.CLIENT_CLOSED_STREAM, "phase": "H"},
    {"attempts": [tried(reused=True)]},
    {"attempts": [tried(endpoint="http://other:9")]},
    {"attempts": [tried(status=503, result="status_5xx")]},
    {"attempts": [tried(status=503, result="status_5xx"), tried(2)]},
    {"attempts": [tried(status=None, outcome=o.HEAD_TIMEOUT, result="head_timeout")]},
    {"client_ip": "192.0.2.9", "request_id": "other", "target": "/api/other"},
    {"target": "/api/chat?q=2"},
    {"user_agent": "other", "target": "/api/other"},
    {"status": 204, "attempts": [tried(status=204)]},
    {"status": 204},
    {"attempts": [tried(status=204)]},
    {"attempts": [tried(result="client_gone")]},
    {"attempts": [tried(head=None)]},
    {"attempts": [tried(outcome=o.UPSTREAM_RESET)]},
    {"retry_stopped": "budget"},
    {"streamed": True, "events": 3},
    {"first_event": 0.25},
    {"fallback": fallen_back("static")},
    {"inband_error": True},
    {"outcome": o.STREAM_TRUNCATED},
]


def test_what_is_remembered_of_one_exchange_is_told_of_no_other() -> None:
    kept = SpanWriter(ROUTES)
    for unusual in UNUSUAL:
        for fields in ({}, unusual, unusual, {}):
            x = ended(**({"attempts": [tried()]} | fields))

            assert spans(x) == read(kept, x)


def test_what_is_remembered_of_one_scheme_or_route_is_told_of_no_other() -> None:
    kept = SpanWriter(ROUTES)
    plain_one, by_tls = ended(tried()), ended(tried())
    by_tls.span.protocol = "https"
    old = ended(tried())
    old.span.protocol = "http 1.0"
    for x in (plain_one, by_tls, old, plain_one):
        assert spans(x) == read(kept, x)
    kept.take({"chat": RouteWords("/v2/", None)})

    assert read(SpanWriter({"chat": RouteWords("/v2/", None)}), by_tls) == read(kept, by_tls)


def test_no_more_is_remembered_than_recurs() -> None:
    writer = SpanWriter(ROUTES)
    for n in range(1000):
        attempts = [tried(endpoint=f"http://e{n}")]
        read(writer, ended(host=f"h{n}", status=n, attempts=attempts))
        read(writer, ended(status=n, outcome=o.RATE_LIMITED))
        assert remembered_of_usual(writer) <= MOST

    kept = writer._recurring
    pieces = (kept._asked, kept._ended, kept._completed, kept._tried)
    assert all(len(one) <= MOST for one in pieces)


def remembered_of_usual(writer: SpanWriter) -> int:
    """Kinds, and targets of all of them."""
    kinds = {*writer._usual._kinds.values(), writer._usual._last} - {None}
    return sum(1 + len(kind.known) for kind in kinds)


def test_no_more_targets_are_remembered_than_recur() -> None:
    writer = SpanWriter(ROUTES)
    for n in range(2000):
        read(writer, ended(tried(), target=f"/api/{n}"))
        assert remembered_of_usual(writer) <= MOST
    before = remembered_of_usual(writer)
    read(writer, ended(tried(), target="/api/" + "x" * 300))

    assert before == remembered_of_usual(writer)
