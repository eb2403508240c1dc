"""WebSockets through the house: aiohttp's own client and server, and bytes exactly as they come."""

import asyncio
import hashlib
import ssl

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from tests.house.fault_upstream import raw, status
from tests.house.house import House, Process, free_port
from tests.house.raw_client import RawClient, at_once, eventually, request

OPEN = {"websocket": True}
ASK = ("Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")  # fmt: skip
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n\r\n"
KEY = b"\x01\x02\x03\x04"


def frame(opcode: int, payload: bytes, key: bytes = b"", fin: int = 0x80) -> bytes:
    """A frame; with a key it is masked, as a client's."""
    size = len(payload)
    length = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2)
    head = bytes([fin | opcode, length[0] | (0x80 if key else 0)]) + length[1:] + key
    return head + bytes(b ^ key[i % 4] for i, b in enumerate(payload)) if key else head + payload


def closing(data: bytes, *, masked: bool) -> tuple[int, str]:
    """Code and reason of the one Close frame in `data`, and nothing else."""
    assert 0x88 == data[0]
    assert len(data) == (data[1] & 127) + (6 if masked else 2)
    assert masked == bool(data[1] & 128)
    payload = data[6:] if masked else data[2:]
    if masked:
        payload = bytes(b ^ data[2:6][i % 4] for i, b in enumerate(payload))
    return int.from_bytes(payload[:2]), payload[2:].decode()


class Talker:
    """aiohttp's server: echoes messages, and keeps how each socket was closed."""

    def __init__(self):
        self.closed = []
        self.headers = []
        self.url = ""

    async def __aenter__(self):
        app = web.Application()
        app.router.add_get("/echo", self.echo)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        port = free_port()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_exc):
        await self._runner.cleanup()

    async def echo(self, asked):
        self.headers.append(asked.headers)
        socket_ = web.WebSocketResponse(protocols=("chat.v2", "chat.v1"), max_msg_size=0)
        await socket_.prepare(asked)
        async for message in socket_:
            if message.type is WSMsgType.BINARY:
                await socket_.send_bytes(message.data)
            elif message.data == "leave":
                await socket_.close(code=4001, message=b"enough said")
            else:
                await socket_.send_str(message.data)
        self.closed.append((socket_.close_code, message.extra if message else ""))
        return socket_


@pytest.fixture
async def talker():
    async with Talker() as talker:
        yield talker


@pytest.fixture
async def proxied(talker):
    """The proxy in front of `talker`, and a client session: `house, session = await proxied()`."""
    houses = []
    async with aiohttp.ClientSession() as session:

        async def start(**unusual):
            route = OPEN | dict(unusual.pop("route", {}))
            houses.append(await House.start(talker, route=route, **unusual))
            return houses[-1], session

        yield start
        for house in houses:
            await house.stop()


def url(house):
    return f"http://127.0.0.1:{house.port}/echo"


async def test_a_websocket_by_tls(authority, proxied):
    pair = authority.server()
    tls = {"certificate": str(pair.certificate), "key": str(pair.key)}
    house, session = await proxied(listen={"tls": tls})
    trusting = ssl.create_default_context(cafile=authority.certificate)
    at = f"https://localhost:{house.port}/echo"

    async with session.ws_connect(at, ssl=trusting) as ws:
        await ws.send_bytes(bytes(300_000))
        assert bytes(300_000) == await ws.receive_bytes()
        await ws.send_str("leave")
        assert (WSMsgType.CLOSE, 4001) == ((await ws.receive()).type, ws.close_code)


async def test_subprotocol_and_deflate_are_agreed_on_by_those_who_talk(talker, proxied):
    house, session = await proxied()
    async with session.ws_connect(url(house), protocols=("chat.v2",), compress=15) as ws:
        await ws.send_str("long " * 1000)
        echoed = await ws.receive_str()
        agreed = ws.protocol, ws.compress
    event = await house.event()

    assert ("chat.v2", 15) == agreed
    assert "long " * 1000 == echoed
    assert (101, 101, "completed", "--") == (
        event["status"], event["upstream_status"], event["code"], event["term"]
    )  # fmt: skip
    assert event["streamed"]
    assert 0 < event["bytes_in"] < 1000
    assert 0 < event["bytes_out"] < 1000
    assert "closed by the client with 1000" == event["detail"]


async def test_the_upstream_sees_the_handshake_of_the_client_and_our_headers(talker, proxied):
    house, session = await proxied()
    async with session.ws_connect(url(house), headers={"Cookie": "a=b"}):
        pass
    seen = talker.headers[0]

    assert ("Upgrade", "websocket", "a=b") == (seen["Connection"], seen["Upgrade"], seen["Cookie"])
    assert "13" == seen["Sec-WebSocket-Version"]
    assert "X-Request-ID" in seen


async def test_a_tunnel_is_counted_as_a_stream(proxied):
    house, session = await proxied()
    async with session.ws_connect(url(house)) as ws:
        await ws.send_str("hello")
        await ws.receive_str()
        await asyncio.sleep(0.1)
        during = (await house.admin("/metrics")).body.decode()
    await house.event()
    after = (await house.admin("/metrics")).body.decode()

    assert 'sidelight_streams_active{route="all"} 1.0' in during
    assert 'sidelight_streams_active{route="all"} 0.0' in after
    assert 'sidelight_streams_total{code="completed",route="all"} 1.0' in after
    assert 'method="GET",route="all",status="101"} 1.0' in after
    assert 50 > (await house.event())["overhead_ms"]


async def test_a_tunnel_holds_its_place_for_as_long_as_it_lasts(proxied):
    limits = {"concurrency": {"limit": 1, "queue": 0}, "rate_limit": [{"rate": "9/1h"}]}
    house, session = await proxied(route=limits)
    async with session.ws_connect(url(house)) as ws:
        told = ws._response.headers["RateLimit"]
        refused = await session.get(url(house), headers={"Upgrade": "websocket"})
    await house.event(status=101)
    async with session.ws_connect(url(house)) as ws:
        await ws.send_str("hello")
        echoed = await ws.receive_str()

    assert '"all";r=8;t=400' == told
    assert 503 == refused.status
    assert "hello" == echoed


async def test_pings_pass(proxied):
    house, session = await proxied()
    async with session.ws_connect(url(house), autoping=False) as ws:
        await ws.ping(b"are you there")
        pong = await ws.receive()

    assert (WSMsgType.PONG, b"are you there") == (pong.type, pong.data)


async def test_fragments_reach_aiohttps_server_as_one_message(talker):
    house = await House.start(talker, route=OPEN)
    async with house.client() as client:
        await client.send(request("GET", "/echo", *ASK))
        await client.until(b"\r\n\r\n")
        await client.send(
            frame(1, b"one ", KEY, fin=0),
            frame(9, b"ping", KEY),
            frame(0, b"two ", KEY, fin=0),
            frame(0, b"three", KEY),
        )
        answer = await client.until(b"three")
    await house.stop()

    assert frame(10, b"ping") + frame(1, b"one two three") == answer


async def test_a_code_and_reason_of_the_client_reach_the_upstream(talker, proxied):
    house, session = await proxied()
    async with session.ws_connect(url(house)) as ws:
        await ws.send_str("hello")
        await ws.receive_str()
        await ws.close(code=4001, message=b"enough")
    event = await house.event()

    assert 4001 == talker.closed[0][0]
    assert ("completed", "closed by the client with 4001") == (event["code"], event["detail"])


async def test_a_code_and_reason_of_the_upstream_reach_the_client(proxied):
    house, session = await proxied()
    async with session.ws_connect(url(house), autoclose=False) as ws:
        await ws.send_str("leave")
        message = await ws.receive()
        await ws.close()
    event = await house.event()

    assert (WSMsgType.CLOSE, 4001, "enough said") == (message.type, message.data, message.extra)
    assert ("completed", "closed by the upstream with 4001") == (event["code"], event["detail"])


async def test_a_message_of_64_mb_costs_no_memory(talker, tmp_path):
    """Flat: what is in the house at a time is a few reads, whatever the message."""
    process = await Process.start(talker, tmp_path, route=OPEN)
    message = bytes(64 << 20)
    peak = before = process.memory()

    async def watch():
        nonlocal peak
        while True:
            peak = max(peak, process.memory())
            await asyncio.sleep(0.005)

    watching = asyncio.create_task(watch())
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{process.port}/echo", max_msg_size=0) as ws,
    ):
        await ws.send_bytes(message)
        echoed = await ws.receive_bytes()
    watching.cancel()
    await process.end()

    assert hashlib.sha256(message).digest() == hashlib.sha256(echoed).digest()
    assert peak - before < 8 << 20


async def test_one_direction_may_be_much_faster_than_the_other(proxied):
    """Both sides send without reading: neither waits for the other for ever."""
    house, session = await proxied()
    async with session.ws_connect(url(house), max_msg_size=0) as ws:
        sending = asyncio.create_task(_send_all(ws, [bytes([n]) * (1 << 18) for n in range(40)]))
        got = [await ws.receive_bytes() for _ in range(40)]
        await sending

    assert [(n, 1 << 18) for n in range(40)] == [(data[0], len(data)) for data in got]


async def _send_all(ws, messages):
    for message in messages:
        await ws.send_bytes(message)


# From here on byte by byte.


def tunnel(*segments, then="stay"):
    """Switch, send these segments, then `stay`, `close` or `reset`; all that comes is kept."""

    async def script(turn):
        await turn.send(SWITCH + segments[0] if segments else SWITCH, *segments[1:])
        if then == "reset":
            await asyncio.sleep(0.02)
            turn.reset()
        elif then == "close":
            turn.close()
        while True:
            await turn.connection.some(1 << 20)

    return script


async def switched(client, *headers: str, early: bytes = b""):
    """Ask for a WebSocket; the head of the answer."""
    await client.send(request("GET", "/", *ASK, *headers) + early)
    return await client.until(b"\r\n\r\n")


def behind_head(upstream) -> bytes:
    return bytes(upstream.connections[-1].received).partition(b"\r\n\r\n")[2]


async def received(upstream, size: int) -> bytes:
    """What came behind the request's head, at least `size` bytes."""
    await eventually(lambda: len(behind_head(upstream)) >= size)
    return behind_head(upstream)


async def test_nothing_is_changed_in_between(upstream, house):
    """Whatever the segments: borders of frames are none of reads."""
    house = await house(route=OPEN)
    said = frame(2, bytes(range(256)) * 3) + frame(9, b"") + frame(1, b"caf\xc3\xa9", fin=0)
    upstream.on("/", tunnel(b"", *(said[at : at + 97] for at in range(0, len(said), 97))))
    asked = frame(1, b"hello", KEY) + frame(2, bytes(300), KEY)
    async with house.client() as client:
        head = await switched(client)
        await client.send(asked[:3], asked[3:100], asked[100:])
        heard = await client.until(said[-6:])
        arrived = await received(upstream, len(asked))
    event = await house.event()

    assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n" in head
    assert (said, asked) == (heard, arrived)
    assert (len(asked), len(said)) == (event["bytes_in"], event["bytes_out"])


async def test_the_request_goes_up_as_an_upgrade_with_its_headers_untouched(upstream, house):
    house = await house(route=OPEN)
    upstream.on("/", tunnel())
    async with house.client() as client:
        await switched(client, 'Sec-WebSocket-Extensions: permessage-deflate; x="y"', "Te: x")
    seen = upstream.seen[0]

    assert (["Upgrade"], ["websocket"]) == (seen.all("Connection"), seen.all("Upgrade"))
    assert ['permessage-deflate; x="y"'] == seen.all("Sec-WebSocket-Extensions")
    assert ["dGhlIHNhbXBsZSBub25jZQ=="] == seen.all("Sec-WebSocket-Key")
    assert [] == seen.all("Te")


async def test_bytes_in_the_segment_of_the_101_reach_the_client(upstream, house):
    house = await house(route=OPEN)
    upstream.on("/", tunnel(frame(1, b"first")))
    async with house.client() as client:
        await switched(client)

        assert frame(1, b"first") == await client.until(b"first")


@pytest.mark.parametrize("size", [5, 60_000], ids=["little", "more than is held"])
async def test_bytes_in_the_segment_of_the_request_reach_the_upstream(upstream, house, size):
    house = await house(route=OPEN)
    upstream.on("/", tunnel())
    early, later = frame(1, b"e" * size, KEY) * 3, frame(1, b"later", KEY)
    async with house.client() as client:
        await switched(client, early=early)
        await client.send(later)

        assert early + later == await received(upstream, len(early + later))


async def test_everything_at_once_and_then_the_end(upstream, house):
    """101, a message, a Close frame and FIN in one segment: all of it arrives."""
    house = await house(route=OPEN)
    said = frame(1, b"bye") + frame(8, b"\x0f\xa1why")
    upstream.on("/", tunnel(said, then="close"))
    async with house.client() as client:
        await switched(client)
        heard = await client.rest()
    event = await house.event()

    assert (said, "clean") == heard
    assert ("completed", "closed by the upstream with 4001") == (event["code"], event["detail"])


async def test_other_answers_pass_as_they_are(upstream, house):
    house = await house(route=OPEN)
    upstream.on("/", status(403, "X-Why: no", body=b"not you"))
    async with house.client() as client:
        await client.send(request("GET", "/", *ASK))
        refused = await client.answer()
        upstream.on("/", status(200, body=b"after"))
        after = await client.get()
    event = await house.event(status=403)

    assert (403, b"not you", "no") == (refused.status, refused.body, refused.header("X-Why"))
    assert (200, b"after") == (after.status, after.body)
    assert ("upstream_error", "INFO") == (event["code"], event["level"])
    assert "streamed" not in event


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(SWITCH.replace(b"WebSocket", b"h2c"), id="to another protocol"),
        pytest.param(SWITCH.replace(b"Upgrade: WebSocket\r\n", b""), id="to none"),
        pytest.param(SWITCH.replace(b"upgrade", b"close"), id="without Connection"),
        pytest.param(SWITCH[:-2] + b"Content-Length: 3\r\n\r\nabc", id="with a body"),
    ],
)
async def test_a_101_that_leads_elsewhere_is_an_invalid_answer(upstream, house, answer):
    house = await house(route=OPEN)
    upstream.on("/", raw(answer, then="close"))
    async with house.client() as client:
        await client.send(request("GET", "/", *ASK))
        got = await client.answer()

    assert (502, "upstream_protocol_error") == (got.status, got.header("X-Sidelight-Error"))


@pytest.mark.parametrize(
    ("unusual", "headers", "method", "body"),
    [
        pytest.param({}, ASK, "GET", b"", id="the route does not say so"),
        pytest.param(OPEN, ASK, "POST", b"", id="not a GET"),
        pytest.param(OPEN, ASK, "GET", b"body", id="a body, behind which readers would disagree"),
    ],
)
async def test_what_is_no_websocket_here(upstream, house, unusual, headers, method, body):
    house = await house(route=unusual)
    answer = await house.fetch("/", *headers, method=method, body=body)

    assert (426, "upgrade_not_allowed") == (answer.status, answer.header("X-Sidelight-Error"))
    assert [] == upstream.seen


async def test_other_upgrades_stop_here(upstream, house):
    house = await house(route=OPEN)
    answer = await house.fetch("/", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
                               "HTTP2-Settings: AAMA")  # fmt: skip
    names = {name.lower() for name, _ in upstream.seen[0].headers}

    assert 200 == answer.status
    assert {"upgrade", "connection", "http2-settings"}.isdisjoint(names)


@pytest.mark.parametrize(
    "script", [raw("", then="reset"), raw("", then="close"), status(503)], ids=["r", "c", "503"]
)
async def test_a_request_that_was_sent_is_never_sent_again(upstream, house, script):
    house = await house(route=OPEN)
    upstream.on("/", script)
    async with house.client() as client:
        await client.send(request("GET", "/", *ASK))
        await client.answer()
    event = await house.event()

    assert 1 == len(upstream.seen)
    assert "not_idempotent" == event["retry_stopped"]


async def test_a_request_that_could_not_be_sent_goes_elsewhere(upstream, house):
    dead = f"http://127.0.0.1:{free_port()}"
    house = await house(route=OPEN, upstream={"endpoints": [dead, upstream.url]})
    upstream.on("/", tunnel())
    async with house.client() as client:
        await switched(client)
    event = await house.event()

    assert ("connect_refused", "ok") == event["attempt_results"]


# How it may end.


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_a_client_that_leaves_is_nobodys_failure(upstream, house, how):
    house = await house(route=OPEN)
    upstream.on("/", tunnel())
    async with house.client() as client:
        await switched(client)
        await (client.reset() if how == "reset" else client.leave())
        await at_once(lambda: upstream.connections[0].gone.is_set())
    event = await house.event()

    assert ("client_closed_stream", "CS", "INFO") == (event["code"], event["term"], event["level"])
    assert [] == house.all("library")


@pytest.mark.parametrize(
    ("how", "code"), [("close", "stream_truncated"), ("reset", "stream_reset")]
)
async def test_an_upstream_that_dies_without_a_close_frame_is_an_error(upstream, house, how, code):
    house = await house(route=OPEN)
    upstream.on("/", tunnel(frame(1, b"half"), then=how))
    async with house.client() as client:
        await switched(client)
        text, end = await client.rest()
    event = await house.event()

    assert (frame(1, b"half"), "clean") == (text, end)
    assert (code, "US", "ERROR", 101) == (
        event["code"], event["term"], event["level"], event["status"]
    )  # fmt: skip


async def test_the_last_words_of_an_upstream_that_stops_reading_are_heard(upstream, house):
    """It refuses a large message with a Close frame while we still send: RST comes after it."""
    house = await house(route=OPEN)
    refusal = frame(8, (1009).to_bytes(2) + b"too big")

    async def script(turn):
        await turn.send(SWITCH)
        turn.connection.transport.pause_reading()
        await asyncio.sleep(0.1)
        await turn.send(refusal)
        turn.close()

    upstream.on("/", script)
    async with house.client() as client:
        await switched(client)
        sending = asyncio.create_task(_until_broken(client))
        text, _ = await client.rest()
        await sending
    event = await house.event()

    assert refusal == text
    assert ("completed", "closed by the upstream with 1009") == (event["code"], event["detail"])


async def _until_broken(client):
    try:
        for _ in range(400):
            await client.send(frame(2, bytes(60_000), KEY))
    except ConnectionError:
        pass


async def test_silence_on_both_sides_ends_a_tunnel_and_is_no_error(upstream, house):
    house = await house(route=OPEN, timeouts={"tunnel_idle": "150ms", "gap": "20ms"})
    upstream.on("/", tunnel())
    async with house.client() as client:
        head = await switched(client)
        for _ in range(3):
            await asyncio.sleep(0.08)
            await client.send(frame(9, b"", KEY))
        text, end = await client.rest()
    event = await house.event()
    arrived = behind_head(upstream)
    request_id = event["request_id"]

    assert request_id.encode() in head
    assert ((1001, f"idle {request_id}"), "clean") == (closing(text, masked=False), end)
    assert (1001, f"idle {request_id}") == closing(arrived[3 * 6 :], masked=True)
    assert ("completed", "INFO") == (event["code"], event["level"])
    assert "silent for 0.15 s" == event["detail"]


async def drain(house, limit: float = 0.05) -> None:
    await house.app.drain(delay=0.0, limit=limit, cause="test")


async def test_a_drain_says_goodbye_to_both_sides(talker, proxied):
    house, session = await proxied()
    async with session.ws_connect(url(house), autoclose=False) as ws:
        await ws.send_str("hello")
        await ws.receive_str()
        draining = asyncio.create_task(drain(house))
        message = await ws.receive()
        await ws.close()
        await draining
    event = await house.event()

    assert (WSMsgType.CLOSE, 1001) == (message.type, message.data)
    assert f"drain_cut {event['request_id']}" == message.extra
    assert 1001 == talker.closed[0][0]
    assert ("drain_cut", "OS", "WARNING") == (event["code"], event["term"], event["level"])
    assert 1 == (await house.event("drain_ended"))["cut"]


async def test_a_goodbye_never_lands_inside_a_frame(upstream, house):
    house = await house(route=OPEN)
    whole = frame(2, b"x" * 1000)
    upstream.on("/", tunnel(whole[:500], b"", b"", b"", whole[500:] + frame(1, b"too late")))
    async with house.client() as client:
        await switched(client)
        await client.until(whole[:500])
        draining = asyncio.create_task(drain(house, limit=0.0))
        rest, _ = await client.rest()
        await draining

    assert whole[500:] == rest[: 500 + 4]
    assert 1001 == closing(rest[504:], masked=False)[0]


async def test_where_a_frame_does_not_end_there_is_no_goodbye(upstream, house):
    house = await house(route=OPEN)
    half = frame(2, b"x" * 1000)[:500]
    upstream.on("/", tunnel(half))
    async with house.client() as client:
        await switched(client)
        await client.until(half)
        await drain(house, limit=0.0)
        rest, _ = await client.rest()

    assert b"" == rest
    assert "drain_cut" == (await house.event())["code"]


async def test_a_client_that_does_not_read_is_cut_and_costs_little(upstream, house):
    house = await house(route=OPEN, timeouts={"client_write": "200ms"})

    async def flood(turn):
        await turn.send(SWITCH)
        while True:
            await turn.send(frame(2, bytes(60_000)))

    upstream.on("/", flood)
    async with house.client() as client:
        await switched(client)
        event = await house.event()

        assert ("client_too_slow", "cS") == (event["code"], event["term"])
        assert upstream.connections[0].gone.is_set()


async def test_an_upstream_that_does_not_read_is_cut(upstream, house):
    house = await house(route=OPEN, timeouts={"gap": "200ms"})

    async def deaf(turn):
        turn.connection.transport.pause_reading()
        await turn.send(SWITCH)
        await turn.gone(30)

    upstream.on("/", deaf)
    async with house.client() as client:
        await switched(client)
        await _until_broken(client)
        event = await house.event()

    assert ("stream_stalled", "uS") == (event["code"], event["term"])
    assert "the upstream does not read" == event["detail"]


async def test_a_half_close_lets_the_other_side_finish(upstream, house):
    house = await house(route=OPEN)

    async def last(turn):
        await turn.send(SWITCH)
        turn.connection.eof_received = lambda: True
        await turn.connection.some(100)
        await asyncio.sleep(0.05)
        await turn.send(frame(1, b"last"))
        turn.close()

    upstream.on("/", last)
    async with house.client() as client:
        await switched(client)
        await client.send(frame(8, b"\x03\xe8", KEY))
        client._writer.write_eof()
        text, end = await client.rest()

    assert (frame(1, b"last"), "clean") == (text, end)
    assert "completed" == (await house.event())["code"]


async def test_a_quiet_tunnel_does_not_hold_the_circuit_half_open(upstream, house):
    house = await house(route=OPEN, breaker={"consecutive": 1, "cool_down": "50ms"})
    upstream.on("/", status(503))
    await house.fetch()
    assert "open" == await house.breaker()
    await asyncio.sleep(0.08)
    upstream.on("/", tunnel())
    async with house.client() as client:
        await switched(client)

        assert "closed" == await house.breaker()


@pytest.mark.parametrize(("segments", "state"), [((), "open"), ((b"\x81\x00",), "closed")])
async def test_a_tunnel_that_dies_before_its_first_byte_counts(upstream, house, segments, state):
    house = await house(route=OPEN, breaker={"consecutive": 2})
    upstream.on("/", tunnel(*segments, then="close"))
    for _ in range(2):
        async with house.client() as client:
            await switched(client)
            await client.rest()

    assert state == await house.breaker()


async def test_many_tunnels_leave_nothing_behind(upstream, house):
    house = await house(route=OPEN)
    upstream.on("/", tunnel())
    clients = [RawClient(house.port) for _ in range(50)]
    for client in clients:
        await client.__aenter__()
        await switched(client)
    in_use = house.app.upstreams["chat"].view().in_use
    for client in clients:
        await client.leave()
    await eventually(lambda: len(house.all()) == 50)

    assert 50 == in_use
    assert 0 == house.app.upstreams["chat"].view().in_use
    assert set() == house.app.forward.drain.running
