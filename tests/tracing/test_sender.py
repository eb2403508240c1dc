"""What a collector says before it closes the connection is told."""

import socket
import ssl
import threading
from contextlib import suppress
from io import BufferedReader

import pytest

from proxy.tracing.rules import TracingRule
from proxy.tracing.sender import Sender, Sent
from tests.house.collector import partly


def test_the_alert_of_a_collector_that_wants_a_certificate_is_told(authority) -> None:
    """By TLS 1.3 it comes after the handshake, and a write that fails hides it."""
    pair, listener = authority.server(), socket.create_server(("127.0.0.1", 0))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    context.load_verify_locations(authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED

    def refuse() -> None:
        plain, _ = listener.accept()
        tls = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        with suppress(ssl.SSLError):
            tls.do_handshake()
        socket.socket.shutdown(tls, socket.SHUT_WR)
        while socket.socket.recv(tls, 4096):  # or a reset would overtake the alert
            pass
        tls.close()

    thread = threading.Thread(target=refuse)
    thread.start()
    rule = TracingRule(ca_file=str(authority.certificate))
    sender = Sender(f"https://127.0.0.1:{listener.getsockname()[1]}", rule, "test")
    sent = sender.send([b"spans"], 30.0)
    thread.join(30)
    listener.close()

    assert ("TLS: tlsv13 alert certificate required", True) == (sent.why, sent.again)


@pytest.fixture
def collector():
    """Answers each request with the next of `answers`, and keeps what came."""
    served = _Collector()
    yield served
    served.close()


class _Collector:
    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self.most = 1 << 30
        """Requests of a connection, which it then closes."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(30)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                self.connections += 1
                with peer, peer.makefile("rb") as file:
                    self._take(peer, file)

    def _take(self, peer: socket.socket, file: BufferedReader) -> None:
        for _ in range(self.most):
            if not (line := file.readline()):
                break
            head = [line]
            while line != b"\r\n":
                head.append(line := file.readline())
            length = next(int(one[16:]) for one in head if one.startswith(b"Content-Length: "))
            self.requests.append(b"".join(head) + file.read(length))
            peer.sendall(self.answers.pop(0))


TAKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def said(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def test_a_batch_is_one_request_and_the_next_goes_by_the_same_connection(collector) -> None:
    collector.answers += [TAKEN, TAKEN, TAKEN]
    rule = TracingRule(headers={"X-Api-Key": "a b"})
    sender = Sender(f"http://127.0.0.1:{collector.port}/v1/tr%20 é", rule, "us/1")
    sent = [sender.send(body, 30.0) for body in ([b"one", b"", b"two"], [b"x"] * 3000)]
    sender.close()
    head = (
        f"POST /v1/tr%20%20%C3%A9 HTTP/1.1\r\nHost: 127.0.0.1:{collector.port}\r\n"
        "Content-Type: application/x-protobuf\r\nX-Api-Key: a b\r\nUser-Agent: us/1\r\n"
    ).encode()

    assert [Sent(), Sent()] == sent
    assert [
        head + b"Content-Length: 6\r\n\r\nonetwo",
        head + b"Content-Length: 3000\r\n\r\n" + b"x" * 3000,
    ] == collector.requests
    assert 1 == collector.connections


def test_a_connection_that_was_closed_while_it_idled_costs_nothing(collector) -> None:
    collector.answers, collector.most = [TAKEN, TAKEN, TAKEN], 1
    sender = Sender(f"http://127.0.0.1:{collector.port}", TracingRule(), "us/1")
    sent = [sender.send([b"x"], 30.0) for _ in range(3)]
    sender.close()

    assert [Sent()] * 3 == sent
    assert 3 == collector.connections == len(collector.requests)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="chunked"
        ),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + TAKEN, id="after an interim one"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 2 + TAKEN, id="after hints"),
        pytest.param(TAKEN.replace(b"Length: 0", b"Length:0"), id="unusually written"),
        pytest.param(TAKEN.replace(b"200", b"202"), id="accepted"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", id="without a body"),
        pytest.param(said(b"{}"), id="JSON"),
        pytest.param(said(b'{"partialSuccess": {}, "of": "theirs"}'), id="JSON with more in it"),
    ],
)
def test_answers_of_any_framing_are_read(collector, answer: bytes) -> None:
    collector.answers += [answer, TAKEN]
    sender = Sender(f"http://127.0.0.1:{collector.port}", TracingRule(), "us/1")
    sent = [sender.send([b"x"], 30.0) for _ in range(2)]
    sender.close()

    assert [Sent(), Sent()] == sent
    assert 1 == collector.connections


def test_an_agent_that_is_given_is_told_alone() -> None:
    sender = Sender("http://c", TracingRule(headers={"user-agent": "them"}), "us/1")

    assert 1 == sender._head.lower().count(b"user-agent: ")
    assert b"user-agent: them\r\n" in sender._head


def test_a_name_of_another_script_is_told_as_the_dns_has_it() -> None:
    sender = Sender("https://bücher.example:4318/", TracingRule(), "us/1")

    assert b"Host: xn--bcher-kva.example:4318\r\n" in sender._head


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", id="it says so"
        ),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", id="it is of 1.0"),
        pytest.param(partly(1, "w" * 70_000), id="it says more than we read"),
    ],
)
def test_a_connection_that_is_over_is_not_used_again(collector, answer: bytes) -> None:
    collector.answers += [answer, TAKEN]
    sender = Sender(f"http://127.0.0.1:{collector.port}", TracingRule(), "us/1")
    sender.send([b"x"], 30.0)

    assert sender._sock is None


def test_an_answer_that_does_not_come_at_once_is_read_whole(collector) -> None:
    answer = partly(1, "w" * 65_500)  # with its head more than is read at a time
    assert 64 * 1024 < len(answer)
    collector.answers.append(answer)
    sender = Sender(f"http://127.0.0.1:{collector.port}", TracingRule(), "us/1")
    sent = sender.send([b"x"], 30.0)
    sender.close()

    assert (1, False) == (sent.rejected, sent.again)


@pytest.mark.parametrize(
    ("line", "wait"),
    [
        pytest.param(b"Retry-After: 7\r\n", 7.0, id="seconds"),
        pytest.param(b"Retry-After: 86400\r\n", 300.0, id="longer than we wait"),
        pytest.param(b"Retry-After: Fri, 01 Jan 2100 00:00:00 GMT\r\n", 300.0, id="a date"),
        pytest.param(b"Retry-After: Sat, 01 Jan 2000 00:00:00 GMT\r\n", 0.0, id="a date gone by"),
        pytest.param(b"Retry-After: soon\r\n", None, id="no time"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_a_collector_that_is_busy_says_when_to_come_again(collector, line, wait) -> None:
    collector.answers.append(b"HTTP/1.1 503 Busy\r\n%bContent-Length: 0\r\n\r\n" % line)
    sender = Sender(f"http://127.0.0.1:{collector.port}", TracingRule(), "us/1")
    sent = sender.send([b"x"], 30.0)
    sender.close()

    assert Sent("status 503", again=True, wait=wait) == sent


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param(TAKEN.replace(b"200", b"400"), "status 400", id="refused"),
        pytest.param(said(b"no"), "its answer is no OTLP", id="no OTLP"),
        pytest.param(said(b"{"), "its answer is no OTLP", id="half of JSON"),
        pytest.param(said(b'{"partialSuccess": 7}'), "its answer is no OTLP", id="other JSON"),
    ],
)
def test_what_is_no_success_is_final(collector, answer: bytes, why: str) -> None:
    collector.answers.append(answer)
    sender = Sender(f"http://127.0.0.1:{collector.port}", TracingRule(), "us/1")
    sent = sender.send([b"x"], 30.0)
    sender.close()

    assert Sent(why, rejected=None) == sent


def test_what_is_rejected_by_json_is_counted(collector) -> None:
    partial = b'{"partialSuccess": {"rejectedSpans": "1", "errorMessage": "too long"}}'
    collector.answers.append(said(partial))
    sender = Sender(f"http://127.0.0.1:{collector.port}", TracingRule(), "us/1")
    sent = sender.send([b"x"], 30.0)
    sender.close()

    assert Sent("it rejected spans: too long", rejected=1) == sent


def test_a_collector_that_speaks_no_tls_is_named_as_that() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        peer, _ = listener.accept()
        with peer, suppress(OSError):
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            while peer.recv(4096):
                pass

    thread = threading.Thread(target=answer)
    thread.start()
    sender = Sender(f"https://127.0.0.1:{listener.getsockname()[1]}", TracingRule(), "test")
    sent = sender.send([b"spans"], 30.0)
    thread.join(30)
    listener.close()

    assert ("TLS: wrong version number", True) == (sent.why, sent.again)
    assert not thread.is_alive(), "we close what cannot be used"
