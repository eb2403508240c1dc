"""Exchanges over real sockets, segment by segment."""

import asyncio
import math
import socket
import ssl
import struct
from contextlib import suppress
from types import SimpleNamespace

import pytest

from proxy.outcome import (
    BODY_TOO_LARGE,
    HEAD_TIMEOUT,
    REQUEST_TIMEOUT,
    STALE_CONNECTION,
    STREAM_MALFORMED,
    STREAM_RESET,
    STREAM_STALLED,
    STREAM_TRUNCATED,
    UPSTREAM_PROTOCOL_ERROR,
    UPSTREAM_RESET,
    UPSTREAM_WRITE_FAILED,
)
from proxy.upstream.protocol import HIGH_WATER
from proxy.upstream.result import END_OF_BODY, Failed
from proxy.upstream.switched import SwitchedEndpoint

OK = b"HTTP/1.1 200 OK\r\n"
SHORT = OK + b"Content-Length: 2\r\n\r\nhi"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BRIEF = 0.02
"""Seconds that a wait lasts where nothing comes."""


async def closed(connection):
    for _ in range(1000):
        if connection.is_closed:
            return
        await asyncio.sleep(0.001)
    raise AssertionError("still open")


@pytest.mark.parametrize(
    ("answer", "method", "body"),
    [
        pytest.param(SHORT, "GET", b"hi", id="a length"),
        pytest.param(CHUNKED + b"2\r\nhi\r\n0\r\n\r\n", "POST", b"hi", id="chunks"),
        pytest.param(OK + b"Content-Length: 2\r\n\r\n", "HEAD", b"", id="HEAD"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", "DELETE", b"", id="204"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + SHORT, "PUT", b"hi", id="interim"),
        pytest.param(
            b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
            "GET",
            b"hi",
            id="1.0 kept alive",
        ),
    ],
)
async def test_a_whole_answer_leaves_the_connection_for_the_next(
    scene, acquire, ask, answer, method, body
):
    upstream = await scene(lambda peer: peer.answer(answer))
    for reused in (False, True, True):
        connection = await acquire(upstream)

        assert reused is connection.reused
        assert (await ask(connection, method))[1:] == (body, END_OF_BODY)
        connection.release()
    assert len(scene.peers) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nhi", id="it says so"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", id="HTTP/1.0"),
        pytest.param(SHORT + b"x", id="a byte too many"),
        pytest.param(SHORT + SHORT, id="a second answer"),
    ],
)
async def test_a_connection_that_cannot_go_on_is_closed(scene, acquire, ask, answer):
    upstream = await scene(lambda peer: peer.answer(answer))
    connection = await acquire(upstream)
    _, body, end = await ask(connection)
    connection.release()

    assert (body, end) == (b"hi", END_OF_BODY)
    assert not (await acquire(upstream)).reused


async def test_an_answer_pushed_to_an_idle_connection_reaches_nobody(scene, acquire, ask):
    pushed = asyncio.Event()

    async def script(peer):
        await peer.request()
        await peer.send(SHORT)
        await pushed.wait()
        await peer.send(SHORT.replace(b"hi", b"no"))
        await peer.gone()

    upstream = await scene(script)
    connection = await acquire(upstream)
    await ask(connection)
    connection.release()
    pushed.set()
    await scene.ended()

    assert upstream.take() is None
    assert upstream.view().idle == 0


async def test_an_answer_still_unread_in_the_kernel_reaches_nobody(scene, acquire, ask):
    upstream = await scene(lambda peer: peer.answer(SHORT))
    connection = await acquire(upstream)
    await ask(connection)
    connection.release()
    scene.peers[0].push(SHORT)

    assert upstream.take() is None


async def test_bytes_between_taking_and_sending_are_no_answer(scene, acquire, ask):
    pushed = asyncio.Event()

    async def script(peer):
        await peer.request()
        await peer.send(SHORT)
        await pushed.wait()
        await peer.send(SHORT)
        await peer.gone()

    upstream = await scene(script)
    connection = await acquire(upstream)
    await ask(connection)
    connection.release()
    connection = await acquire(upstream)
    pushed.set()
    await scene.ended()
    head, _, _ = await ask(connection)

    assert STALE_CONNECTION is head.outcome
    assert not connection.sent
    connection.abort()


async def test_a_malformed_chunk_in_a_later_segment_ends_the_read_at_once(scene, acquire):
    was_read = asyncio.Event()

    async def script(peer):
        await peer.request()
        await peer.send(CHUNKED + b"2\r\nhi\r\n")
        await was_read.wait()
        await peer.send(b"zz\r\n")
        await peer.gone()

    connection = await acquire(await scene(script))
    connection.request("GET", b"GET / HTTP/1.1\r\n\r\n")
    await connection.head(5)

    assert await connection.read(5) == b"hi"
    was_read.set()
    assert STREAM_MALFORMED is (await connection.read(5)).outcome
    connection.release()
    assert connection.protocol.transport.is_closing()


@pytest.mark.parametrize(
    ("answer", "end", "outcome"),
    [
        pytest.param(OK + b"Content-Length: 9\r\n\r\nhi", "finish", STREAM_TRUNCATED, id="FIN"),
        pytest.param(OK + b"Content-Length: 9\r\n\r\nhi", "reset", STREAM_RESET, id="RST"),
        pytest.param(CHUNKED + b"2\r\nhi\r\n", "finish", STREAM_TRUNCATED, id="FIN in chunks"),
        pytest.param(CHUNKED + b"2\r\nhi\r\n", "reset", STREAM_RESET, id="RST in chunks"),
        pytest.param(OK + b"\r\nhi", "reset", STREAM_RESET, id="RST where FIN was to come"),
    ],
)
async def test_a_cut_body_says_how_it_was_cut(scene, acquire, ask, answer, end, outcome):
    was_read = asyncio.Event()

    async def script(peer):
        await peer.request()
        await peer.send(answer)
        await was_read.wait()
        getattr(peer, end)()
        await peer.gone()

    connection = await acquire(await scene(script))
    connection.request("GET", b"GET / HTTP/1.1\r\n\r\n")
    await connection.head(5)

    assert await connection.read(5) == b"hi"
    was_read.set()
    assert outcome is (await connection.read(5)).outcome
    connection.release()


async def test_a_body_until_close_ends_with_the_connection(scene, acquire, ask):
    async def script(peer):
        await peer.request()
        await peer.send(OK + b"\r\nhi")
        peer.finish()

    upstream = await scene(script)
    connection = await acquire(upstream)
    head, body, end = await ask(connection)
    connection.release()

    assert (head.framing, body, end) == ("close", b"hi", END_OF_BODY)
    assert not (await acquire(upstream)).reused


@pytest.mark.parametrize("end", ["finish", "reset"])
async def test_closed_before_the_head_is_a_reset(scene, acquire, ask, end):
    async def script(peer):
        await peer.request()
        getattr(peer, end)()

    connection = await acquire(await scene(script))
    head, _, _ = await ask(connection)

    assert UPSTREAM_RESET is head.outcome
    assert connection.sent
    connection.abort()


def fin(peer):
    peer.close()


def rst(peer):
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


async def used(upstream, listener, acquire):
    """A connection that has carried an exchange, and its other end."""
    connection = await acquire(upstream)
    peer, _ = listener.accept()
    connection.request("GET", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    peer.sendall(SHORT)
    await connection.head(5)
    peer.recv(1000)
    connection.release()
    taken = await acquire(upstream)
    assert taken.reused
    return taken, peer


async def acknowledged(connection):
    """Until the other kernel has said that it has the request: up to 200 ms."""
    while connection.protocol.delivery.arrival() != "acknowledged":  # noqa: ASYNC110
        await asyncio.sleep(0.005)


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


POST = ("POST", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")


@pytest.mark.parametrize("end", [fin, rst])
async def test_a_used_connection_closed_before_the_request_was_stale_and_read_nothing(
    scene, acquire, listener, end
):
    upstream = scene.upstream(f"http://127.0.0.1:{listener.getsockname()[1]}")
    connection, peer = await used(upstream, listener, acquire)
    end(peer)
    connection.request(*POST)
    head = await connection.head(5)

    assert STALE_CONNECTION is head.outcome
    assert not connection.sent
    assert 1 == upstream.stale_connections
    connection.abort()


@pytest.mark.parametrize("end", [fin, rst])
async def test_a_used_connection_closed_behind_the_request_was_reset(scene, acquire, listener, end):
    upstream = scene.upstream(f"http://127.0.0.1:{listener.getsockname()[1]}")
    connection, peer = await used(upstream, listener, acquire)
    connection.request(*POST)
    await acknowledged(connection)
    peer.recv(1000)
    end(peer)
    head = await connection.head(5)

    assert UPSTREAM_RESET is head.outcome
    assert connection.sent
    assert 0 == upstream.stale_connections
    connection.abort()


async def test_a_later_write_that_fails_hides_no_end_that_was_in_order(scene, acquire, listener):
    """The end lies unread, the first write is answered by a reset, and the second one fails."""
    upstream = scene.upstream(f"http://127.0.0.1:{listener.getsockname()[1]}")
    connection, peer = await used(upstream, listener, acquire)
    fin(peer)
    connection.request(*POST)
    connection.writer.send(b"more")
    head = await connection.head(5)

    assert STALE_CONNECTION is head.outcome
    assert not connection.sent
    connection.abort()


async def test_a_reset_before_the_acknowledgement_proves_nothing(scene, acquire, listener):
    """Kernels wait with it, and a reset drops it: the request may have been read."""
    upstream = scene.upstream(f"http://127.0.0.1:{listener.getsockname()[1]}")
    connection, peer = await used(upstream, listener, acquire)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
    connection.request(*POST)
    peer.setblocking(False)
    await asyncio.get_running_loop().sock_recv(peer, 1000)
    rst(peer)
    head = await connection.head(5)

    assert head.outcome in (STALE_CONNECTION, UPSTREAM_RESET)
    assert connection.sent
    connection.abort()


async def test_a_new_connection_closed_before_the_request_read_nothing(scene, acquire, listener):
    upstream = scene.upstream(f"http://127.0.0.1:{listener.getsockname()[1]}")
    connection = await acquire(upstream)
    fin(listener.accept()[0])
    connection.request(*POST)
    head = await connection.head(5)

    assert UPSTREAM_RESET is head.outcome
    assert not connection.sent
    connection.abort()


def close_notify(peer):
    peer.setblocking(False)
    with suppress(ssl.SSLWantReadError):
        peer.unwrap()
    peer.close()


async def used_by_tls(upstream, listener, acquire, server_tls):
    """As `used`, by TLS."""

    def serve():
        peer = server_tls.wrap_socket(listener.accept()[0], server_side=True)
        peer.recv(1000)
        peer.sendall(SHORT)
        return peer

    serving = asyncio.create_task(asyncio.to_thread(serve))
    connection = await acquire(upstream)
    connection.request("GET", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await connection.head(5)
    connection.release()
    taken = await acquire(upstream)
    assert taken.reused
    return taken, await serving


@pytest.mark.parametrize(
    ("end", "is_proven"),
    [
        pytest.param(close_notify, True, id="in order"),
        pytest.param(fin, None, id="by FIN alone"),
    ],
)
async def test_a_used_tls_connection_closed_before_the_request_was_stale(
    scene, acquire, listener, certificate, server_tls, end, is_proven
):
    url = f"https://127.0.0.1:{listener.getsockname()[1]}"
    upstream = scene.upstream(url, tls={"ca_file": certificate})
    connection, peer = await used_by_tls(upstream, listener, acquire, server_tls)
    end(peer)
    connection.request(*POST)
    head = await connection.head(5)

    assert STALE_CONNECTION is head.outcome
    assert is_proven is None or connection.sent is not is_proven  # uvloop hides an end by FIN alone
    connection.abort()


async def test_a_used_tls_connection_closed_behind_the_request_was_reset(
    scene, acquire, listener, certificate, server_tls
):
    url = f"https://127.0.0.1:{listener.getsockname()[1]}"
    upstream = scene.upstream(url, tls={"ca_file": certificate})
    connection, peer = await used_by_tls(upstream, listener, acquire, server_tls)
    connection.request(*POST)
    await acknowledged(connection)
    peer.recv(1000)
    close_notify(peer)
    head = await connection.head(5)

    assert UPSTREAM_RESET is head.outcome
    assert connection.sent
    connection.abort()


async def test_a_used_connection_that_had_begun_to_answer_was_not_stale(scene, acquire, ask):
    async def script(peer):
        await peer.request()
        await peer.send(SHORT)
        await peer.request()
        await peer.send(b"HTTP/1.1 200")
        peer.finish()

    upstream = await scene(script)
    for _ in range(2):
        connection = await acquire(upstream)
        head, _, _ = await ask(connection)
        connection.release()

    assert UPSTREAM_RESET is head.outcome
    assert upstream.stale_connections == 0


async def test_closed_while_we_upload_is_a_failed_write(scene, acquire):
    async def script(peer):
        await peer.request()
        await asyncio.sleep(0.2)  # it does not read, and that is not the client's doing
        peer.reset()

    connection = await acquire(await scene(script))
    connection.writer.is_uploading = True
    connection.request("POST", b"POST / HTTP/1.1\r\n\r\n")
    while not connection.writer.is_paused:
        connection.writer.send(b"x" * 65536)
        await asyncio.sleep(0)
    failed = await connection.head(5)

    assert UPSTREAM_WRITE_FAILED is failed.outcome
    connection.abort()


async def test_an_early_answer_is_given_although_the_upload_breaks(scene, acquire):
    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 413 Large\r\nContent-Length: 2\r\n\r\nno")
        peer.writer.close()  # with bytes unread: the kernel answers them by RST

    connection = await acquire(await scene(script))
    connection.writer.is_uploading = True
    connection.request("POST", b"POST / HTTP/1.1\r\n\r\n")

    async def upload():
        while not connection.is_closed:
            connection.writer.send(b"x" * 65536)
            await connection.writer.drained(5)
            await asyncio.sleep(0)

    sender = asyncio.ensure_future(upload())
    await sender
    head = await connection.head(5)

    assert head.status == 413
    assert await connection.read(5) == b"no"
    assert connection.is_done
    connection.release()


async def test_what_lies_unread_when_a_write_fails_is_rescued(scene, acquire):
    """Between the answer and the failed write the loop has had no turn."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        upstream = scene.upstream(f"http://127.0.0.1:{listener.getsockname()[1]}")
        connection = await acquire(upstream)
        connection.writer.is_uploading = True
        connection.request("POST", b"POST / HTTP/1.1\r\n\r\n")
        await asyncio.sleep(BRIEF)
        peer, _ = listener.accept()
        peer.sendall(SHORT)
        peer.close()  # with the request unread: RST
        connection.writer.send(b"more")
        await closed(connection)
    head = await connection.head(5)

    assert head.status == 200
    assert connection.is_done
    assert connection.take_buffered() == b"hi"
    connection.release()


async def test_an_answer_cut_before_anyone_waited_is_a_cut(scene, acquire):
    async def script(peer):
        await peer.request()
        await peer.send(OK + b"Content-Length: 9\r\n\r\nhi")

    connection = await acquire(await scene(script))
    connection.request("GET", b"GET / HTTP/1.1\r\n\r\n")
    await closed(connection)
    await connection.head(5)

    assert await connection.read(5) == b"hi"
    assert (await connection.read(5)).outcome is STREAM_TRUNCATED
    connection.release()


async def test_much_that_comes_before_anyone_waits_is_held_back_until_then(scene, acquire):
    go_on = asyncio.Event()

    async def script(peer):
        await peer.request()
        await peer.send(OK + b"Content-Length: 70002\r\n\r\n" + b"x" * 70_000)
        await go_on.wait()
        await peer.send(b"hi")
        await peer.gone()

    connection = await acquire(await scene(script))
    connection.request("GET", b"GET / HTTP/1.1\r\n\r\n")
    await asyncio.sleep(BRIEF)

    assert connection.protocol.reading_paused
    await connection.head(5)
    assert connection.protocol.reader.buffered <= HIGH_WATER + 48 * 1024
    go_on.set()
    body = b""
    while isinstance(part := await connection.read(5), bytes):
        body += part
    assert body.endswith(b"xhi")
    assert len(body) == 70_002
    connection.release()


async def test_a_large_body_that_nobody_took_does_not_stop_the_next_exchange(scene, acquire, ask):
    size = HIGH_WATER + 10_000
    answer = OK + b"Content-Length: %d\r\n\r\n" % size + b"x" * size
    upstream = await scene(lambda peer: peer.answer(answer))
    connection = await acquire(upstream)
    connection.request("GET", b"GET / HTTP/1.1\r\n\r\n")
    await asyncio.sleep(BRIEF)
    await connection.head(5)

    assert connection.is_done
    connection.release()
    connection = await acquire(upstream)
    assert connection.reused
    assert len((await ask(connection))[1]) == size
    connection.release()


async def test_an_answer_to_a_request_half_sent_ends_the_connection(scene, acquire):
    async def script(peer):
        await peer.request()
        await peer.send(SHORT)
        await asyncio.Event().wait()

    upstream = await scene(script)
    connection = await acquire(upstream)
    connection.request("POST", b"POST / HTTP/1.1\r\n\r\n" + b"x" * 20_000_000)
    head = await connection.head(5)
    connection.release()

    assert head.status == 200
    assert upstream.view().idle == 0


async def test_closed_with_the_request_half_sent_is_a_failed_write(scene, acquire):
    async def script(peer):
        await peer.request()
        peer.finish()
        await asyncio.Event().wait()

    connection = await acquire(await scene(script))
    connection.request("POST", b"POST / HTTP/1.1\r\n\r\n" + b"x" * 20_000_000)
    failed = await connection.head(5)

    assert failed.outcome is UPSTREAM_WRITE_FAILED
    connection.abort()


async def test_an_aborted_exchange_is_not_kept_by_who_releases_it_later(scene, acquire, ask):
    upstream = await scene(lambda peer: peer.answer(SHORT))
    connection = await acquire(upstream)
    await ask(connection)
    connection.abort()
    connection.release()

    assert upstream.view().idle == 0


async def test_an_answer_that_came_before_anyone_waited_is_kept(scene, acquire, ask):
    async def script(peer):
        await peer.request()
        await peer.send(SHORT)
        peer.finish()

    upstream = await scene(script)
    connection = await acquire(upstream)
    connection.request("GET", b"GET / HTTP/1.1\r\n\r\n")
    await closed(connection)
    head = await connection.head(5)

    assert head.status == 200
    assert connection.take_buffered() == b"hi"
    connection.release()


async def test_no_head_in_time_is_a_head_timeout(scene, acquire, ask):
    connection = await acquire(await scene(lambda peer: peer.gone()))
    head, _, _ = await ask(connection, timeout=BRIEF)

    assert HEAD_TIMEOUT is head.outcome
    connection.release()


async def test_the_clock_of_the_head_may_start_after_the_wait_began(scene, acquire):
    connection = await acquire(await scene(lambda peer: peer.gone()))
    connection.request("POST", b"POST / HTTP/1.1\r\n\r\n")
    waiting = asyncio.ensure_future(connection.head(math.inf))
    await asyncio.sleep(0)
    connection.shorten(BRIEF)

    assert HEAD_TIMEOUT is (await waiting).outcome
    connection.abort()


async def test_the_clock_of_the_head_is_not_that_of_the_body(scene, acquire):
    async def script(peer):
        await peer.request()
        await peer.send(OK + b"Content-Length: 2\r\n\r\n")
        await peer.gone()

    connection = await acquire(await scene(script))
    connection.request("POST", b"POST / HTTP/1.1\r\n\r\n")
    await connection.head(5)
    reading = asyncio.ensure_future(connection.read(5))
    await asyncio.sleep(0)
    connection.shorten(0)
    await asyncio.sleep(BRIEF)

    assert not reading.done()
    connection.abort()
    await reading


async def test_giving_up_is_what_the_waiting_one_is_told(scene, acquire):
    connection = await acquire(await scene(lambda peer: peer.gone()))
    connection.request("POST", b"POST / HTTP/1.1\r\n\r\n")
    waiting = asyncio.ensure_future(connection.head(5))
    await asyncio.sleep(0)
    connection.give_up(BODY_TOO_LARGE, "after 10 bytes")

    assert Failed(BODY_TOO_LARGE, "after 10 bytes", connection.endpoint) == await waiting
    connection.abort()


async def test_silence_in_the_body_is_a_stall_and_reading_may_go_on(scene, acquire):
    go_on = asyncio.Event()

    async def script(peer):
        await peer.request()
        await peer.send(OK + b"Content-Length: 2\r\n\r\nh")
        await go_on.wait()
        await peer.send(b"i")
        await peer.gone()

    connection = await acquire(await scene(script))
    connection.request("GET", b"GET / HTTP/1.1\r\n\r\n")
    await connection.head(5)

    assert await connection.read(5) == b"h"
    assert STREAM_STALLED is (await connection.read(BRIEF)).outcome
    go_on.set()
    assert await connection.read(5) == b"i"
    assert END_OF_BODY is await connection.read(5)
    connection.release()


async def test_nothing_sent_is_known_where_the_connection_was_closed_before(scene, acquire, ask):
    upstream = await scene(lambda peer: peer.answer(SHORT))
    connection = await acquire(upstream)
    await ask(connection)
    connection.release()
    connection = await acquire(upstream)
    scene.peers[0].reset()
    await closed(connection)
    head, _, _ = await ask(connection)

    assert STALE_CONNECTION is head.outcome
    assert not connection.sent
    connection.release()


async def test_a_slow_reader_holds_the_upstream_back(scene, acquire):
    size = 30_000_000

    async def script(peer):
        await peer.request()
        await peer.send(OK + b"Content-Length: %d\r\n\r\n" % size)
        await peer.send(b"x" * size)
        await peer.gone()

    connection = await acquire(await scene(script))
    connection.request("GET", b"GET / HTTP/1.1\r\n\r\n")
    await connection.head(5)
    await asyncio.sleep(0.05)

    assert HIGH_WATER < connection.protocol.reader.buffered < 8 * HIGH_WATER
    got = 0
    while isinstance(part := await connection.read(5), bytes):
        got += len(part)
    assert (size, END_OF_BODY) == (got, part)
    connection.release()


async def test_a_slow_upstream_holds_the_sender_back(scene, acquire):
    go_on = asyncio.Event()

    async def script(peer):
        await peer.request()
        await go_on.wait()
        await peer.gone()

    connection = await acquire(await scene(script))
    connection.request("POST", b"POST / HTTP/1.1\r\n\r\n")
    while not connection.writer.is_paused:
        connection.writer.send(b"x" * 65536)
        await asyncio.sleep(0)
    drained = asyncio.ensure_future(connection.writer.drained(5))
    await asyncio.sleep(BRIEF)

    assert not drained.done()
    go_on.set()
    assert await drained
    connection.abort()


async def test_an_upstream_that_takes_nothing_is_told_from_one_that_is_slow(scene, acquire):
    connection = await acquire(await scene(lambda peer: asyncio.Event().wait()))
    while not connection.writer.is_paused:
        connection.writer.send(b"x" * 65536)
        await asyncio.sleep(0)

    assert not await connection.writer.drained(BRIEF)
    connection.abort()


@pytest.mark.parametrize("state", ["head", "read", "drain"])
async def test_abort_ends_whatever_is_waited_for_at_once(scene, acquire, state):
    async def script(peer):
        await peer.request()
        if state == "read":
            await peer.send(OK + b"Content-Length: 9\r\n\r\n")
        await (asyncio.Event().wait() if state == "drain" else peer.gone())

    upstream = await scene(script)
    connection = await acquire(upstream)
    connection.request("POST", b"POST / HTTP/1.1\r\n\r\n")
    if state == "read":
        await connection.head(5)
        waiting = asyncio.ensure_future(connection.read(5))
    elif state == "head":
        waiting = asyncio.ensure_future(connection.head(5))
    else:
        while not connection.writer.is_paused:
            connection.writer.send(b"x" * 65536)
            await asyncio.sleep(0)
        waiting = asyncio.ensure_future(connection.writer.drained(5))
    await asyncio.sleep(0)
    connection.abort()
    ended = await asyncio.wait_for(waiting, 2)
    if state != "drain":
        await asyncio.wait_for(scene.ended(), 2)

    assert ended is True if state == "drain" else isinstance(ended, Failed)
    assert connection.protocol.waiter._clock._timer is None
    assert upstream.view().in_use == 0
    assert upstream.stale_connections == 0


async def test_a_cancelled_wait_leaves_nothing_behind(scene, acquire):
    upstream = await scene(lambda peer: peer.gone())
    connection = await acquire(upstream)
    connection.request("GET", b"GET / HTTP/1.1\r\n\r\n")
    waiting = asyncio.ensure_future(connection.head(5))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    connection.release()
    await asyncio.wait_for(scene.ended(), 2)

    assert upstream.view().in_use == 0


@pytest.mark.parametrize("unfinished", ["answer", "request"])
async def test_an_unfinished_exchange_is_not_kept(scene, acquire, unfinished):
    body = b"h" if unfinished == "answer" else b"hi"
    upstream = await scene(lambda peer: peer.answer(OK + b"Content-Length: 2\r\n\r\n" + body))
    connection = await acquire(upstream)
    connection.writer.is_uploading = unfinished == "request"
    connection.request("POST", b"POST / HTTP/1.1\r\n\r\n")
    await connection.head(5)
    connection.release()

    assert not (await acquire(upstream)).reused


async def test_a_body_nobody_took_is_not_given_to_the_next(scene, acquire, ask):
    upstream = await scene(lambda peer: peer.answer(SHORT))
    connection = await acquire(upstream)
    connection.request("GET", b"GET / HTTP/1.1\r\n\r\n")
    await connection.head(5)
    connection.release()
    connection = await acquire(upstream)

    assert connection.reused
    assert (await ask(connection))[1] == b"hi"
    connection.release()


async def test_exchanges_over_tls(scene, acquire, ask, certificate, server_tls):
    url = await scene.listen(lambda peer: peer.answer(SHORT), ssl=server_tls)
    upstream = scene.upstream(url, tls={"ca_file": certificate})
    for reused in (False, True):
        connection = await acquire(upstream)

        assert connection.reused is reused
        assert (await ask(connection))[1:] == (b"hi", END_OF_BODY)
        connection.release()


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        pytest.param("finish", STREAM_TRUNCATED, id="FIN"),
        pytest.param("reset", STREAM_RESET, id="RST"),
    ],
)
async def test_a_cut_over_tls_is_a_cut(scene, acquire, certificate, server_tls, end, outcome):
    was_read = asyncio.Event()

    async def script(peer):
        await peer.request()
        await peer.send(CHUNKED + b"2\r\nhi\r\n")
        await was_read.wait()
        if end == "reset":
            peer.reset()  # else the connection is closed in order behind this

    url = await scene.listen(script, ssl=server_tls)
    connection = await acquire(scene.upstream(url, tls={"ca_file": certificate}))
    connection.request("GET", b"GET / HTTP/1.1\r\n\r\n")
    await connection.head(5)

    assert await connection.read(5) == b"hi"
    was_read.set()
    assert (await connection.read(5)).outcome is outcome
    connection.release()


async def test_abort_over_tls_is_immediate(scene, acquire, certificate, server_tls):
    url = await scene.listen(lambda peer: peer.gone(), ssl=server_tls)
    upstream = scene.upstream(url, tls={"ca_file": certificate})
    connection = await acquire(upstream)
    connection.request("GET", b"GET / HTTP/1.1\r\n\r\n")
    waiting = asyncio.ensure_future(connection.head(5))
    await asyncio.sleep(0)
    connection.abort()
    await asyncio.wait_for(waiting, 2)
    await asyncio.wait_for(scene.ended(), 2)

    assert upstream.view().in_use == 0


async def test_an_upstream_that_read_of_the_upload_was_not_stale(scene, acquire, ask):
    """It had paused us and let us go on, so it was alive after the request began."""

    async def script(peer):
        await peer.request()
        await peer.send(SHORT)
        await peer.reader.readexactly(20_000_000)
        peer.reset()

    upstream = await scene(script)
    connection = await acquire(upstream)
    await ask(connection)
    connection.release()
    connection = await acquire(upstream)
    connection.writer.is_uploading = True
    connection.request("POST", b"POST / HTTP/1.1\r\n\r\n")
    for _ in range(20):
        connection.writer.send(b"x" * 1_000_000)
        await connection.writer.drained(5)
    failed = await connection.head(5)

    assert connection.reused
    assert failed.outcome in (UPSTREAM_WRITE_FAILED, REQUEST_TIMEOUT)  # by how fast we are
    connection.abort()


async def test_bytes_of_the_upstream_before_any_request_are_a_protocol_error(scene, acquire, ask):
    async def script(peer):
        await peer.send(b"220 smtp.example.com\r\n")
        await peer.gone()

    connection = await acquire(await scene(script))
    await scene.ended()
    head, _, _ = await ask(connection)

    assert head.outcome is UPSTREAM_PROTOCOL_ERROR
    assert not connection.sent


SWITCH = b"HTTP/1.1 101 Up\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"


class Taker(asyncio.Protocol):
    """Who takes a connection over."""

    def __init__(self, connection):
        self.connection = connection
        self.calls = []
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        self.calls.append("made")

    def data_received(self, data):
        self.calls.append(data)

    def eof_received(self):
        self.calls.append("end")

    def connection_lost(self, exc):
        self.lost.set_result(type(exc))
        self.rest = SwitchedEndpoint(self.connection).on_lost(exc)


async def switch(scene, acquire, script, wait=0.0):
    """A connection that was answered with a 101, and who took it over after `wait` seconds."""

    async def answered(peer):
        await peer.request()
        await script(peer)

    upstream = await scene(answered)
    connection = await acquire(upstream)
    connection.request("GET", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", may_switch=True)
    head = await connection.head(1.0)
    await asyncio.sleep(wait)
    taker = Taker(connection)
    return upstream, head, taker, SwitchedEndpoint(connection).hand_over(taker)


async def test_after_a_101_the_connection_is_handed_over_with_what_came_behind(scene, acquire):
    async def script(peer):
        await peer.send(SWITCH + b"one")
        await peer.send(await peer.reader.readexactly(3))
        peer.finish()

    upstream, head, taker, early = await switch(scene, acquire, script)
    taker.transport.write(b"two")
    await asyncio.wait_for(taker.lost, 1)

    assert 101 == head.status
    assert b"one" == early
    assert ["made", b"two", "end"] == taker.calls
    assert (b"", 0) == (taker.rest, upstream.view().in_use)


async def test_what_comes_before_the_hand_over_is_kept_up_to_the_high_water(scene, acquire):
    """Also where it is much: nothing is read on, and nothing is lost."""

    async def script(peer):
        await peer.send(SWITCH)
        await asyncio.sleep(BRIEF)
        await peer.send(b"x" * 3_000_000)

    _, _, taker, early = await switch(scene, acquire, script, wait=0.1)
    await asyncio.wait_for(taker.lost, 1)

    assert HIGH_WATER < len(early) <= HIGH_WATER + 256 * 1024
    assert 3_000_000 == len(early) + sum(map(len, taker.calls[1:-1]))


@pytest.mark.parametrize(("how", "exc"), [("finish", type(None)), ("reset", ConnectionResetError)])
async def test_an_end_before_the_hand_over_is_told_of_after_it(scene, acquire, how, exc):
    async def script(peer):
        await peer.send(SWITCH + b"last")
        await asyncio.sleep(BRIEF)
        getattr(peer, how)()

    upstream, _, taker, early = await switch(scene, acquire, script, wait=0.1)
    told = []
    taker.connection._owner = SimpleNamespace(on_closed=told.append)
    assert [] == taker.calls[1:]
    await asyncio.wait_for(taker.lost, 1)

    assert b"last" == early
    assert exc is taker.lost.result()
    assert [] == told, "the pool was told before"
    assert 0 == upstream.view().in_use


async def test_a_connection_that_was_handed_over_can_be_aborted(scene, acquire):
    async def script(peer):
        await peer.send(SWITCH)
        await peer.gone()

    upstream, _, taker, _ = await switch(scene, acquire, script)
    taker.connection.abort()
    await asyncio.wait_for(taker.lost, 1)

    assert 0 == upstream.view().in_use
