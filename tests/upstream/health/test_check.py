"""One check: what it sends, and what each way to answer shows."""

import asyncio
import ssl

import pytest

from proxy import __version__
from proxy.upstream.dialer import Dialer
from proxy.upstream.endpoint import Endpoint
from proxy.upstream.health.check import MOST_BODY, Checker
from proxy.upstream.health.rules import HealthRule
from proxy.upstream.rules import TlsRule, UpstreamRule
from proxy.upstream.tls import upstream_tls

BRIEF = "700ms"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def checker(url: str, of_upstream: str | None = None, **knobs: object) -> Checker:
    rule = HealthRule.model_validate({"path": "/healthz", "timeout": "5s", **knobs})
    return Checker(rule, Dialer(UpstreamRule(endpoints=(url,)), None), of_upstream)


async def check(url: str, **knobs: object) -> tuple[bool | None, str]:
    result = await checker(url, **knobs).check(Endpoint(url))
    return result.ok, result.reason


def answering(data: bytes):
    async def script(peer):
        await peer.request()
        await peer.send(data)
        await peer.gone()

    return script


async def test_a_check_is_one_request_that_says_who_asks(scene) -> None:
    heads = []

    async def script(peer):
        heads.append(await peer.request())
        await peer.send(OK)
        await peer.gone()

    url = await scene.listen(script)
    result = await check(f"{url}/base")

    assert (True, "status 200") == result
    [head] = heads
    assert [
        "GET /base/healthz HTTP/1.1",
        f"Host: {url[7:]}",
        f"User-Agent: Sidelight-Health/{__version__}",
        "Accept: */*",
        "Connection: close",
    ] == head.decode().split("\r\n")[:-2]


@pytest.mark.parametrize(
    ("of_rule", "of_upstream", "sent"),
    [("a.test", "b.test", "a.test"), (None, "b.test", "b.test")],
)
async def test_the_host_is_that_of_the_rule_or_of_the_upstream(scene, of_rule, of_upstream, sent):
    heads = []

    async def script(peer):
        heads.append(await peer.request())
        await peer.send(OK)

    url = await scene.listen(script)
    await checker(url, of_upstream, host=of_rule).check(Endpoint(url))

    assert f"Host: {sent}\r\n".encode() in heads[0]


async def test_a_head_is_enough_where_only_it_is_asked_for(scene) -> None:
    url = await scene.listen(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"))

    assert (True, "status 200") == await check(url, method="HEAD")


@pytest.mark.parametrize(
    ("status", "good"),
    [(b"204 No Content", True), (b"500 No", False), (b"302 Found", False), (b"418 T", True)],
)
async def test_the_status_is_one_of_those_that_are_good(scene, status, good) -> None:
    url = await scene.listen(answering(b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % status))
    result = await check(url, status=["200-299", "418"])

    assert (good, f"status {status[:3].decode()}") == result


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "no answer within 0.7 s", id="accepted and never answered"),
        pytest.param(OK[:10], "no answer within 0.7 s", id="half a head"),
        pytest.param(OK[:-1], "no whole answer within 0.7 s", id="half a body"),
        pytest.param(b"SSH-2.0-x\r\n", "upstream_protocol_error: ", id="no HTTP"),
    ],
)
async def test_an_endpoint_that_lies(scene, data, reason) -> None:
    url = await scene.listen(answering(data))
    ok, said = await check(url, timeout=BRIEF)

    assert ok is False
    assert said.startswith(reason)


async def test_who_sends_a_byte_now_and_then_has_no_more_time(scene) -> None:
    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            await peer.send(b".")
            await asyncio.sleep(0.01)

    url = await scene.listen(script)

    assert (False, "no whole answer within 0.7 s") == await check(url, timeout=BRIEF)


async def test_an_answer_that_is_cut_off_is_none(scene) -> None:
    async def script(peer):
        await peer.request()
        await peer.send(OK[:-1])

    ok, said = await check(await scene.listen(script))

    assert ok is False
    assert said.startswith("stream_truncated: ")


async def test_of_a_large_answer_a_part_is_read(scene) -> None:
    taken = asyncio.Event()

    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\n" + b"." * (2 * MOST_BODY))
        await peer.gone()
        taken.set()

    result = await check(await scene.listen(script))
    await asyncio.wait_for(taken.wait(), 5)

    assert (True, "status 200") == result


async def test_nobody_listens(refusing) -> None:
    ok, said = await check(refusing)

    assert ok is False
    assert said.startswith("connect_refused: ")


async def test_no_connection_comes_about(blackhole) -> None:
    ok, said = await check(blackhole, timeout=BRIEF)

    assert ok is False
    assert said.startswith("connect_timeout: ")


async def test_a_connection_for_which_we_have_no_room_shows_nothing(scene) -> None:
    url = await scene.listen(lambda peer: peer.gone())
    rule = HealthRule(path="/")
    dialer = Dialer(UpstreamRule(endpoints=(url,)), None, lambda _: False)

    assert (await Checker(rule, dialer, None).check(Endpoint(url))).ok is None


async def test_an_https_endpoint_is_believed_as_for_traffic(scene, certificate) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate)
    url = await scene.listen(answering(OK), ssl=server)
    rule = HealthRule(path="/", timeout=5.0)
    results = []
    for tls in (TlsRule(ca_file=certificate, server_name="localhost"), TlsRule()):
        upstream = UpstreamRule(endpoints=(url,), tls=tls)
        checker = Checker(rule, Dialer(upstream, upstream_tls("chat", tls)), None)
        results.append(await checker.check(Endpoint(url)))

    assert [True, False] == [result.ok for result in results]
    assert results[1].reason.startswith("tls_failure: ")
