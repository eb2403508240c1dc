"""The two heads that Sidelight writes: the request's to the upstream, the answer's to the client.

Written as bytes straight from what came in, so that nothing is re-cased, re-ordered or lost.
"""

from dataclasses import dataclass
from typing import Protocol

from proxy.answers import status_line
from proxy.exchange import Exchange
from proxy.headers import RawHeaders, appended, forwarded_member, to_client, to_upstream
from proxy.identity import Trace
from proxy.inbound import Inbound

_CORS = frozenset(
    b"access-control-" + name
    for name in (
        b"allow-origin",
        b"allow-credentials",
        b"allow-methods",
        b"allow-headers",
        b"allow-private-network",
        b"expose-headers",
        b"max-age",
    )
)


class Head(Protocol):
    """Status line and headers of the upstream's answer."""

    @property
    def status(self) -> int: ...

    @property
    def reason(self) -> bytes: ...

    @property
    def headers(self) -> RawHeaders: ...


@dataclass(frozen=True, slots=True)
class Source:
    """Where a request came from: the peer's address, and whether its forwarding headers count."""

    peer: str
    trusted: bool = False
    scheme: bytes = b"http"


class Heads:
    """Writes heads in the name of one instance of Sidelight.

    `id_header` carries the request ID, `pseudonym` is our name in `Via`.
    """

    def __init__(self, id_header: str, pseudonym: str) -> None:
        self.id_name = id_header.encode()
        self.id_key = self.id_name.lower()
        """The header's name as keys of fields are written."""
        self._id_line = self.id_name + b": "
        own = frozenset({self.id_key})
        self._own = own
        self._own_and_host = own | {b"host"}
        self._own_and_cors = own | _CORS
        self._via = b"1.1 " + pseudonym.encode()
        self._via_line = b"Via: " + self._via + b"\r\n"

    def request(
        self,
        asked: Inbound,
        x: Exchange,
        trace: Trace,
        source: Source,
        *,
        host: bytes | None = None,
        strip: str = "",
    ) -> bytes:
        """The head for the upstream. `host` replaces the client's, `strip` is cut off the path."""
        fields = asked.fields
        wanted = host if host is not None else asked.host
        same = wanted == fields.get(b"host")
        lines = to_upstream(
            asked.raw, fields.get(b"connection"), self._own if same else self._own_and_host
        )
        target = _stripped(asked.target, strip).encode("utf-8", "surrogateescape")
        start = b"%b %b HTTP/1.1\r\n" % (asked.method.encode(), target)
        if not same:
            start += b"Host: %b\r\n" % wanted
        return b"".join(
            (
                start,
                *lines,
                self._id_line,
                x.request_id.encode(),
                b"\r\n",
                _trace_lines(trace),
                self._forwarding(asked, source),
                _body_framing(asked),
                b"\r\n",
            )
        )

    def _forwarding(self, asked: Inbound, source: Source) -> bytes:
        given = asked.fields if source.trusted else {}
        peer = source.peer.encode()
        member = forwarded_member(source.peer, asked.host, source.scheme)
        return (
            b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\nX-Forwarded-Host: %b\r\n"
            b"Forwarded: %b\r\nVia: %b\r\n"
        ) % (
            appended(given.get(b"x-forwarded-for"), peer),
            given.get(b"x-forwarded-proto", source.scheme),
            given.get(b"x-forwarded-host", asked.host),
            appended(given.get(b"forwarded"), member),
            appended(asked.fields.get(b"via"), self._via),
        )

    def answer(self, head: Head, x: Exchange, extra: bytes, *, cors: bool) -> bytes:
        """The head for the client.

        `extra` are framing, connection and CORS lines, maybe empty.
        With `cors` the upstream's own `Access-Control-*` give way to them.
        """
        own = self._own_and_cors if cors else self._own
        connection = None
        for name, value in head.headers:
            if len(name) == 10 and name.lower() == b"connection":
                connection = value if connection is None else connection + b"," + value
        return b"".join(
            (
                status_line(head.status, head.reason),
                *to_client(head.headers, connection, own),
                self._via_line,
                self._id_line,
                x.request_id.encode(),
                b"\r\n",
                extra,
                b"\r\n",
            )
        )

    def own_answer(self, status: int, x: Exchange, lines: bytes) -> bytes:
        """The head of an answer that Sidelight makes itself."""
        return b"".join(
            (status_line(status), lines, self._id_line, x.request_id.encode(), b"\r\n\r\n")
        )


def _stripped(target: str, prefix: str) -> str:
    rest = target.removeprefix(prefix)
    return rest if rest.startswith("/") else "/" + rest if prefix else rest


def _trace_lines(trace: Trace) -> bytes:
    lines = b"traceparent: %b\r\n" % trace.parent
    return lines + b"tracestate: %b\r\n" % trace.state if trace.state else lines


def _body_framing(asked: Inbound) -> bytes:
    if asked.length is not None:
        return b"Content-Length: %d\r\n" % asked.length
    return b"Transfer-Encoding: chunked\r\n" if asked.has_body else b""
