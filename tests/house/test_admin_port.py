"""The admin port: strangers cannot end traffic by it, nor each other, and get no 500 out of it."""

import asyncio
import gzip
import resource
import socket
from contextlib import ExitStack, suppress

import pytest

from tests.house.admin import ask
from tests.house.raw_client import CutShortError, RawClient, eventually, fetch, request

JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"
SILENCE = "/api/alerts/stalls/silence"


def dial(port: int, data: bytes = b"") -> socket.socket:
    """A connection that says `data` and then nothing."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=5)
    sock.sendall(data)
    return sock


def shed(house, *labels: str) -> float:
    return house.app.shed[labels]


@pytest.mark.parametrize("said", [b"", b"GET /livez HTTP/1.1\r\nHost: h\r\nX-A: "])
async def test_silent_connections_give_way_to_whoever_asks(house, said):
    house = await house(admin={"max_connections": 8})
    with ExitStack() as open_ones:
        for n in range(40):
            open_ones.enter_context(dial(house.app.admin_port, said))
            if n % 8 == 7:
                await asyncio.sleep(0.01)
        alive = await ask(house.app.admin_port, "/livez")
        answer = await house.fetch("/x")

    assert (200, 200) == (alive.status, answer.status)
    assert 40 + 1 - 8 == shed(house, "admin", "connection_limit")
    text = (await ask(house.app.admin_port, "/metrics")).body.decode()
    assert 'connections_shed_total{cause="connection_limit",port="admin"}' in text


async def test_who_is_being_answered_stays_while_others_are_silent(house):
    house = await house(admin={"max_connections": 4})
    async with RawClient(house.app.admin_port) as asking:
        await asking.send(f"POST {SILENCE} HTTP/1.1\r\nHost: localhost\r\n{JSON}\r\n")
        await asking.send("Content-Length: 2\r\n\r\n{")
        with ExitStack() as open_ones:
            for _ in range(10):
                open_ones.enter_context(dial(house.app.admin_port))
                await asyncio.sleep(0.005)
            await asking.send("}")
            answer = await asking.answer()

    assert 200 == answer.status


@pytest.fixture
def short(monkeypatch):
    """Clocks that run out soon."""
    monkeypatch.setattr("proxy.admin.port.EVERY", 0.02)

    def set_clock(name: str) -> None:
        monkeypatch.setattr(name, 0.1)

    return set_clock


async def test_a_connection_that_keeps_silent_is_closed(house, short):
    short("proxy.admin.port.IDLE")
    house = await house()
    async with RawClient(house.app.admin_port) as client:
        assert (b"", "clean") == await client.rest()
    assert 1 == shed(house, "admin", "timeout")


async def test_a_head_that_never_ends_is_cut(house, short):
    """Each byte of it in time: the clock is of the whole head."""
    short("proxy.admin.port.HEAD")
    house = await house()
    async with RawClient(house.app.admin_port) as client:
        assert 200 == (await client.get("/livez")).status
        await client.send(b"GET /livez HTTP/1.1\r\n")
        dripping = asyncio.create_task(drip(client))
        assert "silent" != (await client.rest())[1]
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)


async def drip(client: RawClient) -> None:
    while True:
        await client.send(b"X: y\r\n")
        await asyncio.sleep(0.01)


async def test_a_body_that_does_not_come_is_refused(house, short):
    short("proxy.admin.server._BODY")
    house = await house()
    async with RawClient(house.app.admin_port) as client:
        await client.send(request("POST", "/drain", JSON, "Content-Length: 5", host="localhost"))
        answer = await client.answer()
        assert (408, "request_timeout") == (answer.status, answer.json()["error"])
        assert b"" == (await client.rest())[0]


async def test_an_answer_that_nobody_reads_is_cut(house, short):
    short("proxy.admin.port.ANSWER")
    house = await house()
    async with RawClient(house.app.admin_port, window=2048, read_ahead=1) as client:
        await client.send(get(b"/api/openapi.json") * 1000)
        await eventually(lambda: shed(house, "admin", "timeout"))


def get(path: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"GET %b HTTP/1.1" % path, b"Host: localhost", *headers, b"", b""])


def post(body: bytes, *headers: str, path: str = SILENCE, kind: str = JSON) -> bytes:
    return request("POST", path, kind, *headers, body=body, host="localhost")


CHUNKED = "Transfer-Encoding: chunked"
PACKED = "Content-Encoding: gzip"
PARTS = "Content-Type: multipart/form-data"
PART = b"--b\r\nContent-Disposition: form-data; name=token\r\n"
ODD = {
    "no http": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "odd bytes in the line": get(b"/\xff\xfe"),
    "odd bytes in the path": get(b"/api/requests/%ff%00%ed%a0%80"),
    "odd bytes in a query": get(b"/api/requests?field.a=%ff%ed%a0%80&code=%ff"),
    "odd bytes in a page": get(b"/requests?field.a=%ed%a0%80&route=%00", b"Accept: text/html"),
    "odd bytes in a cookie": get(b"/api/config", b'Cookie: \xff=\xfe; sidelight_session="\xff'),
    "odd bytes in a token": get(b"/api/config", b"Authorization: Bearer \xff", b"Accept: \xff"),
    "an odd host": b"GET /api/config HTTP/1.1\r\nHost: [\xff\r\n\r\n",
    "a head too large": get(b"/", b"X: " + b"a" * 20_000),
    "a line too long": get(b"/" + b"a" * 20_000),
    "an expectation": get(b"/livez", b"Expect: tea"),
    "an expected body": post(b"{}", "Expect: tea", path="/drain"),
    "a method": request("BREW", "/api/config", JSON, host="localhost"),
    "connect": b"CONNECT h:1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an upgrade": get(b"/livez", b"Upgrade: websocket", b"Connection: upgrade"),
    "broken chunks": post(b"", CHUNKED) + b"zz\r\n{}\r\n",
    "a chunk too many": post(b"", CHUNKED) + b"2\r\n{}\r\n-1\r\n\r\n",
    "bad gzip": post(b"{}", PACKED),
    "a bomb": post(gzip.compress(b" " * 10**6), PACKED),
    "an odd coding": post(b"{}", "Content-Encoding: x"),
    "no utf-8": post(b'{"for": "\xff"}'),
    "another charset": post(b"\xfe{", kind=f"{JSON}; charset=x-no"),
    "nested": post(b"[" * 16_000),
    "digits": post(b'{"for": ' + b"9" * 9000 + b"}"),
    "surrogates": post(b'{"\\ud800": "\\udc00"}'),
    "a form of no charset": post(b"token=%ff\xfe", path="/session", kind=f"{FORM}; charset=x-no"),
    "a form that is none": post(b"=&=%&\xff" * 99, path="/session", kind=FORM),
    "a broken multipart": post(PART, path="/session", kind=f"{PARTS}; boundary=b"),
    "a multipart without boundary": post(b"--", path="/session", kind=PARTS),
    "an odd type": post(b"a", path="/session", kind="Content-Type: \xff;="),
}


@pytest.mark.parametrize("name", ODD)
async def test_whatever_comes_is_answered_in_our_form(house, name):
    house = await house(retry={"attempts": 1})
    async with RawClient(house.app.admin_port) as client:
        await client.send(ODD[name])
        answer = await client.answer()

    assert answer.status < 500
    assert ["no-store"] == answer.all("Cache-Control")
    assert ["nosniff"] == answer.all("X-Content-Type-Options")
    assert ["sidelight"] == answer.all("Server")
    if answer.status >= 400 and answer.header("Content-Type") != "text/html; charset=utf-8":
        assert answer.json()["error"] == answer.header("X-Sidelight-Error")
        assert answer.json()["request_id"] == answer.header("X-Request-ID")
    assert [] == house.all("library")


ACCEPTED = (
    "{};version=", "{};version=x", "{};version=1.0.0", "{};version=0.0.1", "{};version=2.0.0",
    "{};version=99.99", "{};version=1.x", "{};version=-1", "{};version=1..0",
    "{};version=1.0.0\xff",
    "{}; escaping=x\xff; version = 1 ,,;", "{};version=" + "9" * 5000, "{};escaping=allow-utf-8",
)  # fmt: skip


@pytest.mark.parametrize("kind", ["text/plain", "application/openmetrics-text"])
async def test_metrics_come_whatever_version_is_asked_for(house, kind):
    house = await house()
    for accept in ACCEPTED:
        asked = f"Accept: {accept.format(kind)}"
        answer = await fetch(house.app.admin_port, "/metrics", asked, method="GET")

        assert (200, True) == (answer.status, b"sidelight_build_info" in answer.body), accept


@pytest.mark.parametrize("pause", [0, 0.01], ids=["at once", "one by one"])
@pytest.mark.parametrize("event_loop", ["asyncio", "uvloop"])
async def test_out_of_descriptors_we_still_say_that_we_live(upstream, process, event_loop, pause):
    """Said once, counted; and when they are free again, everything goes on."""
    process = await process(event_loop=event_loop, nofile=160, admin={"max_connections": 16})
    held: list[socket.socket] = []
    for n in range(400):
        held.append(dial((process.port, process.admin_port)[n % 4 == 3]))
        if pause and n % 20 == 0:
            await asyncio.sleep(pause)
    alive = [(await ask(process.admin_port, "/livez")).status for _ in range(5)]
    text = (await ask(process.admin_port, "/metrics")).body.decode()
    for sock in held:
        sock.close()
    async with asyncio.timeout(10):
        while not process.events("descriptors_free"):
            await asyncio.sleep(0.1)
            with suppress(CutShortError):  # some that have left are still to be accepted
                await fetch(process.port, "/x")
    after = [(await fetch(process.port, "/x")).status for _ in range(5)]

    assert [200] * 5 == alive
    assert 'connections_shed_total{cause="descriptors",port="traffic"}' in text
    assert [200] * 5 == after
    (short,) = process.events("descriptors_short")
    assert (160, "ERROR") == (short["limit"], short["level"])
    (free,) = process.events("descriptors_free")
    assert free["refused"] > 50
    assert [] == process.events("library")
    assert b"" == process.log.with_suffix(".err").read_bytes()


async def test_a_process_takes_as_many_descriptors_as_it_may_have(upstream, process):
    process = await process()
    soft, hard = resource.prlimit(process.process.pid, resource.RLIMIT_NOFILE)

    assert soft == hard or soft == 1 << 20
