"""Parts of spans that many exchanges have in common, each written once and remembered.

What was asked, how it ended, and how an attempt went: names, kinds and attributes that recur
together are one piece.
"""

from typing import Final
from urllib.parse import urlsplit

from proxy.attempt_record import Attempt
from proxy.exchange import Exchange
from proxy.outcome import COMPLETED, UPSTREAM_ERROR, Outcome, is_error
from proxy.tracing import conventions as c
from proxy.tracing.attempt_facts import code_of_attempt, peer_of_attempt
from proxy.tracing.route_words import RouteWords
from proxy.tracing.span_status import is_failure
from proxy.tracing.wire import MOST, SpanAttribute, sized, utf8

_NAME: Final = b"\x2a"
_SERVER: Final = b"\x30\x02"
_CLIENT: Final = b"\x30\x03"
_IS_ERROR: Final = b"\x7a\x02\x18\x02"
_VERSION: Final = "1.1"
"""That upstreams are asked by, and clients mostly ask by."""
_PORTS: Final = {"http": 80, "https": 443}

_Asked = tuple[RouteWords | None, str, str, str, str]
_Ended = tuple[str, str, int | None, int | None]
_Tried = tuple[str, str, str, str, bool, int | None, str | None, str]


class Recurring:
    """At most `MOST` pieces of each kind; all of a kind are forgotten where there are too many."""

    def __init__(self, methods: frozenset[str] = c.METHODS) -> None:
        self._methods = methods
        self._method, self._original = SpanAttribute(c.METHOD), SpanAttribute(c.METHOD_ORIGINAL)
        self._status, self._error = SpanAttribute(c.STATUS_CODE), SpanAttribute(c.ERROR_TYPE)
        self._address, self._port = SpanAttribute(c.SERVER_ADDRESS), SpanAttribute(c.SERVER_PORT)
        self._peer, self._peer_port = SpanAttribute(c.PEER_ADDRESS), SpanAttribute(c.PEER_PORT)
        self._route, self._route_name = SpanAttribute(c.ROUTE), SpanAttribute(c.ROUTE_NAME)
        self._scheme, self._version = SpanAttribute(c.URL_SCHEME), SpanAttribute(c.PROTOCOL_VERSION)
        self._code, self._term = SpanAttribute(c.CODE), SpanAttribute(c.TERM)
        self._upstream, self._result = SpanAttribute(c.UPSTREAM), SpanAttribute(c.RESULT)
        self._reused = SpanAttribute(c.REUSED)
        self._asked: dict[_Asked, bytes] = {}
        self._ended: dict[_Ended, bytes] = {}
        self._completed: dict[int | None, bytes] = {}
        self._tried: dict[_Tried, bytes] = {}

    def asked(self, x: Exchange, protocol: str, words: RouteWords | None) -> bytes:
        """What was asked: name and kind of the SERVER span, and attributes.

        `protocol` as in the record of its span.
        """
        key = (words, x.method, protocol, x.host, x.upstream)
        known = self._asked.get(key)
        if known is not None:
            return known
        method = x.method if x.method in self._methods else "HTTP"
        name = method if words is None else f"{method} {words.path}"
        lines = [sized(_NAME, utf8(name)), _SERVER, *self._method_of(x)]
        scheme, _, version = protocol.partition(" ")
        lines.append(self._scheme.of(scheme))
        if x.method:
            lines.append(self._version.of(version or _VERSION))
        if x.host:
            lines.append(self._place_of(f"{scheme}://{x.host}"))
        if words is not None:
            lines += self._route.of(words.path), self._route_name.of(x.route)
            lines.append(self._upstream.of(x.upstream))
        if len(self._asked) >= MOST:
            self._asked.clear()
        known = self._asked[key] = b"".join(lines)
        return known

    def ended(self, x: Exchange, outcome: Outcome) -> bytes:
        """How the exchange ended; most complete, and differ by their status alone."""
        if outcome is COMPLETED:
            return self._how_it_completed(x)
        code = outcome.code if x.outcome is not None else ""
        key = (code, x.phase, x.status, x.upstream_status)
        known = self._ended.get(key)
        if known is not None:
            return known
        lines = [self._code.of(outcome.code), self._term.of(x.term)]
        if x.status is not None:
            lines.append(self._status.of_number(x.status))
        if outcome is not UPSTREAM_ERROR or is_error(outcome, x.upstream_status):
            lines.append(self._error.of(outcome.code))
        if is_failure(x):
            lines.append(_IS_ERROR)
        if len(self._ended) >= MOST:
            self._ended.clear()
        known = self._ended[key] = b"".join(lines)
        return known

    def _how_it_completed(self, x: Exchange) -> bytes:
        known = self._completed.get(x.status)
        if known is None:
            known = self._code.of(COMPLETED.code) + self._term.of(x.term)
            if x.status is not None:
                known += self._status.of_number(x.status)
            if len(self._completed) >= MOST:
                self._completed.clear()
            self._completed[x.status] = known
        return known

    def tried(self, x: Exchange, tried: Attempt, upstream: str) -> bytes:
        """How an attempt went: name and kind of its CLIENT span, and attributes."""
        code, result, peer = code_of_attempt(x, tried), tried.result, peer_of_attempt(tried)
        key = (x.method, tried.endpoint, peer, upstream, tried.reused, tried.status, result, code)
        known = self._tried.get(key)
        if known is not None:
            return known
        lines = [
            sized(_NAME, (x.method if x.method in self._methods else "HTTP").encode()),
            _CLIENT,
            *self._method_of(x),
            self._place_of(tried.endpoint),
            self._upstream.of(upstream),
            self._reused.of_flag(tried.reused),
            self._version.of(_VERSION),
        ]
        if peer:
            lines.append(self._peer_at(peer))
        if tried.status is not None:
            lines.append(self._status.of_number(tried.status))
        if result is not None:
            lines.append(self._result.of(result))
        if code:
            lines += (self._error.of(code), _IS_ERROR)
        if len(self._tried) >= MOST:
            self._tried.clear()
        known = self._tried[key] = b"".join(lines)
        return known

    def _method_of(self, x: Exchange) -> list[bytes]:
        if x.method in self._methods:
            return [self._method.of(x.method)]
        original = [self._original.of(x.method)] if x.method else []  # else it was no request
        return [self._method.of("_OTHER"), *original]

    def _peer_at(self, peer: str) -> bytes:
        """Of `10.0.0.1:80`, `[::1]:80`, or the path of a Unix socket."""
        address, _, port = peer.rpartition(":")
        if not address or not port.isdecimal():
            return self._peer.of(peer)
        return self._peer.of(address.strip("[]")) + self._peer_port.of_number(int(port))

    def _place_of(self, url: str) -> bytes:
        """`server.address` and `server.port` of an endpoint, or of what a client asked for."""
        try:
            parts = urlsplit(url)
            address = parts.hostname or parts.path
            port = parts.port or _PORTS.get(parts.scheme)
        except ValueError:
            return b""  # a client may send any Host
        return self._address.of(address) + (self._port.of_number(port) if port else b"")
