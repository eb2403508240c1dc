"""What is refused before an upstream hears of it."""

import pytest

from proxy import outcome as o
from proxy.http.guards import refuse_on_route, refuse_request
from proxy.http.request_head import RequestHead, read_request
from proxy.outcome import Outcome

ME = b"sidelight-7f3a"
HOST = (b"Host", b"a")
UPGRADE = ((b"Connection", b"upgrade"), (b"Upgrade", b"websocket"))


def asked(
    *headers: tuple[bytes, bytes],
    method: str = "GET",
    target: str = "/",
    version: tuple[int, int] = (1, 1),
) -> RequestHead:
    return read_request(method, target, version, (HOST, *headers), should_close=False)


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        pytest.param(asked(), None, id="a plain GET"),
        pytest.param(asked(version=(1, 0)), None, id="one of HTTP/1.0"),
        pytest.param(asked(method="CONNECT", target="a:1"), o.NOT_IMPLEMENTED, id="a tunnel"),
        pytest.param(asked((b"Transfer-Encoding", b"Chunked")), None, id="a chunked body"),
        pytest.param(
            asked((b"Transfer-Encoding", b"gzip, chunked")), o.NOT_IMPLEMENTED, id="another coding"
        ),
        pytest.param(
            asked((b"Transfer-Encoding", b"")), o.NOT_IMPLEMENTED, id="a coding without name"
        ),
        pytest.param(
            asked((b"Transfer-Encoding", b"chunked"), (b"Transfer-Encoding", b"chunked")),
            o.NOT_IMPLEMENTED,
            id="chunked twice",
        ),
        pytest.param(
            asked((b"Transfer-Encoding", b"chunked"), version=(1, 0)),
            o.BAD_REQUEST,
            id="a coding in HTTP/1.0 is faulty framing",
        ),
        pytest.param(asked(target="ftp://a/"), o.BAD_REQUEST, id="a target of another scheme"),
        pytest.param(asked(HOST), o.BAD_REQUEST, id="two hosts"),
        pytest.param(asked((b"Via", b"1.1 " + ME)), o.PROXY_LOOP, id="it has passed here"),
        pytest.param(
            asked((b"Via", b"1.0 x (b, c),1.1\t" + ME + b" (again)"), (b"Via", b"1.1 y")),
            o.PROXY_LOOP,
            id="it has passed here and others",
        ),
        pytest.param(
            asked((b"Via", b"1.1 " + ME + b"0")), None, id="it has passed one with a longer name"
        ),
        pytest.param(asked((b"Via", ME + b",")), None, id="not as the receiver"),
    ],
)
def test_requests_that_are_refused_whatever_their_route(
    request_: RequestHead, refusal: Outcome | None
) -> None:
    assert refusal is refuse_request(request_, ME)


def test_what_cannot_be_understood_is_not_looked_at_further() -> None:
    request = asked((b"Via", b"1.1 " + ME), target="ftp://a/", method="CONNECT")

    assert o.NOT_IMPLEMENTED is refuse_request(request, ME)


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        pytest.param(asked(), None, id="a plain GET"),
        pytest.param(asked((b"Content-Length", b"10")), None, id="a body of the limit"),
        pytest.param(asked((b"Content-Length", b"11")), o.BODY_TOO_LARGE, id="one byte more"),
        pytest.param(
            asked((b"Transfer-Encoding", b"chunked")), None, id="a body that is counted later"
        ),
        pytest.param(asked(*UPGRADE), o.UPGRADE_NOT_ALLOWED, id="a WebSocket"),
        pytest.param(
            asked((b"Connection", b"upgrade"), (b"Upgrade", b"h2c")),
            None,
            id="an upgrade that may be ignored",
        ),
    ],
)
def test_requests_that_a_route_refuses(request_: RequestHead, refusal: Outcome | None) -> None:
    assert refusal is refuse_on_route(request_, 10, websocket=False)


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        pytest.param(asked(*UPGRADE), None, id="a GET without a body"),
        pytest.param(asked(*UPGRADE, method="POST"), o.UPGRADE_NOT_ALLOWED, id="another method"),
        pytest.param(
            asked(*UPGRADE, (b"Content-Length", b"1")),
            o.UPGRADE_NOT_ALLOWED,
            id="with a body, behind which readers could disagree",
        ),
    ],
)
def test_websockets_that_a_route_takes(request_: RequestHead, refusal: Outcome | None) -> None:
    assert refusal is refuse_on_route(request_, 10, websocket=True)
