"""The heads we write: what came in, byte for byte, and what is ours."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.exchange import Exchange
from proxy.http.head_writer import Heads
from proxy.http.headers import combine
from proxy.http.peer import Peer
from proxy.http.request_head import RequestHead, read_request
from tests import records

few = settings(max_examples=50, deadline=None, database=None)
HOST = (b"hOST", b"chat.example")
CLIENT = Peer("192.0.2.1")
TRUSTED = Peer("192.0.2.1", trusted=True)
SAID = (
    (b"X-Forwarded-For", b"198.51.100.9"),
    (b"X-Forwarded-Proto", b"https"),
    (b"X-Forwarded-Host", b"public.example"),
    (b"Forwarded", b"for=198.51.100.9"),
)
DATE = b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"


def heads(id_header: str = "X-Request-ID") -> Heads:
    return Heads(id_header, "me", clock=lambda: 784111777.0)


def exchange() -> Exchange:
    return records.exchange(request_id="r-1")


def asked(
    *headers: tuple[bytes, bytes],
    method: str = "GET",
    target: str = "/",
    version: tuple[int, int] = (1, 1),
) -> RequestHead:
    return read_request(method, target, version, headers, should_close=False)


def request(inbound: RequestHead, source: Peer = CLIENT, **unusual: Any) -> bytes:
    return heads().request(inbound, exchange(), source, **unusual)


def lines(head: bytes, *names: bytes) -> list[bytes]:
    """The header lines of `head` with one of these names, or all of them."""
    found = head.split(b"\r\n")[1:-2]
    return [line for line in found if not names or line.split(b":")[0] in names]


@dataclass
class Answered:
    """An upstream's answer."""

    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    status: int = 200
    reason: bytes = b"OK"
    http_version: str = "1.1"


def answer(answered: Answered, extra: bytes = b"", *, cors: bool = False) -> bytes:
    return heads().answer(answered, combine(answered.headers), exchange(), extra, cors=cors)


def test_a_whole_head_for_the_upstream() -> None:
    inbound = asked(
        HOST,
        (b"Accept", b"*/*"),
        (b"x-request-ID", b"theirs"),
        (b"Connection", b"close, X-Drop"),
        (b"X-Drop", b"1"),
        (b"X-Kept", b"\xff\xc3\xa9"),
        (b"x-kEPT", b""),
        (b"Content-Length", b"07"),
        method="POST",
        target="/a%2F//..?b?",
    )

    assert (
        b"POST /a%2F//..?b? HTTP/1.1\r\n"
        b"hOST: chat.example\r\n"
        b"Accept: */*\r\n"
        b"X-Kept: \xff\xc3\xa9\r\n"
        b"x-kEPT: \r\n"
        b"X-Request-ID: r-1\r\n"
        b"X-Forwarded-For: 192.0.2.1\r\n"
        b"X-Forwarded-Proto: http\r\n"
        b"X-Forwarded-Host: chat.example\r\n"
        b'Forwarded: for=192.0.2.1;host="chat.example";proto=http\r\n'
        b"Via: 1.1 me\r\n"
        b"Content-Length: 7\r\n"
        b"\r\n"
    ) == request(inbound)


NAMES = st.sampled_from([b"Accept", b"aCCEPT", b"Cookie", b"X-A", b"x-a", b"If-Match"])
VALUES = st.binary(max_size=20).filter(lambda value: not set(value) & {0, 10, 13})


@few
@given(st.lists(st.tuples(NAMES, VALUES), max_size=8))
def test_the_clients_headers_stand_unchanged_between_host_and_ours(
    headers: list[tuple[bytes, bytes]],
) -> None:
    head = request(asked(HOST, *headers))
    theirs = b"".join(b"%b: %b\r\n" % header for header in (HOST, *headers))

    assert head.startswith(b"GET / HTTP/1.1\r\n" + theirs + b"X-Request-ID: r-1\r\n")


@pytest.mark.parametrize(
    ("inbound", "host", "host_lines"),
    [
        pytest.param(asked(HOST), None, [b"hOST: chat.example"], id="the client's is kept"),
        pytest.param(asked(HOST), b"inner", [b"Host: inner"], id="the upstream's own"),
        pytest.param(
            asked(HOST), b"chat.example", [b"hOST: chat.example"], id="the same as the client's"
        ),
        pytest.param(
            asked(HOST, target="http://there/"), None, [b"Host: there"], id="of the target"
        ),
        pytest.param(asked(version=(1, 0)), None, [b"Host: "], id="HTTP/1.1 needs one"),
    ],
)
def test_which_host_the_upstream_sees(
    inbound: RequestHead, host: bytes | None, host_lines: list[bytes]
) -> None:
    head = request(inbound, host=host)

    assert host_lines == lines(head, b"Host", b"hOST")


@pytest.mark.parametrize(
    ("headers", "framing"),
    [
        pytest.param([], [], id="no body"),
        pytest.param([(b"Content-Length", b"0")], [b"Content-Length: 0"], id="an empty one"),
        pytest.param(
            [(b"transfer-encoding", b"Chunked")], [b"Transfer-Encoding: chunked"], id="chunks"
        ),
    ],
)
def test_the_framing_of_the_body(headers: list[tuple[bytes, bytes]], framing: list[bytes]) -> None:
    head = request(asked(HOST, *headers))

    assert framing == lines(head, b"Content-Length", b"Transfer-Encoding", b"transfer-encoding")


WEBSOCKET = ((b"connection", b"keep-alive, upgrade"), (b"UPGRADE", b"WebSocket"))


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        pytest.param(
            WEBSOCKET, [b"Connection: Upgrade", b"Upgrade: websocket"], id="to a WebSocket"
        ),
        pytest.param(
            ((b"Connection", b"upgrade"), (b"Upgrade", b"h2c")), [], id="to anything else: stops"
        ),
    ],
)
def test_an_upgrade(headers: tuple[tuple[bytes, bytes], ...], sent: list[bytes]) -> None:
    head = request(asked(HOST, *headers))
    names = (b"Connection", b"connection", b"Upgrade", b"UPGRADE")

    assert sent == lines(head, *names)


def test_what_a_websocket_is_agreed_on_with_goes_on_untouched() -> None:
    agreed = ((b"sec-WebSocket-KEY", b"a=="), (b"Sec-WebSocket-Extensions", b"x; y, z"))
    head = request(asked(HOST, *WEBSOCKET, *agreed))

    assert [b"sec-WebSocket-KEY: a==", b"Sec-WebSocket-Extensions: x; y, z"] == lines(
        head, b"sec-WebSocket-KEY", b"Sec-WebSocket-Extensions"
    )


@pytest.mark.parametrize(
    ("source", "told"),
    [
        pytest.param(
            CLIENT,
            [
                b"X-Forwarded-For: 192.0.2.1",
                b"X-Forwarded-Proto: http",
                b"X-Forwarded-Host: chat.example",
                b'Forwarded: for=192.0.2.1;host="chat.example";proto=http',
            ],
            id="a client is not believed",
        ),
        pytest.param(
            TRUSTED,
            [
                b"X-Forwarded-For: 198.51.100.9, 192.0.2.1",
                b"X-Forwarded-Proto: https",
                b"X-Forwarded-Host: public.example",
                (
                    b'Forwarded: for=198.51.100.9;host="public.example";proto=https, '
                    b'for=192.0.2.1;host="chat.example";proto=http'
                ),
            ],
            id="a trusted proxy is",
        ),
        pytest.param(
            Peer("fe80::1%eth0", scheme=b"https"),
            [
                b"X-Forwarded-For: fe80::1",
                b"X-Forwarded-Proto: https",
                b"X-Forwarded-Host: chat.example",
                b'Forwarded: for="[fe80::1]";host="chat.example";proto=https',
            ],
            id="a zone means nothing elsewhere",
        ),
        pytest.param(
            Peer(""),
            [
                b"X-Forwarded-For: unknown",
                b"X-Forwarded-Proto: http",
                b"X-Forwarded-Host: chat.example",
                b'Forwarded: for=unknown;host="chat.example";proto=http',
            ],
            id="a unix socket",
        ),
    ],
)
def test_where_the_upstream_is_told_a_request_came_from(source: Peer, told: list[bytes]) -> None:
    head = request(asked(HOST, *SAID), source)

    assert told == [line for line in lines(head) if b"orwarded" in line]


@pytest.mark.parametrize(
    "told",
    [
        pytest.param([], id="none is invented"),
        pytest.param([(b"TraceParent", b"00-a-b-01"), (b"tracestate", b"a=1")], id="a bad one"),
        pytest.param([(b"tracestate", b"a=" + b"1" * 600)] * 2, id="a long state, twice"),
    ],
)
def test_a_trace_passes_untouched(told: list[tuple[bytes, bytes]]) -> None:
    head = request(asked(HOST, *told))

    assert [b"%b: %b" % header for header in told] == [
        line for line in lines(head) if line.lower().startswith(b"trace")
    ]


@pytest.mark.parametrize(
    ("headers", "version", "via"),
    [
        pytest.param([], (1, 1), b"Via: 1.1 me", id="the first hop"),
        pytest.param([], (1, 0), b"Via: 1.0 me", id="what was received counts, not what is sent"),
        pytest.param(
            [(b"via", b"1.1 a"), (b"Via", b"1.0 b")],
            (1, 1),
            b"Via: 1.1 a, 1.0 b, 1.1 me",
            id="a later one",
        ),
    ],
)
def test_via_to_the_upstream(
    headers: list[tuple[bytes, bytes]], version: tuple[int, int], via: bytes
) -> None:
    head = request(asked(HOST, *headers, version=version))

    assert [via] == lines(head, b"Via", b"via")


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        pytest.param("/api/a", b"/a", id="a segment"),
        pytest.param("/api", b"/", id="all of the path"),
        pytest.param("/api/", b"/", id="all but the slash"),
        pytest.param("/api?a=/api", b"/?a=/api", id="all of it before a query"),
        pytest.param("/api//a", b"//a", id="the rest byte for byte"),
        pytest.param("/api/api/a", b"/api/a", id="once only"),
        pytest.param("/apix", b"/apix", id="never half a segment"),
        pytest.param("//api/a", b"//api/a", id="another spelling goes on whole"),
        pytest.param("/%61pi/a", b"/%61pi/a", id="so does an encoded one"),
    ],
)
def test_a_prefix_is_stripped_at_the_end_of_a_segment(target: str, sent: bytes) -> None:
    head = request(asked(HOST, target=target), strip="/api")

    assert b"GET " + sent + b" HTTP/1.1" == head.split(b"\r\n")[0]


def test_the_asterisk_is_not_stripped() -> None:
    head = request(asked(HOST, method="OPTIONS", target="*"), strip="/api")

    assert head.startswith(b"OPTIONS * HTTP/1.1\r\n")


def test_a_whole_head_for_the_client() -> None:
    answered = Answered(
        [
            (b"Date", b"Thu, 01 Jan 1970 00:00:00 GMT"),
            (b"Set-Cookie", b"a=1"),
            (b"set-cookie", b"b=\xff"),
            (b"Connection", b"X-Drop"),
            (b"x-drop", b"1"),
            (b"X-Request-Id", b"theirs"),
            (b"Access-Control-Allow-Origin", b"*"),
            (b"Content-Length", b"3"),
            (b"Transfer-Encoding", b"chunked"),
        ],
        status=418,
        reason=b"I'm a \xff",
    )

    assert (
        b"HTTP/1.1 418 I'm a \xff\r\n"
        b"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
        b"Set-Cookie: a=1\r\n"
        b"set-cookie: b=\xff\r\n"
        b"Access-Control-Allow-Origin: *\r\n"
        b"Via: 1.1 sidelight\r\n"
        b"X-Request-ID: r-1\r\n"
        b"Content-Length: 3\r\n"
        b"\r\n"
    ) == answer(answered, b"Content-Length: 3\r\n")


@pytest.mark.parametrize("cors", [False, True])
def test_an_interim_head_for_the_client(cors: bool) -> None:
    """As a final one, but nothing is added except for `Via`."""
    answered = Answered(
        [
            (b"Link", b"</a.css>; rel=preload"),
            (b"Connection", b"X-Drop"),
            (b"x-drop", b"1"),
            (b"X-Request-Id", b"theirs"),
            (b"Access-Control-Allow-Origin", b"*"),
            (b"Content-Length", b"3"),
            (b"link", b"</b.js>; rel=preload"),
        ],
        status=103,
        reason=b"Early Hints",
    )

    assert (
        b"HTTP/1.1 103 Early Hints\r\n"
        b"Link: </a.css>; rel=preload\r\n"
        + (b"" if cors else b"Access-Control-Allow-Origin: *\r\n")
        + b"link: </b.js>; rel=preload\r\n"
        b"Via: 1.1 sidelight\r\n"
        b"\r\n"
    ) == heads().interim(answered, cors=cors)


def test_names_in_any_line_of_connection_stop() -> None:
    answered = Answered([(b"connection", b"A"), (b"A", b"1"), (b"CONNECTION", b"b"), (b"B", b"2")])

    assert [] == lines(answer(answered), b"A", b"B")


@pytest.mark.parametrize(
    ("headers", "dates"),
    [
        pytest.param([], [DATE.strip()], id="one that the upstream did not date"),
        pytest.param([(b"dATE", b"x")], [b"dATE: x"], id="one that it did"),
        pytest.param([(b"Data", b"x")], [DATE.strip()], id="a name that is as long"),
    ],
)
def test_every_answer_is_dated(headers: list[tuple[bytes, bytes]], dates: list[bytes]) -> None:
    head = answer(Answered(headers))

    assert dates == lines(head, b"Date", b"dATE")


def test_the_upstreams_words_on_cors_give_way_to_ours() -> None:
    theirs = [b"Allow-Origin", b"Allow-Credentials", b"Allow-Methods", b"Allow-Headers"]
    theirs += [b"Allow-Private-Network", b"Expose-Headers", b"Max-Age"]
    answered = Answered([(b"Access-Control-" + name, b"1") for name in theirs])
    ours = b"Access-Control-Allow-Origin: https://app.example\r\n"
    head = answer(answered, ours, cors=True)

    assert [ours.strip()] == [line for line in lines(head) if line.startswith(b"Access-Control")]
    assert 1 + len(theirs) == answer(answered, ours).count(b"Access-Control-")


def test_via_says_what_the_upstream_spoke() -> None:
    head = answer(Answered([(b"Via", b"1.1 a")], http_version="1.0"))

    assert [b"Via: 1.1 a", b"Via: 1.0 sidelight"] == lines(head, b"Via")


def test_the_request_id_may_have_another_header() -> None:
    ours = heads("X-Trace")
    headers = [(b"x-trace", b"theirs"), (b"X-Request-ID", b"kept")]
    head = ours.answer(Answered(headers), combine(headers), exchange(), b"", cors=False)

    assert b"x-trace" == ours.id_key
    assert [b"X-Request-ID: kept", b"X-Trace: r-1"] == lines(head, b"X-Trace", b"X-Request-ID")


def test_a_head_of_our_own() -> None:
    head = heads().own_answer(404, exchange(), b"Content-Length: 0\r\n")

    assert (
        b"HTTP/1.1 404 Not Found\r\n" + DATE + b"Content-Length: 0\r\nX-Request-ID: r-1\r\n\r\n"
    ) == head
