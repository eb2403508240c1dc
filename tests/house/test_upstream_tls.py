"""TLS to the upstream: who we are, and sessions that are taken up again."""

import asyncio
import socket
import ssl
from contextlib import suppress
from types import SimpleNamespace

import pytest

from tests.house.house import House

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


@pytest.fixture
async def secured(authority):
    """`await secured(**tls)`: the house in front of a server that wants a certificate."""
    houses, servers = [], []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = authority.server()
    context.load_cert_chain(pair.certificate, pair.key)
    context.load_verify_locations(authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    names = []

    async def serve(reader, writer):
        names.append(writer.get_extra_info("ssl_object").getpeercert()["subject"])
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        writer.close()

    async def start(version=None, **tls):
        if version is not None:
            context.maximum_version = version
        servers.append(await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context))
        at = SimpleNamespace(url=f"https://localhost:{servers[-1].sockets[0].getsockname()[1]}")
        rule = {"ca_file": str(authority.certificate), **tls}
        houses.append(await House.start(at, upstream={"tls": rule}))
        return SimpleNamespace(house=houses[-1], names=names, context=context)

    yield start
    for house in houses:
        await house.stop()
    for server in servers:
        server.close()


def files(pair):
    return {"certificate": str(pair.certificate), "key": str(pair.key)}


async def test_we_show_our_certificate(authority, secured):
    scene = await secured(**files(authority.issue("DNS:us", common="us")))
    answer = await scene.house.fetch("/")

    assert 200 == answer.status
    assert [((("commonName", "us"),),)] == scene.names


async def test_our_certificate_is_renewed_without_a_restart(authority, secured):
    pair = authority.issue("DNS:us", common="first")
    scene = await secured(**files(pair))
    await scene.house.fetch("/")
    pair.replace_by(authority.issue("DNS:us", common="second"))
    await scene.house.app.tls.watch.look()
    await scene.house.fetch("/")

    assert ["first", "second"] == [name[0][0][1] for name in scene.names]
    event = await scene.house.event("tls_files_loaded")
    assert "upstreams.chat" == event["certificate"]


async def test_an_upstream_that_is_too_old_is_a_tls_failure(authority):
    """Its alert says so; asyncio's own servers drop theirs."""
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = authority.server()
    old.load_cert_chain(pair.certificate, pair.key)
    old.maximum_version = ssl.TLSVersion.TLSv1_2

    def refuse(listener):
        with suppress(OSError), listener:
            while True:
                with suppress(ssl.SSLError), listener.accept()[0] as sock:
                    old.wrap_socket(sock, server_side=True)

    listener = socket.create_server(("127.0.0.1", 0))
    at = SimpleNamespace(url=f"https://127.0.0.1:{listener.getsockname()[1]}")
    serving = asyncio.create_task(asyncio.to_thread(refuse, listener))
    tls = {"ca_file": str(authority.certificate), "min_version": "1.3"}
    house = await House.start(at, upstream={"tls": tls})
    answers = [await house.fetch("/") for _ in range(2)]
    await house.stop()
    listener.shutdown(socket.SHUT_RDWR)
    await serving

    assert [502, 502] == [answer.status for answer in answers]
    assert {"tls_failure"} == {event["code"] for event in house.all()}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_sessions_are_taken_up_again(authority, secured, version):
    scene = await secured(version, **files(authority.issue("DNS:us")))
    for _ in range(4):
        assert 200 == (await scene.house.fetch("/")).status

    assert 3 == scene.context.session_stats()["hits"]
