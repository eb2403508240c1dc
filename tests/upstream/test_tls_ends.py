"""How a TLS connection can end, and what that proves."""

import asyncio
import socket
import ssl
from contextlib import suppress

import pytest

from proxy.outcome import STREAM_TRUNCATED, TLS_FAILURE
from proxy.upstream.result import END_OF_BODY

UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\n"
REQUEST = ("GET", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")


@pytest.fixture
async def serving(server_tls):
    """A TLS server of one connection in a thread: `await serving(script)` gives its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(5)
    tasks = []

    def serve(script, context):
        sock, _ = listener.accept()
        with sock, suppress(OSError), context.wrap_socket(sock, server_side=True) as peer:
            script(peer)

    def start(script, context=server_tls):
        tasks.append(asyncio.create_task(asyncio.to_thread(serve, script, context)))
        return f"https://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    await asyncio.gather(*tasks)
    listener.close()


def close_in_order(peer):
    peer.setblocking(False)
    with suppress(ssl.SSLWantReadError):
        peer.unwrap()


async def whole(connection):
    """The body, and how it ended."""
    connection.request(*REQUEST)
    await connection.head(5)
    body = b""
    while isinstance(piece := await connection.read(5), bytes):
        body += piece
    connection.abort()
    return body, piece


@pytest.mark.parametrize("size", [2, 1_000_000])
@pytest.mark.parametrize("in_order", [True, False])
async def test_a_body_until_the_end_is_whole_only_behind_a_close_notify(
    scene, acquire, serving, size, in_order
):
    """RFC 9112 §9.8: the end of the TCP connection may be anybody's doing."""

    def script(peer):
        peer.recv(1000)
        peer.sendall(UNTIL_CLOSE + b"x" * size)
        if in_order:
            close_in_order(peer)

    upstream = scene.upstream(serving(script), tls={"verify": False})
    body, end = await whole(await acquire(upstream))

    assert size == len(body)
    if in_order:
        assert END_OF_BODY is end
    else:
        assert STREAM_TRUNCATED is end.outcome
        assert "close_notify" in end.detail


async def test_what_has_a_length_needs_no_close_notify(scene, acquire, serving):
    def script(peer):
        peer.recv(1000)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    upstream = scene.upstream(serving(script), tls={"verify": False})

    assert (b"hi", END_OF_BODY) == await whole(await acquire(upstream))


async def test_a_client_certificate_that_we_do_not_have_is_a_tls_failure(
    scene, acquire, serving, certificate
):
    """By TLS 1.3 the handshake is over for us before the server has seen that there is none."""
    demanding = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    demanding.load_cert_chain(certificate)
    demanding.verify_mode = ssl.CERT_REQUIRED
    demanding.load_verify_locations(certificate)
    upstream = scene.upstream(serving(lambda _: None, demanding), tls={"verify": False})
    connection = await acquire(upstream)
    connection.request(*REQUEST)
    failed = await connection.head(5)

    assert TLS_FAILURE is failed.outcome
    assert "certificate" in failed.detail.lower()


async def test_broken_records_behind_the_handshake_are_a_tls_failure(scene, acquire, serving):
    def script(peer):
        peer.recv(1000)
        with socket.socket(fileno=socket.dup(peer.fileno())) as below:
            below.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    upstream = scene.upstream(serving(script), tls={"verify": False})
    connection = await acquire(upstream)
    connection.request(*REQUEST)
    failed = await connection.head(5)

    assert TLS_FAILURE is failed.outcome
