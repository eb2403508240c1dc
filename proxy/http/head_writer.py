"""Writes the two heads: the request's to the upstream, the response's to the client.

Written as bytes straight from what came in, so that nothing is re-cased, re-ordered or lost.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from proxy.clock import http_date, wall
from proxy.exchange import Exchange
from proxy.http.error_response import status_line
from proxy.http.forwarding import first_hop, later_hop
from proxy.http.header_changes import HeaderChange
from proxy.http.headers import RawHeaders, appended, combine, joined, to_client, to_upstream
from proxy.http.peer import Peer
from proxy.http.request_head import RequestHead

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


_VIA = {version: f"Via: {version} sidelight\r\n".encode() for version in ("1.0", "1.1")}
"""What answers say, by the version that the upstream spoke. Not our name in requests: a client that
sent it back would be taken for a loop."""
_SWITCH = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"


class Head(Protocol):
    """Status line and headers of the upstream's answer."""

    @property
    def status(self) -> int: ...

    @property
    def reason(self) -> bytes: ...

    @property
    def headers(self) -> RawHeaders: ...

    @property
    def http_version(self) -> str: ...


class _Ours:
    """Names of lines that are ours to write."""

    def __init__(self, own: frozenset[bytes]) -> None:
        self.alone = own
        self._below_theirs = own | {b"traceparent"}
        self._begun_here = own | {b"traceparent", b"tracestate"}

    def beside_span(self, *, keeps_state: bool) -> frozenset[bytes]:
        """With its `traceparent`, and the `tracestate` that stops here."""
        return self._below_theirs if keeps_state else self._begun_here


class Heads:
    """Writes heads in the name of one instance of Sidelight.

    `id_header` carries the request ID, `pseudonym` is our name in `Via` of requests,
    `clock` dates answers that the upstream did not date.
    """

    def __init__(self, id_header: str, pseudonym: str, clock: Callable[[], float] = wall) -> None:
        self.id_name = id_header.encode()
        self.id_key = self.id_name.lower()
        """The header's name as keys of fields are written."""
        self._id_line = self.id_name + b": "
        own = frozenset({self.id_key})
        self._own = own
        self._ours, self._ours_and_host = _Ours(own), _Ours(own | {b"host"})
        self._own_and_cors = own | _CORS
        self._pseudonym = pseudonym.encode()
        self._via_alone = {version: self._via_of(version) for version in ((1, 0), (1, 1))}
        self._clock = clock

    def request(
        self,
        asked: RequestHead,
        x: Exchange,
        source: Peer,
        *,
        host: bytes | None = None,
        strip: str = "",
        via: bool = True,
        base: str = "",
        change: HeaderChange | None = None,
    ) -> bytes:
        """The head for the upstream. `host` replaces the client's, `strip` is cut off the path,
        and `base` is put before what is left of it; `change` are the rules of the route.

        Without `via` it carries none, ours or of others: then a loop is not seen.
        It asks for a WebSocket if the client did; every other `Upgrade` stops here.
        """
        fields, span = asked.fields, x.span
        wanted = host if host is not None else asked.host
        same = wanted == fields.get(b"host")
        ours = self._ours if same else self._ours_and_host
        own = ours.alone if span is None else ours.beside_span(keeps_state=span.keeps_state)
        stops = own if change is None else joined(own, change.stops)
        target = without_prefix(asked.target, strip) if strip else asked.target
        cut = strip if len(target) != len(asked.target) else ""
        return b"".join(
            (
                _request_line(asked.method, base + target if target[:1] == "/" else target),
                b"" if same else b"Host: %b\r\n" % wanted,
                to_upstream(asked.raw, fields.get(b"connection"), stops, trusted=source.trusted),
                b"" if change is None else change.lines.of(x),
                self._id_line,
                x.request_id.encode(),
                b"\r\n",
                _forwarding(asked, source),
                source.cert_line,
                _prefix_line(asked, source, cut),
                self._via(asked) if via else b"",
                _body_framing(asked),
                _SWITCH if asked.wants_websocket else b"",
                b"" if span is None else span.line,
                b"\r\n",
            )
        )

    def _via(self, asked: RequestHead) -> bytes:
        given = asked.fields.get(b"via")
        if not given and asked.version in self._via_alone:
            return self._via_alone[asked.version]
        return self._via_of(asked.version, given)

    def _via_of(self, version: tuple[int, int], given: bytes | None = None) -> bytes:
        return b"Via: %b\r\n" % appended(given, b"%d.%d %b" % (*version, self._pseudonym))

    def answer(
        self,
        head: Head,
        fields: Mapping[bytes, bytes],
        x: Exchange,
        extra: bytes,
        *,
        cors: bool,
        change: HeaderChange | None = None,
    ) -> bytes:
        """The head for the client; `fields` are the headers of `head`, combined, `change` are the
        rules of the route.

        `extra` are framing, connection and CORS lines, maybe empty.
        With `cors` the upstream's own `Access-Control-*` give way to them.
        A missing `Date` is added (RFC 9110 §6.6.1).
        """
        own = self._own_and_cors if cors else self._own
        if change is not None:
            own = joined(own, change.stops)
            extra = change.lines.of(x) + extra
        return b"".join(
            (
                status_line(head.status, head.reason),
                to_client(head.headers, fields.get(b"connection"), own),
                b"" if b"date" in fields else self._date_line(),
                _VIA[head.http_version],
                self._id_line,
                x.request_id.encode(),
                b"\r\n",
                extra,
                b"\r\n",
            )
        )

    def interim(self, head: Head, *, cors: bool, change: HeaderChange | None = None) -> bytes:
        """The head of an interim response for the client; `cors` as in `answer`.

        What rules stop does not pass here either; what they set is for the answer.
        """
        own = self._own_and_cors if cors else self._own
        if change is not None:
            own = joined(own, change.stops)
        connection = combine(head.headers).get(b"connection")
        return b"".join(
            (
                status_line(head.status, head.reason),
                to_client(head.headers, connection, own),
                _VIA[head.http_version],
                b"\r\n",
            )
        )

    def own_answer(self, status: int, x: Exchange, lines: bytes) -> bytes:
        """The head of an answer that Sidelight makes itself."""
        return b"".join(
            (
                status_line(status),
                self._date_line(),
                lines,
                self._id_line,
                x.request_id.encode(),
                b"\r\n\r\n",
            )
        )

    def _date_line(self) -> bytes:
        return b"Date: %b\r\n" % http_date(self._clock())


def _forwarding(asked: RequestHead, source: Peer) -> bytes:
    if not source.trusted:
        return first_hop(source.peer, asked.host, source.scheme)
    return later_hop(source.peer, asked.host, source.scheme, asked.fields)


def _request_line(method: str, target: str) -> bytes:
    return b"%b %b HTTP/1.1\r\n" % (method.encode(), target.encode("utf-8", "surrogateescape"))


def without_prefix(target: str, prefix: str) -> str:
    """`target` without `prefix`, which is cut at the end of a segment and as it is written only.

    A target that spells the prefix in another way (`//api`, `/%61pi`) stays whole.
    """
    if not target.startswith(prefix):
        return target
    rest = target[len(prefix) :]
    if rest.startswith("/"):
        return rest
    return "/" + rest if rest[:1] in ("", "?") else target


def _prefix_line(asked: RequestHead, source: Peer, cut: str) -> bytes:
    """`X-Forwarded-Prefix`: the part of the path that was cut off, by the proxies before us too."""
    given = asked.fields.get(b"x-forwarded-prefix", b"") if source.trusted else b""
    prefix = given + cut.encode()
    return b"X-Forwarded-Prefix: %b\r\n" % prefix if prefix else b""


def _body_framing(asked: RequestHead) -> bytes:
    if asked.length is not None:
        return b"Content-Length: %d\r\n" % asked.length
    return b"Transfer-Encoding: chunked\r\n" if asked.has_body else b""
