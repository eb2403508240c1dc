"""Requests as clients really send them: odd, broken, ahead of their turn, and cut anywhere.

What is wrong with one message never touches another; nothing of one request is ever part of the
next.
"""

import asyncio
import gc

import pytest

from proxy.client.connection import ClientConnection
from tests.house.admin import stories
from tests.house.raw_client import answers_until_quiet, eventually, request

CHUNKED = "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"


async def statuses_on(client, most: int = 20) -> list[int]:
    """The statuses of all answers, until the connection ends or nothing more comes."""
    return [answer.status for answer in await answers_until_quiet(client, most)]


@pytest.mark.parametrize("when", ["in one segment", "after the answer", "byte by byte"])
async def test_a_trailer_never_becomes_a_header_of_the_next_request(upstream, house, when):
    house = await house()
    first = (
        f"{CHUNKED}\r\n2\r\nhi\r\n0\r\nAuthorization: Bearer alice\r\nHost: evil\r\n\r\n".encode()
    )
    second = request("GET", "/bob")
    async with house.client() as client:
        if when == "in one segment":
            await client.send(first + second)
        elif when == "byte by byte":
            both = first + second
            await client.send(*(both[at : at + 1] for at in range(len(both))))
        else:
            await client.send(first)
        answers = [await client.answer()]
        if when == "after the answer":
            await client.send(second)
        answers.append(await client.answer())

    assert [200, 200] == [answer.status for answer in answers]
    assert b"hi" == upstream.seen[0].body
    assert [] == upstream.seen[0].all("Authorization")
    assert [] == upstream.seen[1].all("Authorization")
    assert "house" == upstream.seen[1].header("Host")


@pytest.mark.parametrize("split", [False, True], ids=["in one segment", "in two"])
async def test_junk_behind_requests_costs_them_nothing(upstream, house, split):
    house = await house()
    good = request("GET", "/") * 10
    async with house.client() as client:
        await client.send(*((good, b"!") if split else (good + b"!",)))
        assert [200] * 10 + [400] == await statuses_on(client)

    assert 10 == len(upstream.seen)


async def test_junk_behind_a_finished_upload_costs_it_nothing(upstream, house):
    house = await house()
    body = b"x" * 3_000_000
    async with house.client() as client:
        await client.send(request("POST", "/", body=body) + b"!!")
        assert [200, 400] == await statuses_on(client)

    assert [(3_000_000, True)] == [(seen.size, seen.whole) for seen in upstream.seen]


@pytest.mark.parametrize("first", [
    pytest.param(request("GET", "/", "Connection: close"), id="Connection: close"),
    pytest.param(b"GET / HTTP/1.0\r\nHost: h\r\n\r\n", id="HTTP/1.0"),
])  # fmt: skip
@pytest.mark.parametrize("behind", [b"!", request("GET", "/second")], ids=["junk", "a request"])
async def test_what_follows_a_last_request_is_dropped(upstream, house, first, behind):
    house = await house()
    async with house.client() as client:
        await client.send(first + behind)
        assert [200] == await statuses_on(client)
    await house.event()

    assert 1 == len(upstream.seen)
    assert 1 == len(house.all())


@pytest.mark.parametrize(("lines", "size"), [
    pytest.param(["Cookie: " + "c" * 20_000], 10_000, id="a long cookie"),
    pytest.param([f"X-{n}: " + "a" * 4_000 for n in range(5)], 1_460, id="five long lines"),
    pytest.param([f"X-{n}: " + "a" * 17_000 for n in range(2)], 1 << 20, id="two longer ones"),
    pytest.param([f"X-{n}: " + "a" * 1_000 for n in range(40)], 1 << 20, id="many lines"),
    pytest.param([f"X-{n}: " + "a" * 1_000 for n in range(40)], 1_460, id="many lines in parts"),
])  # fmt: skip
@pytest.mark.parametrize("behind", [b"", request("GET", "/behind")], ids=["alone", "one behind"])
async def test_heads_within_the_limits_pass_however_they_come(upstream, house, lines, size, behind):
    house = await house()
    whole = request("GET", "/", *lines) + behind
    async with house.client() as client:
        await client.send(*(whole[at : at + size] for at in range(0, len(whole), size)))
        answers = await statuses_on(client, 2 if behind else 1)

    assert ([200, 200] if behind else [200]) == answers


async def test_line_ends_between_requests_start_no_clock_and_extend_none(upstream, house):
    house = await house(listen={"request_head": "150ms", "keep_alive": "1s"})
    async with house.client() as client:
        await client.send(request("POST", "/", body=b"hi"), "\r\n")
        assert 200 == (await client.answer()).status
        await asyncio.sleep(0.2)
        await client.send("\r\n\r", "\n")
        assert 200 == (await client.get("/next")).status
        began = asyncio.get_running_loop().time()
        dripping = asyncio.create_task(_drip(client))
        rest, end = await client.rest()
        took = asyncio.get_running_loop().time() - began
        dripping.cancel()

    assert (b"", True) == (rest, end in ("clean", "reset"))  # a line end may cross the close
    assert took < 5
    assert [200, 200] == [event["status"] for event in house.all()]


async def _drip(client) -> None:
    try:
        while True:
            await client.send("\r\n")
            await asyncio.sleep(0.05)
    except ConnectionError:
        pass


H2C = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAAA\r\n"
HIDDEN = "GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n"


@pytest.mark.parametrize(("first", "body"), [
    pytest.param(f"GET /a HTTP/1.1\r\nHost: h\r\n{H2C}\r\n", b"", id="no body"),
    pytest.param(f"POST /a HTTP/1.1\r\nHost: h\r\n{H2C}Content-Length: {len(HIDDEN)}\r\n\r\n"
                 f"{HIDDEN}", HIDDEN.encode(), id="a counted body"),
    pytest.param(f"{CHUNKED}{H2C}\r\n{len(HIDDEN):x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.encode(),
                 id="a chunked body"),
])  # fmt: skip
@pytest.mark.parametrize("split", [False, True], ids=["in one segment", "in many"])
async def test_an_upgrade_that_is_ignored_hides_nothing(upstream, house, first, body, split):
    house = await house()
    whole = first.encode() + request("GET", "/second")
    async with house.client() as client:
        await client.send(*((whole[at : at + 7] for at in range(0, len(whole), 7))
                            if split else (whole,)))  # fmt: skip
        assert [200, 200] == await statuses_on(client)

    assert ["/a", "/second"] == [seen.target for seen in upstream.seen]
    assert body == upstream.seen[0].body


@pytest.mark.parametrize("method", ["FOO", "LIST", "BAN", "LABEL", "PLAY", "get", "M-SEARCH", "A1"])
async def test_every_token_is_a_method(upstream, house, method):
    house = await house()
    answer = await house.fetch("/", method=method)

    assert (200, method) == (answer.status, upstream.seen[0].method)
    assert method == (await house.event_of(answer))["method"]


async def test_a_doubled_user_agent_is_forwarded_as_it_is(upstream, house):
    house = await house()
    answer = await house.fetch("/", "User-Agent: one", "User-Agent: two")

    assert 200 == answer.status
    assert ["one", "two"] == upstream.seen[0].all("User-Agent")


async def test_utf_8_in_a_target_goes_on_byte_for_byte(upstream, house):
    house = await house()
    async with house.client() as client:
        await client.send("GET /grüße?name=Zoë HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        answer = await client.answer()
    event = await house.event_of(answer)

    assert "/grüße?name=Zoë".encode() in upstream.seen[0].head
    assert "/grüße?name=Zoë" == event["path"]


@pytest.mark.parametrize("minor", "23456789")
async def test_a_higher_minor_version_is_served_as_ours(upstream, house, minor):
    house = await house()
    async with house.client() as client:
        for _ in range(2):
            await client.send(f"GET / HTTP/1.{minor}\r\nHost: h\r\n\r\n")
            assert 200 == (await client.answer()).status

    assert b"GET / HTTP/1.1\r\n" in upstream.seen[0].head


@pytest.mark.parametrize(("raw", "status", "words"), [
    pytest.param(b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505, "HTTP/2", id="HTTP/2.0"),
    pytest.param(b"GET / HTTP/3.0\r\nHost: h\r\n\r\n", 505, "HTTP/3", id="HTTP/3.0"),
    pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP/2", id="PRI"),
    pytest.param(b"OPTIONS * RTSP/1.0\r\n\r\n", 400, "RTSP/1.0 spoken", id="RTSP"),
    pytest.param(b"SOURCE /mount ICE/1.0\r\n\r\n", 400, "ICE/1.0 spoken", id="ICE"),
    pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "TLS hello", id="TLS"),
])  # fmt: skip
async def test_other_protocols_are_named(upstream, house, raw, status, words):
    house = await house()
    async with house.client() as client:
        await client.send(raw)
        answer = await client.answer()
        assert "clean" == (await client.rest())[1]
    event = await house.event_of(answer)

    assert status == answer.status
    assert words in event["detail"]
    assert [] == upstream.seen


@pytest.mark.parametrize(("line", "status"), [
    pytest.param("Bad Name: x", 400, id="a bad name"),
    pytest.param("X: " + "a" * 40_000, 431, id="over a limit"),
])  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_refused_head_is_recorded_as_far_as_it_came(upstream, house, line, status, method):
    house = await house()
    asked = ("X-Request-ID: mine-1", "User-Agent: agent/1 sk-abcdefghijklmnopqrstuvwx",
             "Cookie: secret=1", line)  # fmt: skip
    async with house.client() as client:
        await client.send(request(method, "/chat?token=s3cr3t", *asked))
        answer = await client.answer(method)
        assert (b"", "clean") == await client.rest()
    event = await house.event_of(answer)
    (story,) = await stories(house.app.admin_port, "mine-1")

    assert (status, "mine-1") == (answer.status, event["request_id"])
    assert (b"" if method == "HEAD" else answer.body) == answer.body
    assert method == event["method"]
    assert event["path"].startswith("/chat?token=")
    assert event["user_agent"].startswith("agent/1 ")
    assert "s3cr3t" not in str(event)
    assert "sk-abcdef" not in str(event)
    assert "mine-1" == story["request_id"]


@pytest.mark.parametrize(("coding", "status"), [
    pytest.param("Transfer-Encoding: \r\n", 400, id="empty"),
    pytest.param("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400, id="twice"),
    pytest.param("Transfer-Encoding: gzip\r\n", 501, id="another"),
    pytest.param("Transfer-Encoding: gzip, chunked\r\n", 501, id="another before chunked"),
    pytest.param("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", 400, id="beside a length"),
])  # fmt: skip
async def test_codings_of_requests(upstream, house, coding, status):
    house = await house()
    async with house.client() as client:
        await client.send(f"POST / HTTP/1.1\r\nHost: h\r\n{coding}\r\n3\r\nabc\r\n0\r\n\r\n")
        assert [status] == await statuses_on(client)

    assert [] == upstream.seen


@pytest.mark.parametrize("size", [200_000, 30_000_000])
@pytest.mark.parametrize("head", [
    pytest.param("POST / HTTP/1.1\r\nHost: h\r\nBad Name: x\r\n\r\n", id="a bad head"),
    pytest.param("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 30000000\r\n\r\n", id="too large"),
])  # fmt: skip
async def test_a_refusal_is_read_whatever_lies_behind_it(upstream, house, size, head):
    """Closed in stages: a reset would overtake the answer."""
    house = await house(max_body="1KiB")
    async with house.client() as client:
        await client.send(head)
        sending = asyncio.create_task(client.send(b"x" * size))
        await asyncio.wait([sending], timeout=5)
        answer = await client.answer()
        assert (b"", "clean") == await client.rest()
        assert sending.done()
        assert sending.exception() is None

    assert answer.status in (400, 413)


async def test_a_part_of_a_head_behind_a_request_has_a_clock(upstream, house):
    house = await house(listen={"request_head": "150ms"})
    async with house.client() as client:
        await client.send(request("GET", "/") + b"GET /late HTT")
        answers = [await client.answer(), await client.answer()]
    event = await house.event_of(answers[1])

    assert [200, 408] == [answer.status for answer in answers]
    assert ("GET", "/late") == (event["method"], event["path"])


async def test_a_broken_body_ahead_of_its_turn_is_refused_in_its_turn(upstream, house):
    release = asyncio.Event()

    async def held(turn):
        await release.wait()
        await turn.answer()

    house = await house()
    upstream.on("/slow", held)
    async with house.client() as client:
        await client.send(request("GET", "/slow") + f"{CHUNKED}\r\nzz\r\n".encode())
        await eventually(lambda: upstream.seen)
        release.set()
        assert [200, 400] == await statuses_on(client)

    assert ["/slow"] == [seen.target for seen in upstream.seen]


async def test_floods_of_no_http_are_not_kept(upstream, house):
    """Reading stops at the first fault, and nothing of it is left once the client is gone."""
    release = asyncio.Event()

    async def held(turn):
        await release.wait()
        await turn.answer()

    house = await house()
    upstream.on("/", held)
    gc.collect()
    gc.disable()
    try:
        for _ in range(4):
            async with house.client() as client:
                await client.send(request("GET", "/"))
                await client.send(b"\x00" * 15_000_000)
                assert 0 == house.app.listener.server.clients.held_bytes
        await eventually(lambda: not house.app.listener.server.connections)
        release.set()
        await eventually(lambda: 4 == len(house.all()))
        await asyncio.sleep(0)
        kept = [one for one in gc.get_objects() if isinstance(one, ClientConnection)]
        assert [] == kept
    finally:
        gc.enable()

    assert 0 == house.app.listener.server.clients.held_bytes


async def test_a_refused_request_leaves_nothing_to_collect(upstream, house):
    house = await house()
    gc.collect()
    gc.disable()
    try:
        for bad in (
            "GET / HTTP/1.1\r\nBad Name: x\r\n\r\n",
            "nonsense\r\n\r\n",
            f"{CHUNKED}\r\nzz\r\n",
        ):
            async with house.client() as client:
                await client.send(bad)
                assert 400 == (await client.answer()).status
        await eventually(lambda: not house.app.listener.server.connections)
        await asyncio.sleep(0)
        kept = [one for one in gc.get_objects() if isinstance(one, ClientConnection)]
        assert [] == kept
    finally:
        gc.enable()


async def test_a_silent_connection_is_closed_after_the_clock_of_the_head(upstream, house):
    house = await house(listen={"request_head": "100ms", "keep_alive": "30s"})
    async with house.client() as client:
        assert (b"", "clean") == await client.rest()

    assert [] == house.all()


@pytest.mark.parametrize("body", [
    pytest.param(f"2;{'a' * 10_000}\r\nhi\r\n0\r\n\r\n", id="an extension"),
    pytest.param(f"1;{'a' * 1_000}\r\nx\r\n" * 40 + "0\r\n\r\n", id="extensions together"),
    pytest.param(f"2\r\nhi\r\n0\r\nX: {'a' * 10_000}\r\n\r\n", id="a trailer"),
    pytest.param("2\r\nhi\r\n0\r\n" + "X: y\r\n" * 5_000 + "\r\n", id="trailers together"),
])  # fmt: skip
@pytest.mark.parametrize("split", [False, True], ids=["in one segment", "in many"])
async def test_framing_that_is_no_body_is_bounded(upstream, house, body, split):
    house = await house()
    whole = (f"{CHUNKED}\r\n" + body).encode()
    async with house.client() as client:
        await client.send(*((whole[at : at + 5_000] for at in range(0, len(whole), 5_000))
                            if split else (whole,)))  # fmt: skip
        assert [400] == await statuses_on(client)

    assert not any(seen.whole for seen in upstream.seen)


async def test_a_signed_upload_with_an_extension_on_each_chunk_passes(upstream, house):
    house = await house()
    chunk = b"400;chunk-signature=" + b"a" * 64 + b"\r\n" + b"x" * 1024 + b"\r\n"
    async with house.client() as client:
        await client.send(f"{CHUNKED}\r\n".encode() + chunk * 2000 + b"0\r\n\r\n")
        assert [200] == await statuses_on(client)

    assert [2000 * 1024] == [seen.size for seen in upstream.seen]


async def test_a_client_of_ipv4_is_named_as_such_on_a_socket_for_both(upstream, house):
    house = await house(listen={"host": "::"})
    answer = await house.fetch()
    event = await house.event_of(answer)

    assert (200, "127.0.0.1") == (answer.status, event["client_ip"])
    assert "127.0.0.1" == upstream.seen[0].header("X-Forwarded-For")
