"""Everything that can happen before a byte is sent."""

import asyncio
import errno
import os
import socket
from urllib.parse import urlsplit

import pytest

from proxy.outcome import CONNECT_REFUSED, CONNECT_TIMEOUT, DNS_FAILURE, POOL_TIMEOUT, TLS_FAILURE
from proxy.upstream.connection import Connection
from proxy.upstream.dialer import Dialer
from proxy.upstream.endpoint import Endpoint
from proxy.upstream.result import Failed
from proxy.upstream.rules import TlsRule, UpstreamRule
from proxy.upstream.tls import upstream_tls

BRIEF = 0.05


class Home:
    """Keeps nothing, counts what is lost."""

    stale_connections = 0

    def __init__(self):
        self.gone = asyncio.Event()

    def keep(self, connection):
        raise AssertionError("nothing is released here")

    def on_closed(self, connection):
        self.gone.set()


async def dial(endpoint, timeout=5.0, **tls):
    rule = UpstreamRule(endpoints=[endpoint.url], tls=TlsRule(**tls))
    home = Home()
    dialed = await Dialer(rule, upstream_tls("chat", rule.tls)).dial(endpoint, home, timeout)
    if isinstance(dialed, Connection):
        dialed.abort()
        await home.gone.wait()
    return dialed


async def hold(peer):
    await peer.gone()


async def test_a_connection_is_made_and_timed(scene):
    connection = await dial(Endpoint(await scene.listen(hold)))

    assert not connection.reused
    assert 0 < connection.connect_seconds < 5


async def test_small_writes_are_not_held_back(scene):
    upstream = scene.upstream(await scene.listen(hold))
    connection = await upstream.acquire(connect=5, pool_wait=5)

    assert connection.protocol.delivery.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    connection.abort()


async def test_where_descriptors_run_out_it_is_given_back_and_nobody_elses_fault(scene):
    asked = []

    def has_no_room(fd):
        asked.append(fd)
        return False

    rule = UpstreamRule(endpoints=[await scene.listen(hold)])
    dialer = Dialer(rule, None, has_no_room)
    failed = await dialer.dial(Endpoint(rule.endpoints[0]), Home(), 5)

    assert (POOL_TIMEOUT, 1) == (failed.outcome, len(asked))
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(asked[0])


async def test_nobody_listening_is_refused(refusing):
    failed = await dial(Endpoint(refusing))

    assert CONNECT_REFUSED is failed.outcome
    assert refusing == failed.endpoint


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EADDRNOTAVAIL])
async def test_what_we_have_no_more_of_is_not_the_upstreams_fault(scene, monkeypatch, number):
    async def full(*_args, **_more):
        raise OSError(number, "no more")

    monkeypatch.setattr("proxy.upstream.dialer.start_connection", full)
    upstream = scene.upstream(await scene.listen(hold))
    failed = await upstream.acquire(connect=5, pool_wait=5)

    assert POOL_TIMEOUT is failed.outcome
    assert upstream.endpoints.all[0].is_up
    assert 0 == upstream.view().in_use


async def test_a_wait_for_a_slot_is_cut_from_what_is_left_to_connect(scene, monkeypatch):
    upstream = scene.upstream(await scene.listen(hold), pool={"size": 1})
    held = await upstream.acquire(connect=5, pool_wait=5)
    waiting = asyncio.ensure_future(upstream.acquire(connect=5, pool_wait=5, left=3 * BRIEF))
    await asyncio.sleep(BRIEF)
    given = []

    async def hang(*_args, **_more):
        given.append(asyncio.get_running_loop().time())
        await asyncio.sleep(5)

    monkeypatch.setattr("proxy.upstream.dialer.start_connection", hang)
    held.abort()
    failed = await waiting

    assert CONNECT_TIMEOUT is failed.outcome
    assert asyncio.get_running_loop().time() - given[0] < 3 * BRIEF


async def test_an_endpoint_that_does_not_answer_times_out(blackhole):
    failed = await dial(Endpoint(blackhole), BRIEF)

    assert (failed.outcome, failed.detail) == (CONNECT_TIMEOUT, "no connection in 0.05 s")


async def test_a_name_that_is_not_found_is_a_dns_failure():
    async def lookup(host, port):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    assert DNS_FAILURE is (await dial(Endpoint("http://nowhere", lookup))).outcome


async def test_a_dns_that_does_not_answer_times_out():
    async def lookup(host, port):
        await asyncio.sleep(5)

    endpoint = Endpoint("http://nowhere", lookup)

    assert CONNECT_TIMEOUT is (await dial(endpoint, BRIEF)).outcome
    endpoint.addresses.close()


@pytest.mark.parametrize("first", ["refusing", "blackhole"])
async def test_another_address_of_the_name_is_tried(scene, request, first, monkeypatch):
    monkeypatch.setattr("proxy.upstream.dialer.NEXT_ADDRESS", BRIEF)
    bad = request.getfixturevalue(first)
    urls = (bad, await scene.listen(hold))

    async def lookup(host, port):
        ports = [urlsplit(url).port for url in urls]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", p)) for p in ports]

    assert isinstance(await dial(Endpoint("http://chat", lookup)), Connection)


async def test_a_cancelled_connect_leaves_no_socket(blackhole):
    dialing = asyncio.ensure_future(dial(Endpoint(blackhole)))
    await asyncio.sleep(BRIEF)
    dialing.cancel()

    with pytest.raises(asyncio.CancelledError):  # an open socket would be a ResourceWarning
        await dialing


@pytest.mark.parametrize(
    ("tls", "outcome"),
    [
        pytest.param({"trusted": True}, None, id="a known authority"),
        pytest.param({}, TLS_FAILURE, id="an unknown authority"),
        pytest.param(
            {"trusted": True, "server_name": "localhost"}, None, id="a name of the certificate"
        ),
        pytest.param(
            {"trusted": True, "server_name": "other.example"}, TLS_FAILURE, id="another name"
        ),
        pytest.param({"verify": False}, None, id="not checked"),
    ],
)
async def test_a_certificate_is_checked(scene, certificate, server_tls, tls, outcome):
    if tls.pop("trusted", False):
        tls["ca_file"] = certificate
    dialed = await dial(Endpoint(await scene.listen(hold, ssl=server_tls)), **tls)

    assert outcome is (dialed.outcome if isinstance(dialed, Failed) else None)


async def test_the_server_name_is_sent(scene, certificate, server_tls):
    names = []
    server_tls.sni_callback = lambda sock, name, context: names.append(name)
    url = await scene.listen(hold, ssl=server_tls)
    await dial(Endpoint(url), ca_file=certificate, server_name="localhost")

    assert names == ["localhost"]


async def test_plain_text_where_tls_was_expected_is_a_tls_failure(scene):
    async def script(peer):
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await peer.gone()

    url = (await scene.listen(script)).replace("http:", "https:")

    assert TLS_FAILURE is (await dial(Endpoint(url))).outcome


async def test_a_handshake_that_hangs_times_out(scene):
    url = (await scene.listen(hold)).replace("http:", "https:")

    assert CONNECT_TIMEOUT is (await dial(Endpoint(url), BRIEF)).outcome


async def test_a_handshake_that_is_cut_may_be_tried_again(scene):
    async def script(peer):
        await peer.reader.read(1)
        peer.reset()

    url = (await scene.listen(script)).replace("http:", "https:")

    assert CONNECT_REFUSED is (await dial(Endpoint(url))).outcome
