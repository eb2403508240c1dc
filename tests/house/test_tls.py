"""TLS on the traffic and the admin port, as clients meet it."""

import asyncio
import socket
import ssl

import pytest

from tests.authority import Authority
from tests.house.raw_client import CutShortError, RawClient, eventually, request


def trusting(authority, pair=None, **versions):
    """What a client that trusts the authority comes with; `pair` is its own certificate."""
    context = ssl.create_default_context(cafile=authority.certificate)
    if pair is not None:
        context.load_cert_chain(pair.certificate, pair.key)
    context.set_alpn_protocols(["h2", "http/1.1"])
    for name, version in versions.items():
        setattr(context, name, version)
    return context


def speaking(pair, **more):
    """The section `tls` of a port."""
    return {"tls": {"certificate": str(pair.certificate), "key": str(pair.key), **more}}


async def test_a_request_by_tls(authority, house):
    house = await house(listen=speaking(authority.server()))
    async with RawClient(house.port, tls=trusting(authority)) as client:
        answer = await client.get()
        again = await client.get()

        assert (200, 200) == (answer.status, again.status)
        assert "http/1.1" == client._writer.get_extra_info("ssl_object").selected_alpn_protocol()
    assert b"X-Forwarded-Proto: https" in house.upstream.seen[0].head


async def test_plain_http_is_told_that_the_port_speaks_tls(authority, house):
    house = await house(listen=speaking(authority.server()))

    answer = await house.fetch("/")

    assert (400, "clean") == (answer.status, answer.end)
    assert b"https://" in answer.body
    event = await house.event("tls_handshake_failed", cause="plain_http")
    assert ("traffic", "127.0.0.1") == (event["port"], event["client_ip"])


@pytest.mark.parametrize(
    ("least", "spoken", "is_served"),
    [
        pytest.param("1.2", ssl.TLSVersion.TLSv1_2, True, id="1.2 by default"),
        pytest.param("1.2", ssl.TLSVersion.TLSv1_3, True, id="1.3 by default"),
        pytest.param("1.3", ssl.TLSVersion.TLSv1_2, False, id="1.2 where 1.3 is the oldest"),
        pytest.param("1.3", ssl.TLSVersion.TLSv1_3, True, id="1.3 where it is the oldest"),
        pytest.param("1.2", ssl.TLSVersion.TLSv1_1, False, id="1.1 never"),
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
async def test_versions(authority, house, least, spoken, is_served):
    house = await house(listen=speaking(authority.server(), min_version=least))
    tls = trusting(authority, minimum_version=spoken, maximum_version=spoken)
    tls.set_ciphers("DEFAULT@SECLEVEL=0")

    if is_served:
        async with RawClient(house.port, tls=tls) as client:
            assert 200 == (await client.get()).status
    else:
        with pytest.raises(ssl.SSLError):
            await RawClient(house.port, tls=tls).__aenter__()
        event = await house.event("tls_handshake_failed")
        assert "protocol" == event["cause"]
        assert "UNSUPPORTED_PROTOCOL" in event["detail"]


def asking(authority, **more):
    """As `speaking`, for a port that asks clients for certificates."""
    return speaking(authority.server(), client_ca=str(authority.certificate), **more)


ANN = ("DNS:ann.example", "URI:spiffe://example/ann")
CERTIFICATES = [
    pytest.param({}, ANN, {}, "spiffe://example/ann", None, id="one of the authority's"),
    pytest.param(
        {"client_names": ["ANN.example"]}, ANN, {}, "ann.example", None, id="an allowed DNS name"
    ),
    pytest.param(
        {"client_names": ["spiffe://example/ann"]}, ANN, {}, "spiffe://example/ann", None,
        id="an allowed URI",
    ),
    pytest.param(
        {"client_names": ["bob.example"]}, ANN, {}, None, "client_name", id="a wrong name"
    ),
    pytest.param(
        {"client_names": ["ann"]}, (), {"common": "ann"}, "ann", None,
        id="the common name where there are no others",
    ),
    pytest.param(
        {"client_names": ["ann"]}, ANN, {"common": "ann"}, None, "client_name",
        id="no common name where there are others",
    ),
    pytest.param({}, ANN, {"days": -1}, None, "client_certificate", id="an expired one"),
    pytest.param(
        {}, ANN, {"usage": "serverAuth"}, None, "client_certificate", id="one for servers only"
    ),
    pytest.param({}, None, {}, None, "client_certificate", id="none"),
    pytest.param({"client_certificate": "optional"}, None, {}, "", None, id="none, which may be"),
    pytest.param(
        {"client_certificate": "optional"}, ANN, {"days": -1}, None, "client_certificate",
        id="an expired one where none would do",
    ),
]  # fmt: skip


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(("rule", "names", "unusual", "recorded", "cause"), CERTIFICATES)
async def test_client_certificates(
    authority, house, rule, names, unusual, recorded, cause, version
):
    house = await house(listen=asking(authority, **rule))
    pair = None if names is None else authority.issue(*names, **unusual)
    tls = trusting(authority, pair, maximum_version=version)

    if cause is None:
        async with RawClient(house.port, tls=tls) as client:
            answer = await client.get()
        event = await house.event_of(answer)
        assert (200, recorded) == (answer.status, event.get("client_cert", ""))
    else:
        with pytest.raises((ssl.SSLError, CutShortError, ConnectionError)):
            async with RawClient(house.port, tls=tls) as client:
                await client.get()
        assert cause == (await house.event("tls_handshake_failed"))["cause"]
        assert [] == house.upstream.seen


async def test_a_certificate_of_another_authority(authority, house, tmp_path):
    house = await house(listen=asking(authority))
    tls = trusting(authority, Authority(tmp_path, "others").issue("DNS:ann.example"))

    with pytest.raises((ssl.SSLError, CutShortError, ConnectionError)):
        async with RawClient(house.port, tls=tls) as client:
            await client.get()

    event = await house.event("tls_handshake_failed")
    assert "client_certificate" == event["cause"]
    assert "unable to get local issuer certificate" in event["detail"]


@pytest.mark.parametrize("is_told", [False, True])
async def test_upstreams_are_told_of_the_certificate_by_option_only(authority, house, is_told):
    house = await house(listen=asking(authority, forward_client_cert=is_told))
    tls = trusting(authority, authority.issue(*ANN))

    async with RawClient(house.port, tls=tls) as client:
        await client.get("/", "X-Forwarded-Client-Cert: forged", "X_Forwarded_Client_Cert: forged")

    head = house.upstream.seen[0].head
    told = [row for row in head.split(b"\r\n") if b"client" in row.lower() and b"ert" in row]
    assert is_told == bool(told)
    assert b"forged" not in head
    if is_told:
        (line,) = told
        assert line.startswith(b"X-Forwarded-Client-Cert: Hash=")
        assert line.endswith(b";URI=spiffe://example/ann;DNS=ann.example")


async def test_a_client_that_does_not_trust_us_is_named(authority, house, tmp_path):
    house = await house(listen=speaking(authority.server()))

    def connect():  # the loops drop the alert that this is about
        with socket.create_connection(("127.0.0.1", house.port)) as sock:
            tls = trusting(Authority(tmp_path, "others"))
            tls.wrap_socket(sock, server_hostname="localhost")

    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.to_thread(connect)

    event = await house.event("tls_handshake_failed")
    assert "refused_by_client" == event["cause"]
    assert "ALERT" in event["detail"]


@pytest.mark.parametrize(
    ("sent", "cause"),
    [
        pytest.param(b"", "left", id="nothing"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01", "left", id="half a hello"),
        pytest.param(b"\x16\x03\x01\x00\x04\x01\x00\x00\x00", "protocol", id="a broken hello"),
        pytest.param(b"\x00\x01\x02\x03\x04\x05\x06", "protocol", id="noise"),
    ],
)
async def test_broken_handshakes_are_recorded(authority, house, sent, cause):
    house = await house(listen=speaking(authority.server()))

    async with house.client() as client:
        await client.send(sent)
        client._writer.write_eof()
        await client.rest()

    assert cause == (await house.event("tls_handshake_failed"))["cause"]
    counted = (await house.admin("/metrics")).body.decode()
    assert f'sidelight_tls_handshakes_total{{port="traffic",result="{cause}"}} 1.0' in counted


async def test_slow_handshakes_by_the_hundred_cost_nobody_else_anything(authority, house):
    limit = 200
    house = await house(listen=speaking(authority.server()) | {"max_connections": limit})
    silent = [house.client() for _ in range(2 * limit)]
    try:
        for number, one in enumerate(silent):
            await one.__aenter__()
            if number % 2:
                await one.send(b"\x16\x03\x01\x02\x00")

        async with RawClient(house.port, tls=trusting(authority)) as client:
            assert 200 == (await client.get()).status
        counted = (await house.admin("/metrics")).body.decode()
        assert 'sidelight_tls_handshakes_total{port="traffic",result="ok"} 1.0' in counted
        assert 'sidelight_tls_handshakes_total{port="traffic",result="shed"}' in counted
    finally:
        for one in silent:
            await one.leave()
    events = house.all("tls_handshake_failed")
    assert 0 < len(events) <= 40


async def test_bytes_may_be_split_anywhere(authority, house):
    house = await house(listen=speaking(authority.server()))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    spoken = trusting(authority).wrap_bio(incoming, outgoing, server_hostname="localhost")
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)

    async def pass_on():
        for byte in outgoing.read():
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        await writer.drain()

    async def until_done(step, *args):
        while True:
            try:
                return step(*args)
            except ssl.SSLWantReadError:
                await pass_on()
                incoming.write(await reader.read(1))

    await until_done(spoken.do_handshake)
    spoken.write(request("GET", "/"))
    await pass_on()
    got = b""
    while b"\r\n\r\n" not in got:
        got += await until_done(spoken.read, 1)
    writer.transport.abort()

    assert got.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_sessions_are_resumed(authority, house, version):
    house = await house(listen=speaking(authority.server()))
    tls = trusting(authority, maximum_version=version)

    def ask(session):
        sock = socket.create_connection(("127.0.0.1", house.port))
        with tls.wrap_socket(sock, server_hostname="localhost", session=session) as spoken:
            spoken.sendall(request("GET", "/", "Connection: close"))
            while spoken.recv(65536):
                pass
            return spoken.session, spoken.session_reused

    session, is_reused = await asyncio.to_thread(ask, None)
    _, is_reused_then = await asyncio.to_thread(ask, session)

    assert (False, True) == (is_reused, is_reused_then)
    counted = (await house.admin("/metrics")).body.decode()
    assert 'sidelight_tls_handshakes_total{port="traffic",result="ok"} 1.0' in counted
    assert 'sidelight_tls_handshakes_total{port="traffic",result="resumed"} 1.0' in counted


async def test_an_upload_that_is_refused_gets_its_answer(authority, house):
    house = await house(listen=speaking(authority.server()), max_body="1KiB")
    async with RawClient(house.port, tls=trusting(authority)) as client:
        await client.send(request("POST", "/", "Content-Length: 2000000"))
        for _ in range(20):
            await client.send(bytes(100_000))
        answer = await client.answer()

    assert (413, "clean") == (answer.status, answer.end)


async def test_an_end_of_ours_is_a_close_notify(authority, house):
    house = await house(listen=speaking(authority.server()))
    async with RawClient(house.port, tls=trusting(authority)) as client:
        answer = await client.get("/", "Connection: close")
        rest = await client.rest()

    assert 200 == answer.status
    assert (b"", "clean") == rest


async def test_a_client_that_leaves_cancels_its_exchange(authority, house, upstream):
    house = await house(listen=speaking(authority.server()))
    upstream.blackhole()
    client = RawClient(house.port, tls=trusting(authority))
    await client.__aenter__()
    await client.send(request("GET", "/"))
    await eventually(lambda: upstream.connections)
    await client.leave()

    assert "client_closed_request" == (await house.event())["code"]


async def test_the_admin_port_by_tls(authority, house):
    house = await house(admin=speaking(authority.server()))

    async with RawClient(house.app.admin_port, tls=trusting(authority)) as client:
        health = await client.get("/health")
    plain = await house.admin("/health")

    assert 200 == health.status
    assert health.json()["certificates"]["admin"]["expires_in_seconds"] > 86400 * 89
    assert health.json()["certificates"]["admin"]["rejected"] is None
    assert 400 == plain.status
    assert "admin" == (await house.event("tls_handshake_failed"))["port"]


async def test_require_https_sees_tls(authority, house):
    house = await house(
        listen=speaking(authority.server()), route={"require_https": "refuse", "hsts": "1h"}
    )

    async with RawClient(house.port, tls=trusting(authority)) as client:
        answer = await client.get()

    assert (200, "max-age=3600") == (answer.status, answer.header("Strict-Transport-Security"))


async def test_certificates_are_renewed_under_load(authority, house):
    """No connection is touched, and new ones are shown the new certificate."""
    pair = authority.server()
    house = await house(listen=speaking(pair))
    tls = trusting(authority)

    def shown(client):
        return client._writer.get_extra_info("ssl_object").getpeercert()["serialNumber"]

    async with RawClient(house.port, tls=tls) as kept:
        serials = {shown(kept)}
        for number in range(3):
            pair.replace_by(authority.server())
            await house.app.tls.watch.look()
            async with RawClient(house.port, tls=tls) as new:
                answers = [await new.get(), await kept.get()]
                serials.add(shown(new))
            assert [200, 200] == [answer.status for answer in answers]
            assert number + 2 == len(serials)
    await eventually(lambda: len(house.all("tls_files_loaded", certificate="listen")) >= 3)


async def test_a_bad_pair_is_said_and_the_old_one_goes_on(authority, house):
    pair = authority.server()
    house = await house(listen=speaking(pair))
    pair.key.write_bytes(authority.server().key.read_bytes())
    for _ in range(3):
        await house.app.tls.watch.look()

    async with RawClient(house.port, tls=trusting(authority)) as client:
        assert 200 == (await client.get()).status
    event = await house.event("tls_files_rejected")
    health = (await house.admin("/health")).json()
    assert ("listen", "ok") == (event["certificate"], health["status"])
    assert health["certificates"]["listen"]["rejected"] == event["detail"]
    assert "is not the key of" in event["detail"]
