"""What is read from a request's head, and what of it is well formed."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.http.request_head import RequestHead, is_well_formed, read_request

few = settings(max_examples=50, deadline=None, database=None)
HOST = (b"Host", b"named")


def asked(
    *headers: tuple[bytes, bytes],
    method: str = "GET",
    target: str = "/",
    version: tuple[int, int] = (1, 1),
    should_close: bool = False,
) -> RequestHead:
    return read_request(method, target, version, headers, should_close=should_close)


@pytest.mark.parametrize(
    ("method", "target", "read_as", "host"),
    [
        pytest.param("GET", "/a?b", "/a?b", b"named", id="the usual form stays as it is"),
        pytest.param("GET", "//a/../%2F?", "//a/../%2F?", b"named", id="so does a strange path"),
        pytest.param("GET", "http://there/a?b", "/a?b", b"there", id="an absolute target"),
        pytest.param("GET", "HTTPS://There:1/a", "/a", b"There:1", id="schemes in any case"),
        pytest.param("GET", "http://there", "/", b"there", id="without path"),
        pytest.param("GET", "http://there?a/b", "/?a/b", b"there", id="without path, with query"),
        pytest.param("OPTIONS", "http://there", "*", b"there", id="OPTIONS about the server"),
        pytest.param("OPTIONS", "http://there/", "/", b"there", id="OPTIONS about its root"),
        pytest.param("OPTIONS", "*", "*", b"named", id="the asterisk"),
        pytest.param("GET", "ftp://there/a", "ftp://there/a", b"named", id="another scheme"),
        pytest.param("GET", "http:///a", "http:///a", b"named", id="no authority"),
        pytest.param("CONNECT", "there:443", "there:443", b"named", id="the form of CONNECT"),
    ],
)
def test_target_and_host(method: str, target: str, read_as: str, host: bytes) -> None:
    inbound = asked(HOST, method=method, target=target)

    assert (read_as, host) == (inbound.target, inbound.host)


@pytest.mark.parametrize(
    ("headers", "has_body", "length"),
    [
        pytest.param([], False, None, id="no body"),
        pytest.param([(b"Content-Length", b"0")], False, 0, id="a body of no bytes"),
        pytest.param([(b"content-length", b"007")], True, 7, id="a body of seven"),
        pytest.param([(b"Transfer-Encoding", b"chunked")], True, None, id="a chunked one"),
        pytest.param(
            [(b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"3")],
            True,
            None,
            id="chunked outranks a length",
        ),
        pytest.param([(b"Content-Length", b"+1")], False, None, id="what is no number"),
        pytest.param([(b"Content-Length", b"\xb2")], False, None, id="a digit of another alphabet"),
    ],
)
def test_the_body_that_is_announced(
    headers: list[tuple[bytes, bytes]], has_body: bool, length: int | None
) -> None:
    inbound = asked(*headers)

    assert (has_body, length) == (inbound.has_body, inbound.length)


@pytest.mark.parametrize(
    ("unusual", "keeps"),
    [
        pytest.param({}, True, id="HTTP/1.1 goes on"),
        pytest.param({"should_close": True}, False, id="unless it says close"),
        pytest.param({"version": (1, 0)}, False, id="HTTP/1.0 ends"),
    ],
)
def test_whether_the_connection_goes_on(unusual: dict[str, Any], keeps: bool) -> None:
    assert keeps == asked(**unusual).keep_alive


@pytest.mark.parametrize(
    ("headers", "version", "protocol"),
    [
        pytest.param(
            [(b"Connection", b"keep-alive, Upgrade"), (b"Upgrade", b"WebSocket")],
            (1, 1),
            b"websocket",
            id="asked for",
        ),
        pytest.param([], (1, 1), b"", id="not asked for"),
        pytest.param([(b"Upgrade", b"websocket")], (1, 1), b"", id="not named by Connection"),
        pytest.param([(b"Connection", b"upgrade")], (1, 1), b"", id="to nothing"),
        pytest.param(
            [(b"Connection", b"upgrade"), (b"Upgrade", b"websocket")],
            (1, 0),
            b"",
            id="never in HTTP/1.0",
        ),
    ],
)
def test_the_protocol_of_an_upgrade(
    headers: list[tuple[bytes, bytes]], version: tuple[int, int], protocol: bytes
) -> None:
    inbound = asked(*headers, version=version)

    assert protocol == inbound.upgrade
    assert (protocol == b"websocket") == inbound.wants_websocket


def test_another_upgrade_asks_for_no_websocket() -> None:
    assert not asked((b"Connection", b"upgrade"), (b"Upgrade", b"h2c")).wants_websocket


@pytest.mark.parametrize(
    ("headers", "version", "expects"),
    [
        pytest.param([(b"Expect", b"100-Continue")], (1, 1), True, id="it waits"),
        pytest.param([], (1, 1), False, id="it does not"),
        pytest.param([(b"Expect", b"200-ok")], (1, 1), False, id="for what nobody knows"),
        pytest.param([(b"Expect", b"100-continue")], (1, 0), False, id="never in HTTP/1.0"),
    ],
)
def test_whether_the_client_waits_for_leave_to_send(
    headers: list[tuple[bytes, bytes]], version: tuple[int, int], expects: bool
) -> None:
    assert expects == asked(*headers, version=version).expects_continue


@pytest.mark.parametrize(
    ("unusual", "good"),
    [
        pytest.param({}, True, id="a path and a host"),
        pytest.param({"target": "//a/..;b=c?d?e"}, True, id="a strange path is still a path"),
        pytest.param({"target": "*", "method": "OPTIONS"}, True, id="the asterisk of OPTIONS"),
        pytest.param({"target": "*"}, False, id="the asterisk of another method"),
        pytest.param({"target": "ftp://a/b"}, False, id="another scheme"),
        pytest.param({"target": "ftp://a/b", "method": "OPTIONS"}, False, id="in OPTIONS as well"),
        pytest.param({"target": "a"}, False, id="no slash"),
        pytest.param({"target": "/a#b"}, False, id="a fragment"),
        pytest.param({"target": "http://user@a/"}, False, id="user information"),
        pytest.param({"target": "http://a:b/"}, False, id="a port that is none"),
        pytest.param({"target": "http://\u0130/"}, False, id="an authority that is not ASCII"),
    ],
)
def test_which_targets_are_well_formed(unusual: dict[str, Any], good: bool) -> None:
    assert good == is_well_formed(asked(HOST, **unusual))


@pytest.mark.parametrize(
    ("headers", "unusual", "good"),
    [
        pytest.param([HOST], {}, True, id="one"),
        pytest.param([(b"Host", b"")], {}, True, id="an empty one"),
        pytest.param([], {}, False, id="none"),
        pytest.param([], {"target": "http://a/"}, False, id="none beside an absolute target"),
        pytest.param([], {"version": (1, 0)}, True, id="none in HTTP/1.0"),
        pytest.param([HOST, HOST], {}, False, id="two"),
        pytest.param([(b"Host", b"a/b")], {}, False, id="a bad one"),
        pytest.param(
            [(b"Host", b"a/b")], {"target": "http://a/"}, False, id="a bad one that is overruled"
        ),
        pytest.param([HOST], {"target": "http://a/"}, True, id="another one that is overruled"),
    ],
)
def test_which_hosts_are_well_formed(
    headers: list[tuple[bytes, bytes]], unusual: dict[str, Any], good: bool
) -> None:
    assert good == is_well_formed(asked(*headers, **unusual))


@few
@given(st.sampled_from(["", "http://a", "http://", "HTTPS://[::1]:8"]), st.text(max_size=20))
def test_what_is_well_formed_can_be_forwarded(start: str, rest: str) -> None:
    inbound = asked(HOST, target=start + rest)

    assert inbound.target.startswith("/") or not is_well_formed(inbound)
    assert "#" not in inbound.target or not is_well_formed(inbound)
