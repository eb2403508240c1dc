"""What passes must pass as it is: bytes, order, number, timing."""

import asyncio
import gzip
import hashlib

import pytest

from tests.house.fault_upstream import PATTERN, download, echo, pattern_digest, raw, status
from tests.house.house import free_port
from tests.house.raw_client import RawClient, eventually, request

OK = "HTTP/1.1 200 OK\r\n"
OURS = {
    "via", "x-request-id", "traceparent", "tracestate", "forwarded",
    "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host",
}  # fmt: skip
"""Headers that Sidelight adds on the way up."""


def theirs(headers):
    """Without what Sidelight adds."""
    return [(name, value) for name, value in headers if name.lower() not in OURS]


@pytest.mark.parametrize(
    "method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "REPORT"]
)
async def test_methods_pass(upstream, house, method):
    house = await house()
    answer = await house.fetch("/m", method=method, body=b"b" if method != "GET" else b"")

    assert (200, method) == (answer.status, upstream.seen[0].method)


@pytest.mark.parametrize(
    "target",
    [
        "/", "/a%2Fb", "//double//slash", "/../up", "/a/./b/%2e%2e/c", "/a+b", "/bare?",
        "/q?a=1&a=2", "/q?x=%2f&y=/%zz", "/%E4%BD%A0", "/semi;colon=1", "/~tilde", "/:80@x",
        "/a?b?c", "/*!'()$,",
        "/caf%c3%a9?q=%20+%2B", "/" + "l" * 8000,
    ],
)  # fmt: skip
async def test_targets_pass_byte_for_byte(upstream, house, target):
    house = await house()
    answer = await house.fetch(target)

    assert (200, target) == (answer.status, upstream.seen[0].target)


async def test_an_absolute_target_names_the_host(upstream, house):
    """RFC 9112 section 3.2.2: its authority replaces Host."""
    house = await house()
    async with house.client() as client:
        await client.send("GET http://named:81/a?b HTTP/1.1\r\nHost: other\r\n\r\n")
        answer = await client.answer()

    assert (200, "/a?b") == (answer.status, upstream.seen[0].target)
    assert "named:81" == upstream.seen[0].header("Host")


async def test_prefix_is_stripped_and_the_rest_is_untouched(upstream, house):
    house = await house(route={"match": {"path": "/api/"}, "strip_prefix": "/api"})
    await house.fetch("/api//a%2Fb/../c?x=%2f")

    assert "//a%2Fb/../c?x=%2f" == upstream.seen[0].target


async def test_request_headers_keep_order_case_and_number(upstream, house):
    sent = [
        ("x-lower", "1"), ("X-UPPER", "2"), ("X-MiXed", "3"), ("x-lower", "4"), ("X-Lower", "5"),
        ("Cookie", "a=b; c=d"), ("Accept", "text/event-stream"), ("Authorization", "Bearer x"),
        ("X-Latin", "caf\xe9"), ("X-Empty", ""), ("User-Agent", "house/1"),
        ("X-Space", "two  spaces"), ("Accept-Encoding", "gzip, br"), ("If-None-Match", '"a"'),
    ]  # fmt: skip
    house = await house()
    await house.fetch("/", *(f"{name}: {value}" for name, value in sent))

    assert [("Host", "house"), *sent] == theirs(upstream.seen[0].headers)


async def test_answer_headers_keep_order_case_and_number(upstream, house):
    sent = [
        ("x-lower", "1"), ("X-UPPER", "2"), ("x-lower", "3"), ("X-Lower", "4"),
        ("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; HttpOnly"), ("set-cookie", "c=3"),
        ("X-Latin", "caf\xe9"), ("X-Empty", ""), ("Server", "theirs"),
        ("Date", "Sun, 22 Nov 2026 00:00:00 GMT"), ("ETag", 'W/"x"'), ("Content-Type", "text/x"),
    ]  # fmt: skip
    house = await house()
    upstream.on("/", status(200, *(f"{name}: {value}" for name, value in sent)))
    answer = await house.fetch()

    kept = [
        (name, value)
        for name, value in answer.headers
        if name.lower() not in {"via", "x-request-id", "content-length"}
    ]
    assert sent == kept


async def test_nothing_is_invented(upstream, house):
    """A proxy with a clock adds a Date that is missing (RFC 9110 section 6.6.1), no more."""
    house = await house()
    upstream.on("/", raw(f"{OK}Content-Length: 0\r\n\r\n"))
    answer = await house.fetch()

    assert {"content-length", "date", "x-request-id", "via"} == {
        name.lower() for name, _ in answer.headers
    }
    assert {"host"} == {name.lower() for name, _ in theirs(upstream.seen[0].headers)}


@pytest.mark.parametrize("reason", ["OK", "Fine By Me", ""])
async def test_status_passes(upstream, house, reason):
    house = await house()
    upstream.on("/", raw(f"HTTP/1.1 299 {reason}\r\nContent-Length: 0\r\n\r\n"))

    assert 299 == (await house.fetch()).status


async def test_compressed_bodies_stay_compressed(upstream, house):
    packed = gzip.compress(b"x" * 10_000)
    house = await house()
    upstream.on("/", status(200, "Content-Encoding: gzip", body=packed))
    answer = await house.fetch()

    assert (packed, "gzip") == (answer.body, answer.header("Content-Encoding"))


async def test_ranges_pass(upstream, house):
    house = await house()
    upstream.on("/", status(206, "Content-Range: bytes 2-5/10", body=b"cdef"))
    answer = await house.fetch("/", "Range: bytes=2-5")

    assert (206, b"cdef", "bytes 2-5/10") == (
        answer.status,
        answer.body,
        answer.header("Content-Range"),
    )
    assert "bytes=2-5" == upstream.seen[0].header("Range")


async def test_redirects_are_not_followed(upstream, house):
    house = await house()
    upstream.on("/", status(302, "Location: /elsewhere"))
    answer = await house.fetch()

    assert (302, "/elsewhere", 1) == (answer.status, answer.header("Location"), len(upstream.seen))


async def test_cookies_are_not_remembered(upstream, house):
    house = await house()
    upstream.on("/", status(200, "Set-Cookie: session=mine"))
    await house.fetch()
    await house.fetch("/other")

    assert upstream.seen[1].header("Cookie") is None


@pytest.mark.parametrize(
    ("method", "head", "length"),
    [
        pytest.param("HEAD", f"{OK}Content-Length: 5\r\n\r\n", "5", id="HEAD"),
        pytest.param("HEAD", f"{OK}Transfer-Encoding: chunked\r\n\r\n", None, id="chunked HEAD"),
        pytest.param("GET", "HTTP/1.1 204 No\r\n\r\n", None, id="204"),
        pytest.param("GET", 'HTTP/1.1 304 No\r\nETag: "x"\r\n\r\n', None, id="304"),
        pytest.param(
            "GET", "HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", "5", id="304 with length"
        ),
    ],
)
async def test_answers_without_a_body_keep_the_connection(upstream, house, method, head, length):
    house = await house()
    upstream.on("/none", raw(head))
    async with house.client() as client:
        bodiless = await client.get("/none", method=method)
        after = await client.get("/after")

    assert (b"", length) == (bodiless.body, bodiless.header("Content-Length"))
    assert "/after" == after.json()["target"]
    assert [0, 0] == [seen.connection for seen in upstream.seen]


async def test_body_until_close_arrives_whole(upstream, house):
    house = await house()
    upstream.on("/", raw(f"{OK}\r\nfirst ", "second", then="close"))
    answer = await house.fetch()

    assert (b"first second", "clean") == (answer.body, answer.end)


async def test_old_clients_get_no_chunks(upstream, house):
    house = await house()
    upstream.on("/", raw(f"{OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
    async with house.client() as client:
        await client.send("GET / HTTP/1.0\r\nHost: h\r\n\r\n")
        answer = await client.answer()

    assert ("close", b"abc", "clean") == (answer.framing, answer.body, answer.end)


async def test_pipelined_requests_are_answered_in_order(upstream, house):
    house = await house()
    async with house.client() as client:
        await client.send(
            request("GET", "/1") + request("POST", "/2", body=b"two") + request("GET", "/3")
        )
        answers = [await client.answer() for _ in range(3)]

    assert ["/1", "/2", "/3"] == [answer.json()["target"] for answer in answers]


async def test_hop_by_hop_headers_stay_behind(upstream, house):
    house = await house()
    upstream.on("/", status(200, "Connection: X-Hop", "X-Hop: 1", "Keep-Alive: timeout=5",
                            "Proxy-Authenticate: Basic", "Trailer: X", "X-Kept: 1"))  # fmt: skip
    answer = await house.fetch(
        "/", "Connection: keep-alive, X-Mine", "X-Mine: 1", "Keep-Alive: timeout=5", "TE: trailers",
        "Proxy-Authorization: Basic eA==", "Proxy-Connection: keep-alive", "X-Kept: 1",
    )  # fmt: skip

    assert ["X-Kept"] == [name for name, _ in answer.headers if name.lower().startswith("x-")
                          and name.lower() != "x-request-id"]  # fmt: skip
    assert [("Host", "house"), ("X-Kept", "1")] == theirs(upstream.seen[0].headers)
    assert answer.header("Keep-Alive") is None
    assert answer.header("Proxy-Authenticate") is None


async def test_private_headers_of_others_are_dropped(upstream, house):
    house = await house()
    await house.fetch("/", "X-Sidelight-Error: forged", "X-Sidelight-Anything: 1")

    assert [("Host", "house")] == theirs(upstream.seen[0].headers)


async def test_forwarded_headers_are_ours(upstream, house):
    house = await house()
    await house.fetch(
        "/", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil",
        "Forwarded: for=6.6.6.6",
    )  # fmt: skip
    seen = upstream.seen[0]

    assert ["127.0.0.1"] == seen.all("X-Forwarded-For")
    assert ["http"] == seen.all("X-Forwarded-Proto")
    assert ["house"] == seen.all("X-Forwarded-Host")
    assert 1 == len(seen.all("Forwarded"))
    assert "6.6.6.6" not in seen.all("Forwarded")[0]


async def test_forwarded_headers_of_trusted_proxies_are_inherited(upstream, house):
    house = await house(trusted_proxies=["127.0.0.0/8"])
    answer = await house.fetch(
        "/", "X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: real",
    )  # fmt: skip
    seen = upstream.seen[0]

    assert ["203.0.113.7, 127.0.0.1"] == seen.all("X-Forwarded-For")
    assert (["https"], ["real"]) == (seen.all("X-Forwarded-Proto"), seen.all("X-Forwarded-Host"))
    assert "203.0.113.7" == (await house.event_of(answer))["client_ip"]


STRANGERS = (
    "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil",
    "X-Forwarded-Prefix: /evil", "X-Forwarded-Port: 443", "X-Forwarded-Scheme: https",
    "X-Forwarded-User: root", "X-Forwarded-Email: root@evil", "X-Forwarded-Client-Cert: x",
    "X_Forwarded_User: root", "X-Real-IP: 6.6.6.6", "Forwarded: for=6.6.6.6", "Proxy: http://evil",
)  # fmt: skip


async def test_nothing_a_stranger_says_of_itself_is_believed(upstream, house):
    house = await house()
    answer = await house.fetch("/", *STRANGERS)
    seen = upstream.seen[0]
    ours = {"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded"}

    assert ours == {
        name for name, _ in seen.headers if "forwarded" in name.lower() or "real" in name.lower()
    }
    assert seen.header("Proxy") is None
    assert b"evil" not in seen.head
    assert b"6.6.6.6" not in seen.head
    assert "127.0.0.1" == (await house.event_of(answer))["client_ip"]


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(
            ["X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: real"],
            id="in the older form",
        ),
        pytest.param(["Forwarded: for=203.0.113.7;proto=https;host=real"], id="in the newer one"),
        pytest.param(
            ["X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: real",
             "Forwarded: for=6.6.6.6;proto=http"],
            id="in both, which disagree",
        ),
    ],
)  # fmt: skip
async def test_what_a_trusted_proxy_says_is_told_alike_in_both_forms(upstream, house, said):
    house = await house(trusted_proxies=["127.0.0.0/8"])
    answer = await house.fetch("/", *said, "X-Forwarded-Port: 443", "X-Real-IP: 203.0.113.7")
    seen = upstream.seen[0]
    first, ours = seen.header("Forwarded").split(", ")
    told = dict(pair.split("=") for pair in first.replace('"', "").split(";"))

    assert "203.0.113.7, 127.0.0.1" == seen.header("X-Forwarded-For")
    assert ("https", "real") == (seen.header("X-Forwarded-Proto"), seen.header("X-Forwarded-Host"))
    assert {"for": "203.0.113.7", "proto": "https", "host": "real"} == told
    assert 'for=127.0.0.1;host="house";proto=http' == ours
    assert ("443", "203.0.113.7") == (seen.header("X-Forwarded-Port"), seen.header("X-Real-IP"))
    assert "203.0.113.7" == (await house.event_of(answer))["client_ip"]


@pytest.mark.parametrize(
    ("trusted", "prefix"),
    [
        pytest.param([], "/api", id="what we cut off"),
        pytest.param(["127.0.0.0/8"], "/outer/api", id="what a trusted proxy cut off before us"),
    ],
)
async def test_the_upstream_is_told_what_was_cut_off_the_path(upstream, house, trusted, prefix):
    route = {"match": {"path": "/api/"}, "strip_prefix": "/api"}
    house = await house(route=route, trusted_proxies=trusted)
    await house.fetch("/api/x", "X-Forwarded-Prefix: /outer")
    seen = upstream.seen[0]

    assert ("/x", prefix) == (seen.target, seen.header("X-Forwarded-Prefix"))


async def test_what_is_not_cut_off_is_not_told(upstream, house):
    house = await house(route={"match": {"path": "/api/"}, "strip_prefix": "/api"})
    await house.fetch("//api/x")

    assert ("//api/x", None) == (
        upstream.seen[0].target,
        upstream.seen[0].header("X-Forwarded-Prefix"),
    )


async def test_without_a_host_the_endpoints_authority_is_sent(upstream, house):
    house = await house()
    async with house.client() as client:
        await client.send("GET /x HTTP/1.0\r\n\r\n")
        answer = await client.answer()
    seen = upstream.seen[0]

    assert 200 == answer.status
    assert f"127.0.0.1:{upstream.port}" == seen.header("Host")
    assert seen.header("X-Forwarded-Host") is None
    assert "for=127.0.0.1;proto=http" == seen.header("Forwarded")


async def test_each_endpoint_is_sent_its_own_authority(upstream, house):
    nobody = f"http://127.0.0.1:{free_port()}"
    house = await house(upstream={"endpoints": [nobody, upstream.url]})
    async with house.client() as client:
        await client.send("GET /x HTTP/1.0\r\n\r\n")
        answer = await client.answer()
    event = await house.event_of(answer)

    assert ("connect_refused", "ok") == event["attempt_results"]
    assert f"127.0.0.1:{upstream.port}" == upstream.seen[0].header("Host")


async def test_by_option_requests_carry_no_via(upstream, house):
    house = await house(upstream={"via": False})
    answer = await house.fetch("/", "Via: 1.0 before")

    assert upstream.seen[0].header("Via") is None
    assert answer.header("Via")


async def test_a_target_that_decodes_to_another_route_is_refused_by_name(upstream, house):
    rest = {"name": "rest", "match": {"path": "/"}, "upstream": "chat"}
    house = await house(route={"match": {"path": "/api/chat"}}, more_routes=[rest])
    answer = await house.fetch("/api%2fchat")
    event = await house.event_of(answer)

    assert (400, "bad_request") == (answer.status, answer.json()["error"])
    assert "encoded slash" in event["detail"]
    assert "the route rest" in event["detail"]
    assert "the route all" in event["detail"]
    assert [] == upstream.seen
    assert 200 == (await house.fetch("/files%2fa")).status


async def test_whoever_needs_it_has_it_forwarded(upstream, house):
    rest = {"name": "rest", "match": {"path": "/"}, "upstream": "chat", "encoded_slash": "forward"}
    house = await house(route={"match": {"path": "/api/chat"}}, more_routes=[rest])
    event = await house.event_of(await house.fetch("/api%2fchat"))

    assert ("rest", "/api%2fchat") == (event["route"], upstream.seen[0].target)


async def test_via_is_added_both_ways(upstream, house):
    house = await house()
    upstream.on("/", status(200, "Via: 1.1 theirs"))
    answer = await house.fetch("/", "Via: 1.0 before")

    assert upstream.seen[0].header("Via").startswith("1.0 before, 1.1 sidelight")
    assert ", ".join(answer.all("Via")).startswith("1.1 theirs, 1.1 sidelight")


async def test_what_an_answer_says_of_us_makes_no_loop_when_it_is_sent_back(upstream, house):
    house = await house()
    told = (await house.fetch("/")).header("Via")
    answer = await house.fetch("/", f"Via: {told}")
    requests = {seen.header("Via").rpartition(", ")[2] for seen in upstream.seen}

    assert 200 == answer.status
    assert told not in requests
    assert 1 == len(requests)


async def test_a_loop_is_broken(upstream, house):
    port = free_port()
    house = await house(listen={"port": port}, upstream={"endpoints": [f"http://127.0.0.1:{port}"]})
    answer = await house.fetch()

    assert (508, "proxy_loop") == (answer.status, answer.json()["error"])


async def test_expect_continue_is_answered_by_us(upstream, house):
    house = await house()
    async with house.client() as client:
        await client.send(
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
        )
        interim = await client.until(b"\r\n\r\n")
        await client.send("body")
        answer = await client.answer()

    assert interim.startswith(b"HTTP/1.1 100 ")
    assert (200, b"body") == (answer.status, upstream.seen[0].body)
    assert upstream.seen[0].header("Expect") is None


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_uploads_stream_and_keep_their_framing(upstream, house, framing):
    size = 8 << 20
    block = PATTERN * 16
    house = await house()
    async with house.client() as client:
        header = f"Content-Length: {size}" if framing == "length" else "Transfer-Encoding: chunked"
        await client.send(f"POST / HTTP/1.1\r\nHost: h\r\n{header}\r\n\r\n")
        for _ in range(size // len(block)):
            await client.send(
                block if framing == "length" else b"%x\r\n%b\r\n" % (len(block), block)
            )
        await client.send(b"" if framing == "length" else b"0\r\n\r\n")
        answer = await client.answer(patience=20)
    seen = upstream.seen[0]

    assert 200 == answer.status
    assert (size, pattern_digest(size)) == (seen.size, seen.digest)
    assert bool(seen.header("Content-Length")) == (framing == "length")


async def test_an_upload_flows_before_it_is_complete(upstream, house):
    arrived = asyncio.Event()

    async def listening(turn):
        async for data in turn.pieces():
            if b"first" in data:
                arrived.set()
        await turn.answer()

    house = await house()
    upstream.on("/", listening)
    async with house.client() as client:
        await client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
                          "5\r\nfirst\r\n")  # fmt: skip
        async with asyncio.timeout(2):
            await arrived.wait()
        await client.send("6\r\nsecond\r\n0\r\n\r\n")
        answer = await client.answer()

    assert (200, b"firstsecond") == (answer.status, upstream.seen[0].body)


async def test_downloads_arrive_whole(upstream, house):
    size = 8 << 20
    house = await house()
    upstream.on("/", download(size))
    answer = await house.fetch()

    assert pattern_digest(size) == hashlib.sha256(answer.body).hexdigest()
    assert size == (await house.event_of(answer))["bytes_out"]


async def test_events_arrive_when_they_are_sent(upstream, house):
    go = asyncio.Event()

    async def stepwise(turn):
        await turn.begin_chunked("Content-Type: text/event-stream")
        await turn.chunk("data: one\n\n")
        await go.wait()
        await turn.chunk("data: two\n\n")
        await turn.end_chunked()

    house = await house()
    upstream.on("/", stepwise)
    async with house.client() as client:
        await client.send(request("GET", "/", "Accept: text/event-stream"))
        head = await client.head()
        first = await client.chunk()
        go.set()
        second = await client.chunk()
        last = await client.chunk()

    assert (b"data: one\n\n", b"data: two\n\n", b"") == (first, second, last)
    assert "text/event-stream" == head.header("Content-Type")


async def test_a_client_that_does_not_read_holds_the_upstream_back(upstream, house):
    house = await house()
    upstream.on("/", download(200 << 20))
    async with house.client() as client:
        await client.send(request("GET", "/"))
        await client.until(b"\r\n\r\n")
        sent, before = -1, -2
        while sent != before:
            await asyncio.sleep(0.2)
            before, sent = sent, upstream.connections[0].sent

    assert sent < 60 << 20


async def test_two_clients_never_meet(upstream, house):
    """Interleaved over shared connections: every answer belongs to its question."""
    house = await house(upstream={"pool": {"size": 2}})
    upstream.on("/", echo)

    async def user(name: str) -> None:
        async with house.client() as client:
            for number in range(60):
                body = f"{name}-{number}".encode() * (1 + number % 7)
                await client.send(
                    request("POST", "/", f"Cookie: id={name}", f"X-Request-ID: {name}-{number}",
                            body=body)
                )  # fmt: skip
                answer = await client.answer()
                said = dict(answer.json()["headers"])
                assert f"{name}-{number}" == answer.header("X-Request-ID")
                assert (body.decode(), f"id={name}") == (answer.json()["body"], said["Cookie"])

    await asyncio.gather(*(user(name) for name in ("ada", "bob", "cyd", "dan")))

    assert len(upstream.connections) <= 2
    await eventually(lambda: len(house.all(code="completed", attempts=1)) == 240)


async def test_a_hundred_megabytes_leave_no_trace_in_memory(upstream, process):
    size = 100 << 20
    process = await process()
    upstream.on("/down", download(size))
    warm = await _transfer(process.port, 8 << 20)
    before = process.memory()
    up = await _transfer(process.port, size)
    down = await _download(process.port)

    assert warm.status == up.status == 200
    assert pattern_digest(size) == upstream.seen[1].digest == down
    assert process.memory() - before < 10 << 20


async def _transfer(port, size):
    async with RawClient(port) as client:
        await client.send(f"POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n")
        for _ in range(size // len(PATTERN * 16)):
            await client.send(PATTERN * 16)
        return await client.answer(patience=30)


async def _download(port):
    async with RawClient(port) as client:
        await client.send(request("GET", "/down"))
        head = await client.head()
        return await client.digest(int(head.header("Content-Length")))
