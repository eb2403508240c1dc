"""Posts a batch to the collector, blocking, and says what became of it. For threads."""

import gzip
import http.client
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from google.protobuf.json_format import Parse, ParseError
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from proxy import clock
from proxy.observation.redaction import redact
from proxy.tls.files import TlsFileError
from proxy.tracing.answer import Answer, read_answer
from proxy.tracing.rules import TracingRule
from proxy.tracing.timed_socket import TimedSocket
from proxy.tracing.tls import collector_context

_AGAIN: Final = frozenset({429, 502, 503, 504})
"""What OTLP lets a client send again; anything else that is no success is final."""
_LONGEST_WAIT: Final = 300.0
_WORDS: Final = 200


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a batch. `why` is empty where all of it was taken."""

    why: str = ""
    rejected: int | None = 0
    """Spans that were not taken and never will be; None: all of them."""
    again: bool = False
    """Whether it may be sent again."""
    wait: float | None = None
    """Seconds that the collector asks to wait before."""


class Sender:
    """Keeps one connection. `url` is whole."""

    def __init__(self, url: str, rule: TracingRule, agent: str) -> None:
        parts = urlsplit(url)
        self.url, self._rule = url, rule
        self._is_tls = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._is_tls else 80)
        headers = {"Content-Type": "application/x-protobuf"}
        headers |= {name: v.get_secret_value() for name, v in rule.headers.items()}
        if "user-agent" not in map(str.lower, headers):
            headers["User-Agent"] = agent
        if rule.compression == "gzip":
            headers["Content-Encoding"] = "gzip"
        self._head = _head(parts, headers)
        self._sock: TimedSocket | None = None

    def send(self, body: Sequence[bytes], timeout: float) -> Sent:
        """Post the pieces of `body` as one. Nothing is raised.

        It takes `timeout` seconds at the most, however slowly they drip.
        """
        if self._rule.compression == "gzip":
            body = [gzip.compress(b"".join(body), 1)]
        is_kept = self._sock is not None
        sent = self._post(body, timeout)
        if is_kept and sent.again and self._sock is None and sent.why in _CLOSED:
            sent = self._post(body, timeout)  # it was closed while it idled
        return sent

    def close(self) -> None:
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def _post(self, body: Sequence[bytes], timeout: float) -> Sent:
        try:
            sock = self._connected(timeout)
            sock.send_all([b"%b%d\r\n\r\n" % (self._head, sum(map(len, body))), *body])
            answer = read_answer(sock)
            if not answer.is_kept:
                self.close()
            return _judged(answer)
        except (OSError, http.client.HTTPException, ValueError) as error:
            why = _reason(self._alert(error))
            self.close()
            return Sent(why, again=True)

    def _connected(self, timeout: float) -> TimedSocket:
        if self._sock is None:
            self._sock = TimedSocket(self._connect(timeout))
        self._sock.ends_by = clock.now() + timeout
        return self._sock

    def _connect(self, timeout: float) -> socket.socket:
        # anew: certificates are renewed
        context = collector_context(self._rule) if self._is_tls else None
        sock = socket.create_connection((self._host, self._port), timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # where the handshake fails, `ssl` has taken the socket over and closed it
        return context.wrap_socket(sock, server_hostname=self._host) if context else sock

    def _alert(self, error: Exception) -> Exception:
        """What the collector says by TLS, where it broke a write off; else the error."""
        if self._sock is not None and self._is_tls and isinstance(error, _BROKEN):
            try:
                self._sock.ends_by = clock.now() + _LAST_WORDS
                self._sock.recv(1)
            except OSError as told:
                return told if isinstance(told, ssl.SSLError) and told.reason else error
        return error


def _head(parts: SplitResult, headers: Mapping[str, str]) -> bytes:
    """Of a request, up to the length of its body."""
    try:
        host = parts.netloc.encode("ascii")
    except UnicodeEncodeError:
        port = f":{parts.port}" if parts.port else ""
        host = (parts.hostname or "").encode("idna") + port.encode()
    first = f"POST {quote(parts.path or '/', safe=_AS_IT_IS)} HTTP/1.1\r\n"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return b"%bHost: %b\r\n%bContent-Length: " % (first.encode(), host, lines.encode("latin-1"))


_AS_IT_IS: Final = "/%:@!$&'()*+,;=~"
"""What may stand in a path and is not quoted, beside letters, digits and `-._` (RFC 3986 §3.3)."""
_BROKEN: Final = (ssl.SSLEOFError, ConnectionError)
_LAST_WORDS: Final = 0.5
"""Seconds for an alert that is on its way."""
_CLOSED: Final = ("RemoteDisconnected", "ConnectionResetError", "BrokenPipeError")


def _judged(answer: Answer) -> Sent:
    status = answer.status
    if status in _AGAIN:
        return Sent(f"status {status}", again=True, wait=_wait(answer.retry_after))
    if not 200 <= status < 300:
        return Sent(f"status {status}", rejected=None)
    if not answer.data:
        return Sent()
    try:
        partial = _said(answer.data).partial_success
    except (DecodeError, ParseError):
        return Sent("its answer is no OTLP", rejected=None)
    if not partial.rejected_spans:
        return Sent()
    words = redact(partial.error_message, _WORDS)
    return Sent(f"it rejected spans: {words}", rejected=max(0, partial.rejected_spans))


def _said(data: bytes) -> ExportTraceServiceResponse:
    """Some collectors answer by JSON whatever they were sent; no protobuf of it begins so."""
    told = ExportTraceServiceResponse()
    if data.lstrip()[:1] == b"{":
        Parse(data, told, ignore_unknown_fields=True)
    else:
        told.ParseFromString(data)
    return told


def _wait(value: str | None) -> float | None:
    """Seconds of a `Retry-After` (RFC 9110 §10.2.3), within reason; None where it names none."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return min(float(value), _LONGEST_WAIT)
    try:
        seconds = parsedate_to_datetime(value).timestamp() - clock.wall()
    except ValueError:
        return None
    return min(max(0.0, seconds), _LONGEST_WAIT)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError) and error.reason:
        return f"TLS: {error.reason.lower().replace('_', ' ')}"
    if isinstance(error, ssl.SSLEOFError):
        return "TLS: it closes the connection; it may want another certificate of ours, or one"
    if isinstance(error, TlsFileError):
        return f"tracing.{error.key}: {error}"
    return "timeout" if isinstance(error, TimeoutError) else type(error).__name__
