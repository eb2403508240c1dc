"""Which failure the end of a connection is for the response that was awaited on it."""

import socket
import ssl

import pytest

from proxy import outcome as o
from proxy.outcome import Outcome
from proxy.upstream.conclusion import conclude_awaited, conclude_body, conclude_tls
from proxy.upstream.delivery import Delivery
from proxy.upstream.ending import GAVE_UP, Ending
from proxy.upstream.response_reader import ResponseReader
from proxy.upstream.rules import UpstreamRule

ALERT = b"\x15\x03\x03\x00\x02\x02\x28"
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def reader() -> ResponseReader:
    found = ResponseReader("http://a", UpstreamRule(endpoints=["http://a"]))
    found.expect("GET")
    return found


def failed(reader: ResponseReader) -> tuple[Outcome, str] | None:
    return None if reader.failure is None else (reader.failure.outcome, reader.failure.detail)


@pytest.mark.parametrize(
    ("silence", "failure"),
    [(0.0, (o.UPSTREAM_WRITE_FAILED, "closed")), (1.0, (o.REQUEST_TIMEOUT, GAVE_UP))],
)
def test_an_upstream_that_gave_up_on_the_body_is_said_to_have(
    reader: ResponseReader, silence: float, failure: tuple[Outcome, str]
) -> None:
    ending = Ending(
        arrival="acknowledged",
        in_order=True,
        silence=silence,
        has_idled=False,
        has_unsent=False,
        is_uploading=True,
        is_behind=False,
    )

    conclude_awaited(reader, ending, "closed")

    assert failure == failed(reader)


@pytest.mark.parametrize(
    ("head", "was_reset", "failure"),
    [
        pytest.param(b"\r\n", False, None, id="ends with the connection"),
        pytest.param(b"\r\n", True, (o.STREAM_RESET, "why"), id="reset"),
        pytest.param(
            b"Content-Length: 9\r\n\r\n", False, (o.STREAM_TRUNCATED, "why"), id="too short"
        ),
    ],
)
def test_a_body_is_whole_where_its_framing_says_so(
    reader: ResponseReader, *, head: bytes, was_reset: bool, failure: tuple[Outcome, str] | None
) -> None:
    reader.feed(OK + head)

    conclude_body(reader, None, "why", was_reset=was_reset)

    assert failure == failed(reader)
    assert reader.is_done is (failure is None)


@pytest.mark.parametrize(
    ("exc", "reused", "outcome"),
    [
        pytest.param(ssl.SSLError("bad"), True, o.TLS_FAILURE, id="TLS itself"),
        pytest.param(OSError("reset"), False, o.TLS_FAILURE, id="an alert lies unread"),
        pytest.param(OSError("reset"), True, None, id="an alert on a reused one"),
    ],
)
def test_whether_tls_broke_the_connection(
    reader: ResponseReader, exc: Exception, *, reused: bool, outcome: Outcome | None
) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.sendall(ALERT)
        conclude_tls(reader, Delivery(ours), exc, reused=reused)

    assert outcome is (reader.failure and reader.failure.outcome)
