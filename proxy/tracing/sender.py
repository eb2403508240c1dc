"""Posts a batch to the collector, blocking, and says what became of it. For threads."""

import gzip
import http.client
import socket
import ssl
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from proxy import clock
from proxy.observation.redaction import redact
from proxy.tls.files import TlsFileError
from proxy.tracing.rules import TracingRule
from proxy.tracing.tls import collector_context

_AGAIN: Final = frozenset({429, 502, 503, 504})
"""What OTLP lets a client send again; anything else that is no success is final."""
_MOST_READ: Final = 64 * 1024
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
        self.url = url
        self._host, self._port = parts.hostname or "", parts.port
        self._path = parts.path or "/"
        self._is_tls, self._rule = parts.scheme == "https", rule
        self._headers = {"Content-Type": "application/x-protobuf", "User-Agent": agent}
        self._headers |= {name: v.get_secret_value() for name, v in rule.headers.items()}
        if rule.compression == "gzip":
            self._headers["Content-Encoding"] = "gzip"
        self._connection: http.client.HTTPConnection | None = None

    def send(self, body: Sequence[bytes], timeout: float) -> Sent:
        """Post the pieces of `body` as one. Nothing is raised.

        It takes `timeout` seconds at the most, however slowly they drip.
        """
        if self._rule.compression == "gzip":
            body = [gzip.compress(b"".join(body), 1)]
        is_kept = self._connection is not None
        sent = self._post(body, timeout)
        if is_kept and sent.again and self._connection is None and sent.why in _CLOSED:
            sent = self._post(body, timeout)  # it was closed while it idled
        return sent

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _post(self, body: Sequence[bytes], timeout: float) -> Sent:
        late = threading.Event()
        watch = threading.Timer(timeout, self._cut, (late,))
        watch.daemon = True
        try:
            connection = self._connected(timeout)
            watch.start()
            length = {"Content-Length": str(sum(map(len, body)))}
            connection.request("POST", self._path, body, self._headers | length)
            answer = connection.getresponse()
            data = answer.read(_MOST_READ)
            if answer.will_close or not answer.isclosed():
                self.close()
            return _judged(answer.status, answer.headers.get("Retry-After"), data)
        except (OSError, http.client.HTTPException, ValueError) as error:
            why = "timeout" if late.is_set() else _reason(self._alert(error))
            self.close()
            return Sent(why, again=True)
        finally:
            watch.cancel()

    def _connected(self, timeout: float) -> http.client.HTTPConnection:
        if self._connection is None:
            if self._is_tls:
                self._connection = http.client.HTTPSConnection(
                    self._host,
                    self._port,
                    timeout=timeout,
                    context=collector_context(self._rule),  # anew: certificates are renewed
                )
            else:
                self._connection = http.client.HTTPConnection(
                    self._host, self._port, timeout=timeout
                )
        self._connection.timeout = timeout
        if self._connection.sock is None:
            self._connection.connect()
        self._connection.sock.settimeout(timeout)
        return self._connection

    def _alert(self, error: Exception) -> Exception:
        """What the collector says by TLS, where it broke a write off; else the error."""
        sock = self._connection.sock if self._connection is not None else None
        if self._is_tls and sock is not None and isinstance(error, _BROKEN):
            try:
                sock.settimeout(_LAST_WORDS)
                sock.recv(1)
            except OSError as told:
                return told if isinstance(told, ssl.SSLError) and told.reason else error
        return error

    def _cut(self, late: threading.Event) -> None:
        late.set()
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)


_BROKEN: Final = (ssl.SSLEOFError, ConnectionError)
_LAST_WORDS: Final = 0.5
"""Seconds for an alert that is on its way."""
_CLOSED: Final = ("RemoteDisconnected", "ConnectionResetError", "BrokenPipeError")


def _judged(status: int, retry_after: str | None, data: bytes) -> Sent:
    if status in _AGAIN:
        return Sent(f"status {status}", again=True, wait=_wait(retry_after))
    if status != 200:
        return Sent(f"status {status}", rejected=None)
    try:
        partial = ExportTraceServiceResponse.FromString(data).partial_success
    except DecodeError:
        return Sent("its answer is no OTLP", rejected=None)
    if not partial.rejected_spans:
        return Sent()
    words = redact(partial.error_message, _WORDS)
    return Sent(f"it rejected spans: {words}", rejected=max(0, partial.rejected_spans))


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
